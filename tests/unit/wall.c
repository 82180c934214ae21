/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <cmocka.h>

#include "sys/wall.h"

/*
 * Random names and the time, with a kernel played by hand: it gives what the
 * test says, or nothing.
 */

static int byte = -1; /* what it gives; -1: bytes that differ; -2: none */
static unsigned asked;
static struct vyx_wall w;

ssize_t
getrandom(void *into, size_t n, unsigned flags)
{
	static uint32_t x = 1;
	unsigned char *p = into;

	(void)flags;
	asked++;
	if (byte == -2)
		return -1;
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(byte >= 0
		        ? (unsigned)byte
		        : (x = x * 1664525 + 1013904223) >> 24);
	return (ssize_t)n;
}

static int
setup(void **state)
{
	(void)state;
	w = (struct vyx_wall){ 0 };
	byte = -1;
	asked = 0;
	return 0;
}

/* W3C Trace Context 3.2: version 00, neither id all 0, not sampled. */
static void
test_trace(void **state)
{
	static char was[1000][56];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(was); i++) {
		char *t = was[i];

		memset(t, '#', sizeof was[i]);
		assert_true(vyx_wall_trace(&w, t));
		assert_int_equal(t[55], '#');
		t[55] = '\0';
		assert_memory_equal(t, "00-", 3);
		assert_string_equal(t + 52, "-00");
		assert_int_equal(strspn(t + 3, "0123456789abcdef"), 32);
		assert_int_equal(t[35], '-');
		assert_int_equal(strspn(t + 36, "0123456789abcdef"), 16);
		for (size_t k = 0; k < i; k++) {
			assert_memory_not_equal(was[k] + 3, t + 3, 32);
			assert_memory_not_equal(was[k] + 36, t + 36, 16);
		}
	}
	/* they come by the KiB, and each is given once */
	assert_in_range(asked, 1000 * 24 / 1024 + 1, 1000 * 24 / 1000 + 1);
}

static void
test_zero(void **state)
{
	char t[56] = { 0 };

	(void)state;
	byte = 0;
	assert_true(vyx_wall_trace(&w, t));
	assert_memory_not_equal(t + 3, "00000000000000000000000000000000", 32);
	assert_memory_not_equal(t + 36, "0000000000000000", 16);
}

static void
test_none(void **state)
{
	char t[56];

	(void)state;
	byte = -2;
	assert_false(vyx_wall_trace(&w, t));
	assert_false(vyx_wall_uuid(&w, t));
	byte = 255;
	assert_true(vyx_wall_trace(&w, t));
	assert_true(vyx_wall_uuid(&w, t));
	assert_memory_equal(t, "ffffffff-ffff-4fff-bfff-ffffffffffff", 36);
}

static int64_t
wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec;
}

/* The clock is read once a second, and moved on by the loop's. */
static void
test_seconds(void **state)
{
	uint64_t t0 = 5 * VYX_SEC;
	int64_t s, before = wall();
	struct tm tm = { 0 };
	char text[25] = { 0 };

	(void)state;
	s = vyx_wall_seconds(&w, t0);
	assert_true(s >= before && s <= wall());
	memcpy(text, vyx_wall_stamp(&w, t0).p, 24);
	assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%S", &tm));
	assert_int_equal(timegm(&tm), s);
	assert_int_equal(vyx_wall_seconds(&w, t0 + 999 * VYX_MS),
	    s + (memcmp(text + 20, "000", 3) != 0));
	/* a loop that is hours later in the same instant is put right */
	s = vyx_wall_seconds(&w, t0 + 7200 * VYX_SEC);
	assert_true(s >= before && s <= wall());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_trace, setup),
		cmocka_unit_test_setup(test_zero, setup),
		cmocka_unit_test_setup(test_none, setup),
		cmocka_unit_test_setup(test_seconds, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
