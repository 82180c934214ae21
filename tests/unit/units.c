/* SPDX-License-Identifier: ISC */
/* units: durations and sizes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/units.h"

static void
durations_are_those_of_go(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} t[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "300ms", 300 * VYX_NS_MS },
		{ "1m30s", 90 * VYX_NS_S },
		{ "1.5h", 5400 * VYX_NS_S },
		{ ".5s", 500 * VYX_NS_MS },
		{ "2.s", 2 * VYX_NS_S },
		{ "-1.5h", -5400 * VYX_NS_S },
		{ "+5s", 5 * VYX_NS_S },
		{ "7us", 7000 },
		{ "7\302\265s", 7000 },
		{ "7\316\274s", 7000 },
		{ "3ns", 3 },
		{ "1h1m1s1ms1us1ns", INT64_C(3661001001001) },
		{ "1s1h", 3601 * VYX_NS_S },
		{ "0000000000000000000000001s", VYX_NS_S },
		{ "0.1000000000000000000000009s", 100 * VYX_NS_MS },
		{ "9223372036854775807ns", INT64_MAX },
		{ "2562047h", INT64_C(2562047) * 3600 * VYX_NS_S },
	};

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(t); i++) {
		int64_t ns = -7;

		if (!vyx_dur_scan(VYX_STRZ(t[i].text), &ns))
			fail_msg("%s is refused", t[i].text);
		if (ns != t[i].ns)
			fail_msg("%s is %lld", t[i].text, (long long)ns);
	}
}

static void
what_is_no_duration_is_refused(void **state)
{
	static const struct {
		const char *text;
		int why;
	} t[] = {
		{ "", EINVAL },
		{ "30", EINVAL },
		{ "1d", EINVAL },
		{ "s", EINVAL },
		{ ".s", EINVAL },
		{ "-", EINVAL },
		{ "--1s", EINVAL },
		{ "1s ", EINVAL },
		{ " 1s", EINVAL },
		{ "1s30", EINVAL },
		{ "1S", EINVAL },
		{ "1e3s", EINVAL },
		{ "0x1s", EINVAL },
		{ "2562048h", ERANGE },
		{ "9223372036854775808ns", ERANGE },
		{ "99999999999999999999s", ERANGE },
		{ "2562047h2562047h", ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(t); i++) {
		int64_t ns = -7;

		errno = 0;
		if (vyx_dur_scan(VYX_STRZ(t[i].text), &ns))
			fail_msg("'%s' is accepted", t[i].text);
		if (errno != t[i].why || ns != -7)
			fail_msg("'%s': errno %d", t[i].text, errno);
	}
}

static void
a_written_duration_reads_the_same(void **state)
{
	static const int64_t t[] = { 0, 1, -1, 999, 1000, VYX_NS_MS,
		90 * VYX_NS_S, -5400 * VYX_NS_S, INT64_MAX, -INT64_MAX };
	uint64_t x = 42;

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		char out[VYX_DUR];
		int64_t ns = -7, want;
		struct vyx_str s = { out, 0 };

		x = x * UINT64_C(6364136223846793005) + 1;
		want = i < VYX_COUNT(t) ? t[i] : (int64_t)x >> (i % 60);
		if (want == INT64_MIN)
			continue;
		s.n = vyx_dur_fmt(out, want);
		assert_true(s.n <= VYX_DUR);
		assert_true(vyx_dur_scan(s, &ns));
		assert_true(ns == want);
	}
}

static void
sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} t[] = { { "0", 0 }, { "7", 7 }, { "7b", 7 }, { "512kb", 524288 },
		{ "512K", 524288 }, { "1mb", 1048576 }, { "1MB", 1048576 },
		{ "1Mb", 1048576 }, { "3m", 3145728 }, { "2g", 2147483648 },
		{ "2GB", 2147483648 },
		{ "8589934591gb", 8589934591ULL << 30 } };
	static const char *const bad[] = { "", "b", "mb", "-1", "1 mb", "1mb ",
		"1.5mb", "1tb", "1kib", "0x1", "8589934592gb", "banana",
		"99999999999999999999" };
	char out[VYX_SIZE];
	uint64_t v = 0;

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(t); i++) {
		struct vyx_str s = { out, 0 };

		if (!vyx_size_scan(VYX_STRZ(t[i].text), &v) || v != t[i].bytes)
			fail_msg("%s", t[i].text);
		s.n = vyx_size_fmt(out, v);
		assert_true(vyx_size_scan(s, &v) && v == t[i].bytes);
	}
	for (size_t i = 0; i < VYX_COUNT(bad); i++)
		if (vyx_size_scan(VYX_STRZ(bad[i]), &v))
			fail_msg("'%s' is accepted", bad[i]);
	assert_int_equal(vyx_size_fmt(out, 1048576), 3);
	assert_memory_equal(out, "1mb", 3);
	assert_int_equal(vyx_size_fmt(out, 0), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_those_of_go),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(a_written_duration_reads_the_same),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
