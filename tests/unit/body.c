/* SPDX-License-Identifier: ISC */
/*
 * lib/wire/body.h: content of every framing, cut at every byte, and put
 * together again. Not tested here: chunks that are none (tests/unit/http1*).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/body.h"

static struct vyx_http1 head, scratch;

static void
start(struct vyx_body *b, enum vyx_http1_framing framing, uint64_t length)
{
	head.framing = (uint8_t)framing;
	head.length = length;
	vyx_http1_start(&scratch, VYX_HTTP1_TRAILER, NULL);
	vyx_body_start(b, &head);
}

/* Feed `in`, in two parts cut at `cut`, pieces of `max` at most. What comes
 * out is in out[]; *left: bytes not read. */
static enum vyx_body_got
feed(struct vyx_body *b, const char *in, size_t cut, size_t max, char *out,
    size_t *left)
{
	struct vyx_str s = { in, cut }, data;
	size_t n = strlen(in), o = 0;
	enum vyx_body_got got;

	for (;;) {
		got = vyx_body_next(b, &s, max, &scratch, &data);
		if (got == VYX_BODY_DATA) {
			assert_in_range(data.n, 1, max);
			memcpy(out + o, data.p, data.n);
			o += data.n;
		} else if (got == VYX_BODY_MORE && s.p + s.n < in + n)
			s.n = (size_t)(in + n - s.p);
		else
			break;
	}
	out[o] = '\0';
	*left = (size_t)(in + n - s.p);
	return got;
}

#define CHUNKS "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\nNEXT"

static void
chunked(void **state)
{
	struct vyx_body b;
	char out[64];
	size_t left;

	(void)state;
	for (size_t cut = 0; cut <= sizeof CHUNKS - 1; cut++)
		for (size_t max = 1; max < 9; max++) {
			start(&b, VYX_BODY_CHUNKED, 0);
			assert_int_equal(feed(&b, CHUNKS, cut, max, out, &left),
			    VYX_BODY_END);
			assert_string_equal(out, "abcde");
			assert_int_equal(left, 4);
			assert_ptr_equal(b.trailers, &scratch);
			assert_int_equal(scratch.nfield, 1);
			assert_true(vyx_body_eof(&b));
		}
	start(&b, VYX_BODY_CHUNKED, 0);
	assert_int_equal(feed(&b, "1\r\na\r\n0\r\n\r\n", 3, 9, out, &left),
	    VYX_BODY_END);
	assert_null(b.trailers);
	start(&b, VYX_BODY_CHUNKED, 0);
	assert_int_equal(feed(&b, "1\r\na\r\n0\r\n: x\r\n\r\n", 3, 9, out,
	                     &left),
	    VYX_BODY_BAD);
	assert_non_null(b.why);
	start(&b, VYX_BODY_CHUNKED, 0);
	assert_int_equal(feed(&b, "1\r\na", 3, 9, out, &left), VYX_BODY_MORE);
	assert_false(vyx_body_eof(&b));
}

static void
counted(void **state)
{
	struct vyx_body b;
	char out[64];
	size_t left;

	(void)state;
	for (size_t cut = 0; cut < 9; cut++) {
		start(&b, VYX_BODY_LENGTH, 5);
		assert_int_equal(feed(&b, "abcdeNEXT", cut, 2, out, &left),
		    VYX_BODY_END);
		assert_string_equal(out, "abcde");
		assert_int_equal(left, 4);
	}
	start(&b, VYX_BODY_LENGTH, 5);
	assert_int_equal(feed(&b, "abc", 1, 9, out, &left), VYX_BODY_MORE);
	assert_false(vyx_body_eof(&b));
	assert_int_equal(b.left, 2);
	start(&b, VYX_BODY_LENGTH, 0);
	assert_int_equal(feed(&b, "x", 1, 9, out, &left), VYX_BODY_END);
	assert_int_equal(left, 1);
	start(&b, VYX_BODY_NONE, 7);
	assert_int_equal(feed(&b, "x", 1, 9, out, &left), VYX_BODY_END);
	assert_int_equal(left, 1);
	start(&b, VYX_BODY_CLOSE, 0);
	assert_int_equal(feed(&b, "abc", 1, 9, out, &left), VYX_BODY_MORE);
	assert_string_equal(out, "abc");
	assert_true(vyx_body_eof(&b));
}

/* Nothing is read while there is no room, not even framing. */
static void
no_room(void **state)
{
	struct vyx_body b;
	char out[64];
	size_t left;

	(void)state;
	start(&b, VYX_BODY_CHUNKED, 0);
	assert_int_equal(feed(&b, CHUNKS, 0, 0, out, &left), VYX_BODY_MORE);
	assert_int_equal(left, sizeof CHUNKS - 1);
	start(&b, VYX_BODY_LENGTH, 3);
	assert_int_equal(feed(&b, "abc", 3, 0, out, &left), VYX_BODY_MORE);
	assert_int_equal(left, 3);
}

static void
put(void **state)
{
	char out[64];
	size_t n;

	(void)state;
	n = vyx_body_put(out, VYX_BODY_CHUNKED, VYX_STR("0123456789abcdefg"));
	assert_int_equal(n, 23);
	assert_memory_equal(out, "11\r\n0123456789abcdefg\r\n", n);
	assert_int_equal(vyx_body_put(out, VYX_BODY_LENGTH, VYX_STR("ab")), 2);
	assert_memory_equal(out, "ab", 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunked),
		cmocka_unit_test(counted),
		cmocka_unit_test(no_room),
		cmocka_unit_test(put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
