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

/* What the route drops, in any spelling, and what it adds; a trace begun. */
static void
request_rules(void **state)
{
	const struct vyx_str drop[] = { VYX_STR("x-env"), VYX_STR("COOKIE"),
		VYX_STR("Via"), VYX_STR("host") };
	struct vyx_forward_rules rules = { drop, VYX_COUNT(drop),
		VYX_STR("X-Env: prod\r\nB: c\r\n") };
	struct vyx_forward_request f = { .method = VYX_STR("GET"),
		.path = VYX_STR("/"),
		.id = VYX_STR("i"),
		.max_forwards = -1,
		.trace = VYX_STR("new"),
		.rules = &rules };
	static const char head[] =
	    "GET / HTTP/1.1\r\nHost: h\r\nX-ENV: a\r\nx_env: b\r\nX-Env2: c\r\n"
	    "Cookie: d\r\ncookie: e\r\nVia: 1.1 x\r\nTraceParent: old\r\n"
	    "tracestate: f\r\nx-en: g\r\n\r\n";

	(void)state;
	parse(VYX_HTTP1_REQUEST, head);
	is("GET / HTTP/1.1\r\nHost: h\r\nX-Env2: c\r\nx-en: g\r\n"
	   "Via: 1.1 vyx\r\nForwarded: for=unknown;host=\"h\";proto=http\r\n"
	   "X-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"
	   "X-Request-Id: i\r\ntraceparent: new\r\n"
	   "X-Env: prod\r\nB: c\r\n\r\n",
	    vyx_forward_request(out, cap, &h, &f));
	/* no trace begun: the client's is passed on */
	f.trace = VYX_STR("");
	rules = (struct vyx_forward_rules){ drop, 3, VYX_STR("") };
	is("GET / HTTP/1.1\r\nHost: h\r\nX-Env2: c\r\nTraceParent: old\r\n"
	   "tracestate: f\r\nx-en: g\r\n"
	   "Via: 1.1 vyx\r\nForwarded: for=unknown;host=\"h\";proto=http\r\n"
	   "X-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"
	   "X-Request-Id: i\r\n\r\n",
	    vyx_forward_request(out, cap, &h, &f));
}

/* CORS of the worker, security headers and Date: who has the say. */
static void
answer_rules(void **state)
{
	const struct vyx_str drop[] = { VYX_STR("x_frame-OPTIONS"),
		VYX_STR("referrer-policy"), VYX_STR("date"),
		VYX_STR("server") };
	struct vyx_forward_rules rules = { drop, VYX_COUNT(drop),
		VYX_STR("Date: never\r\n") };
	struct vyx_forward_answer f = { .id = VYX_STR("id"),
		.date = VYX_STR("now"),
		.framing = VYX_BODY_LENGTH,
		.keep = 1,
		.cors = 1,
		.more = VYX_STR("M: m\r\n"),
		.rules = &rules };

	(void)state;
	parse(VYX_HTTP1_RESPONSE,
	    "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nSERVER: s\r\n"
	    "access_control-max-age: 1\r\nAccess-Control: a\r\n"
	    "Access-Control-: b\r\nX-Frame-Options: SAMEORIGIN\r\n"
	    "Strict-Transport-Security: none\r\nContent-Length: 2\r\n\r\n");
	is("HTTP/1.1 200 OK\r\nAccess-Control: a\r\nAccess-Control-: b\r\n"
	   "Strict-Transport-Security: none\r\nVia: 1.1 vyx\r\n"
	   "Content-Length: 2\r\nX-Content-Type-Options: nosniff\r\n"
	   "X-Xss-Protection: 1; mode=block\r\n"
	   "Content-Security-Policy: default-src 'self'\r\n"
	   "M: m\r\nDate: never\r\nX-Request-Id: id\r\n\r\n",
	    vyx_forward_answer(out, cap, &h, &f));
	f.cors = 0;
	f.bare = 1;
	f.rules = NULL;
	is("HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nSERVER: s\r\n"
	   "access_control-max-age: 1\r\nAccess-Control: a\r\n"
	   "Access-Control-: b\r\nX-Frame-Options: SAMEORIGIN\r\n"
	   "Strict-Transport-Security: none\r\nVia: 1.1 vyx\r\n"
	   "Content-Length: 2\r\nDate: now\r\nM: m\r\nX-Request-Id: id\r\n\r\n",
	    vyx_forward_answer(out, cap, &h, &f));
	/* `more` and the lines of a rule are of final heads */
	f.rules = &rules;
	parse(VYX_HTTP1_RESPONSE,
	    "HTTP/1.1 103 H\r\nLink: a\r\nServer: s\r\nDate: d\r\n\r\n");
	is("HTTP/1.1 103 H\r\nLink: a\r\nVia: 1.1 vyx\r\n\r\n",
	    vyx_forward_answer(out, cap, &h, &f));
}

