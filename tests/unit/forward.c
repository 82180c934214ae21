/* SPDX-License-Identifier: ISC */
/*
 * lib/wire/forward.h: heads as they leave, whole, byte by byte; and no room
 * for them. What each field is for is tested on the wire (route_heads.bats).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/forward.h"

static struct vyx_http1 h;
static char out[4096];

static void
parse(enum vyx_http1_kind kind, const char *text)
{
	vyx_http1_start(&h, kind, NULL);
	assert_int_equal(vyx_http1_parse(&h, text, strlen(text)),
	    VYX_HTTP1_DONE);
}

/* It is `want`, and with less room it is nothing. */
#define is(want, call)                                   \
	do {                                             \
		size_t cap = sizeof out, n = call;       \
		out[n] = '\0';                           \
		assert_string_equal(out, want);          \
		for (cap = 0; cap < strlen(want); cap++) \
			assert_int_equal(call, 0);       \
		assert_int_equal(call, strlen(want));    \
	} while (0)

static void
request(void **state)
{
	struct vyx_forward_request f = { .method = VYX_STR("POST"),
		.path = VYX_STR("/a"),
		.peer = VYX_STR("::1"),
		.id = VYX_STR("id"),
		.tls = 1,
		.max_forwards = -1 };

	(void)state;
	parse(VYX_HTTP1_REQUEST,
	    "POST /./a?b HTTP/1.0\r\nHost: [::2]:81\r\nX-Real_IP: 1\r\n"
	    "A:  b \r\nContent-Length: 3\r\nVia: 1.1 x\r\nTrailer: T\r\n\r\n");
	is("POST /a?b HTTP/1.1\r\nHost: [::2]:81\r\nA: b\r\nVia: 1.1 x\r\n"
	   "Content-Length: 3\r\nVia: 1.0 vyx\r\n"
	   "Forwarded: for=\"[::1]\";host=\"[::2]:81\";proto=https\r\n"
	   "X-Forwarded-Proto: https\r\nX-Forwarded-For: ::1\r\n"
	   "X-Forwarded-Host: [::2]:81\r\nX-Request-Id: id\r\n\r\n",
	    vyx_forward_request(out, cap, &h, &f));
	parse(VYX_HTTP1_REQUEST,
	    "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
	    "Expect: 100-continue\r\nTrailer: T\r\n\r\n");
	f = (struct vyx_forward_request){ .method = VYX_STR("GET"),
		.path = VYX_STR("/"),
		.id = VYX_STR("i"),
		.websocket = 1,
		.trailers = 1,
		.max_forwards = 0 };
	is("GET / HTTP/1.1\r\nHost: h\r\nTrailer: T\r\n"
	   "Transfer-Encoding: chunked\r\nTE: trailers\r\n"
	   "Connection: TE, Upgrade\r\nUpgrade: websocket\r\n"
	   "Expect: 100-continue\r\nMax-Forwards: 0\r\nVia: 1.1 vyx\r\n"
	   "Forwarded: for=unknown;host=\"h\";proto=http\r\n"
	   "X-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"
	   "X-Request-Id: i\r\n\r\n",
	    vyx_forward_request(out, cap, &h, &f));
}

#define SECURITY                                                         \
	"X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"   \
	"X-Xss-Protection: 1; mode=block\r\nStrict-Transport-Security: " \
	"max-age=63072000; includeSubDomains\r\nReferrer-Policy: "       \
	"strict-origin-when-cross-origin\r\nContent-Security-Policy: "   \
	"default-src 'self'\r\n"

static void
answer(void **state)
{
	struct vyx_forward_answer f = { .id = VYX_STR("id"),
		.date = VYX_STR("now"),
		.framing = VYX_BODY_CHUNKED,
		.keep = 1,
		.trailers = 1 };

	(void)state;
	parse(VYX_HTTP1_RESPONSE,
	    "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n"
	    "X-Request-Id: theirs\r\nServer: s\r\n\r\n");
	is("HTTP/1.1 200 Fine\r\nTrailer: T\r\nServer: s\r\nVia: 1.1 vyx\r\n"
	   "Transfer-Encoding: chunked\r\n" SECURITY "Date: now\r\n"
	   "X-Request-Id: id\r\n\r\n",
	    vyx_forward_answer(out, cap, &h, &f));
	f.framing = VYX_BODY_CLOSE;
	f.old = 1;
	f.keep = f.trailers = 0;
	is("HTTP/1.1 200 Fine\r\nServer: s\r\nVia: 1.1 vyx\r\n" SECURITY
	   "Connection: close\r\nDate: now\r\nX-Request-Id: id\r\n\r\n",
	    vyx_forward_answer(out, cap, &h, &f));
	parse(VYX_HTTP1_RESPONSE, "HTTP/1.1 103 Hint\r\nLink: a\r\n\r\n");
	is("HTTP/1.1 103 Hint\r\nLink: a\r\nVia: 1.1 vyx\r\n\r\n",
	    vyx_forward_answer(out, cap, &h, &f));
}

static void
trailers(void **state)
{
	(void)state;
	parse(VYX_HTTP1_TRAILER,
	    "A: b\r\nContent-Length: 3\r\nX_Forwarded_For: 1\r\n"
	    "Forwarded: x\r\nHost: h\r\n\r\n");
	is("A: b\r\n\r\n", vyx_forward_trailers(out, cap, &h, NULL));
	is("\r\n", vyx_forward_trailers(out, cap, NULL, NULL));
}

static void
own(void **state)
{
	struct vyx_forward_own f = { .status = 404,
		.text = "gone",
		.more = VYX_STR("A: b\r\n"),
		.id = VYX_STR("id"),
		.date = VYX_STR("now"),
		.keep = 1 };

	(void)state;
	is("HTTP/1.1 404 Not Found\r\nDate: now\r\n"
	   "Content-Type: application/json\r\nContent-Length: 17\r\n"
	   "A: b\r\n" SECURITY "X-Request-Id: id\r\n\r\n{\"error\":\"gone\"}\n",
	    vyx_forward_own(out, cap, &f));
	f.head = f.old = 1;
	is("HTTP/1.1 404 Not Found\r\nDate: now\r\n"
	   "Content-Type: application/json\r\nContent-Length: 17\r\n"
	   "A: b\r\n" SECURITY "Connection: keep-alive\r\n"
	   "X-Request-Id: id\r\n\r\n",
	    vyx_forward_own(out, cap, &f));
	f.text = NULL;
	f.status = 200;
	f.keep = 0;
	is("HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n"
	   "A: b\r\n" SECURITY "Connection: close\r\n"
	   "X-Request-Id: id\r\n\r\n",
	    vyx_forward_own(out, cap, &f));
}

static void
ids(void **state)
{
	char long_[129];

	(void)state;
	memset(long_, 'a', sizeof long_);
	assert_true(vyx_forward_id(VYX_STR("Az09._:/+=@-")));
	assert_true(vyx_forward_id((struct vyx_str){ long_, 128 }));
	assert_false(vyx_forward_id((struct vyx_str){ long_, 129 }));
	assert_false(vyx_forward_id(VYX_STR("")));
	assert_false(vyx_forward_id(VYX_STR("a b")));
	assert_false(vyx_forward_id(VYX_STR("a\"b")));
	assert_false(vyx_forward_id((struct vyx_str){ "a\0b", 3 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request),
		cmocka_unit_test(answer),
		cmocka_unit_test(trailers),
		cmocka_unit_test(own),
		cmocka_unit_test(ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
