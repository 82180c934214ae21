/* SPDX-License-Identifier: ISC */
/* bytes - numbers are read one way, buffers keep their limit. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"

static void
decimal_takes_digits_only(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1",
		"1_0", "1.0", "a" };
	uint64_t v = 7;

	(void)state;
	assert_true(vyx_dec_scan(VYX_STR("18446744073709551615"), UINT64_MAX,
	    &v));
	assert_true(v == UINT64_MAX);
	assert_true(vyx_dec_scan(VYX_STR("007"), 10, &v));
	assert_int_equal(v, 7);
	for (size_t i = 0; i < VYX_COUNT(bad); i++) {
		errno = 0;
		assert_false(vyx_dec_scan(VYX_STRZ(bad[i]), 100, &v));
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(v, 7);
}

static void
numbers_do_not_overflow(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_false(vyx_dec_scan(VYX_STR("18446744073709551616"), UINT64_MAX,
	    &v));
	assert_int_equal(errno, ERANGE);
	assert_false(vyx_dec_scan(VYX_STR("99999999999999999999999"),
	    UINT64_MAX, &v));
	assert_false(vyx_dec_scan(VYX_STR("101"), 100, &v));
	assert_int_equal(errno, ERANGE);
	assert_true(vyx_hex_scan(VYX_STR("fFfFffffFFFFffff"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_false(vyx_hex_scan(VYX_STR("10000000000000000"), UINT64_MAX,
	    &v));
	assert_false(vyx_hex_scan(VYX_STR("0x10"), UINT64_MAX, &v));
	assert_int_equal(errno, EINVAL);
}

static void
numbers_are_written(void **state)
{
	char t[VYX_DEC + 1];

	(void)state;
	t[vyx_dec_fmt(t, UINT64_MAX)] = 0;
	assert_string_equal(t, "18446744073709551615");
	t[vyx_dec_fmt(t, 0)] = 0;
	assert_string_equal(t, "0");
	t[vyx_hex_fmt(t, 0xdeadbeef)] = 0;
	assert_string_equal(t, "deadbeef");
}

static void
strings_are_cut(void **state)
{
	struct vyx_str s = VYX_STR("a::b"), part;

	(void)state;
	part = vyx_str_cut(&s, ':');
	assert_true(vyx_str_eq(part, VYX_STR("a")));
	part = vyx_str_cut(&s, ':');
	assert_true(vyx_str_eq(part, VYX_STR("")) && s.p);
	part = vyx_str_cut(&s, ':');
	assert_true(vyx_str_eq(part, VYX_STR("b")) && !s.p);
	assert_true(vyx_str_caseeq(VYX_STR("CoNTENT"), VYX_STR("content")));
	assert_false(vyx_str_caseeq(VYX_STR("["), VYX_STR("{")));
	assert_true(vyx_str_cmp(VYX_STR("a"), VYX_STR("ab")) < 0);
	assert_true(vyx_str_cmp(VYX_STR("b"), VYX_STR("ab")) > 0);
}

static void
a_buffer_keeps_its_limit(void **state)
{
	struct vyx_buf b = { .max = 100 };

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_true(vyx_buf_putc(&b, 'x'));
	assert_false(vyx_buf_putc(&b, 'x'));
	assert_int_equal(errno, EMSGSIZE);
	assert_false(vyx_buf_put(&b, "xy", SIZE_MAX));
	assert_int_equal(b.n, 100);
	vyx_buf_shift(&b, 98);
	assert_true(vyx_buf_fmt(&b, "%d", 42));
	assert_true(vyx_str_eq(vyx_buf_str(&b), VYX_STR("xx42")));
	vyx_buf_free(&b);
}

static void
json_strings_are_valid_utf8(void **state)
{
	struct vyx_buf b = { 0 };

	(void)state;
	assert_true(vyx_buf_json(&b,
	    VYX_STR("a\"\\\n\x7f\xc3\xa9 \xc0\xaf \xed\xa0\x80 \xf5 "
	            "\xe2\x82")));
	assert_true(vyx_str_eq(vyx_buf_str(&b),
	    VYX_STR("a\\\"\\\\\\u000a\\u007f\xc3\xa9 \\ufffd\\ufffd "
	            "\\ufffd\\ufffd\\ufffd \\ufffd \\ufffd\\ufffd")));
	vyx_buf_free(&b);
}

/* SipHash-1-3 under the key 00..0f, of 00, 01, ...: published vectors are of
 * 2-4, so what is checked is that each byte and the length count. */
static void
every_byte_counts_in_a_hash(void **state)
{
	uint8_t key[16] = { 1 }, p[24] = { 0 };
	uint64_t h = vyx_hash(key, p, sizeof p);

	(void)state;
	for (size_t i = 0; i < sizeof p; i++) {
		p[i] ^= 0x80;
		assert_true(vyx_hash(key, p, sizeof p) != h);
		p[i] ^= 0x80;
	}
	for (size_t n = 0; n < sizeof p; n++)
		assert_true(vyx_hash(key, p, n) != h);
	key[15] = 1;
	assert_true(vyx_hash(key, p, sizeof p) != h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimal_takes_digits_only),
		cmocka_unit_test(numbers_do_not_overflow),
		cmocka_unit_test(numbers_are_written),
		cmocka_unit_test(strings_are_cut),
		cmocka_unit_test(a_buffer_keeps_its_limit),
		cmocka_unit_test(json_strings_are_valid_utf8),
		cmocka_unit_test(every_byte_counts_in_a_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