static void
trailer_rules(void **state)
{
	const struct vyx_str drop[] = { VYX_STR("X_Secret") };
	struct vyx_forward_rules rules = { drop, 1, VYX_STR("B: c\r\n") };

	(void)state;
	parse(VYX_HTTP1_TRAILER,
	    "A: b\r\nx-secret: 1\r\nX_SECRET: 2\r\nTrailer: A\r\n"
	    "traceparent: t\r\nSet-Cookie: s\r\n\r\n");
	is("A: b\r\n\r\n", vyx_forward_trailers(out, cap, &h, &rules));
}

/* Content as it is, none, none to HEAD; without the security headers. */
static void
own_json(void **state)
{
	struct vyx_forward_own f = { .status = 503,
		.json = VYX_STR("{\"a\":1}\n"),
		.id = VYX_STR("id"),
		.date = VYX_STR("now"),
		.keep = 1,
		.bare = 1 };

	(void)state;
	is("HTTP/1.1 503 Service Unavailable\r\nDate: now\r\n"
	   "Content-Type: application/json\r\nContent-Length: 8\r\n"
	   "X-Request-Id: id\r\n\r\n{\"a\":1}\n",
	    vyx_forward_own(out, cap, &f));
	f.head = 1;
	is("HTTP/1.1 503 Service Unavailable\r\nDate: now\r\n"
	   "Content-Type: application/json\r\nContent-Length: 8\r\n"
	   "X-Request-Id: id\r\n\r\n",
	    vyx_forward_own(out, cap, &f));
	f = (struct vyx_forward_own){ .status = 204,
		.more = VYX_STR("A: b\r\n"),
		.id = VYX_STR("id"),
		.date = VYX_STR("now") };
	is("HTTP/1.1 204 No Content\r\nDate: now\r\nA: b\r\n" SECURITY
	   "Connection: close\r\nX-Request-Id: id\r\n\r\n",
	    vyx_forward_own(out, cap, &f));
	assert_string_equal(vyx_forward_reason(204), "No Content");
	assert_string_equal(vyx_forward_reason(299), "");
}

static void
may(void **state)
{
	static const char *const no[] = { "Content-Length", "content_length",
		"Transfer-Encoding", "Connection", "Keep-Alive", "TE",
		"Upgrade", "Proxy_Connection", "Host", "Expect", "Forwarded",
		"X-Forwarded-For", "X_Real_IP", "X-Request-Id", "Max-Forwards",
		"Traceparent", "tracestate" };
	static const char *const yes[] = { "Date", "Via", "Trailer", "Server",
		"X-Frame-Options", "Cookie", "Authorization", "X-Own",
		"Content-Lengths", "" };

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(no); i++)
		assert_false(vyx_forward_may(VYX_STRZ(no[i])));
	for (size_t i = 0; i < VYX_COUNT(yes); i++)
		assert_true(vyx_forward_may(VYX_STRZ(yes[i])));
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define ZERO "00000000000000000000000000000000"

/* W3C Trace Context 3.2.2 and 4.3: versions. */
static void
traces(void **state)
{
	static const char *const yes[] = { "00-" TRACE "-" PARENT "-00",
		"00-" TRACE "-" PARENT "-01", "00-" TRACE "-" PARENT "-ff",
		"01-" TRACE "-" PARENT "-09", "cc-" TRACE "-" PARENT "-01-",
		"fe-" TRACE "-" PARENT "-01-what-comes" };
	static const char *const no[] = { "", "00",
		/* version ff; 00 with more behind; a later one without `-` */
		"ff-" TRACE "-" PARENT "-00", "00-" TRACE "-" PARENT "-00-",
		"00-" TRACE "-" PARENT "-00-a", "01-" TRACE "-" PARENT "-00.a",
		"01-" TRACE "-" PARENT "-000",
		/* ids of 0 */
		"00-" ZERO "-" PARENT "-00", "00-" TRACE "-0000000000000000-00",
		/* capitals, blanks, other digits */
		"00-0AF7651916cd43dd8448eb211c80319c-" PARENT "-00",
		"00-" TRACE "-B7ad6b7169203331-00",
		"0A-" TRACE "-" PARENT "-00", "00-" TRACE "-" PARENT "-0A",
		"00-" TRACE "-" PARENT "-0g", "00-" TRACE "-" PARENT "-0",
		"00-" TRACE "-" PARENT "-0 ", " 00-" TRACE "-" PARENT "-0",
		"0 -" TRACE "-" PARENT "-00",
		"00-0af7651916cd43dd8448eb211c80319g-" PARENT "-00",
		"00-" TRACE "-b7ad6b716920333.-00",
		/* no dashes where they are due */
		"00_" TRACE "-" PARENT "-00", "00-" TRACE "_" PARENT "-00",
		"00-" TRACE "-" PARENT "_00", "00-" TRACE PARENT "--00" };

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(yes); i++)
		assert_true(vyx_forward_trace(VYX_STRZ(yes[i])));
	for (size_t i = 0; i < VYX_COUNT(no); i++)
		assert_false(vyx_forward_trace(VYX_STRZ(no[i])));
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
		cmocka_unit_test(request_rules),
		cmocka_unit_test(answer_rules),
		cmocka_unit_test(trailer_rules),
		cmocka_unit_test(own_json),
		cmocka_unit_test(may),
		cmocka_unit_test(traces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
