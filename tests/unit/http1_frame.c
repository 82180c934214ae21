/* SPDX-License-Identifier: ISC */
#include "http1_case.h"

/*
 * Where messages end and what connections do: RFC 9112 by section, RFC 9110
 * where it says so. Not tested here: single lines, see http1.c.
 */

static void
test_framing(void **state)
{
#define TE "Transfer-Encoding: "
#define CL "Content-Length: "
#define P "POST / HTTP/1.1\r\n" H
#define GOT "1.1 POST / host=a "
	static const struct test t[] = {
		{ "6.3", P CL "5\r\n" E, GOT "length=5" },
		{ "6.3", P CL "0\r\n" E, GOT "length=0" },
		{ "6.3", P CL "007\r\n" E, GOT "length=7" },
		{ "6.3", P CL "9223372036854775807\r\n" E,
		    GOT "length=9223372036854775807" },
		{ "6.3", P CL "9223372036854775808\r\n" E,
		    "400 invalid Content-Length" },
		{ "6.3", P CL "18446744073709551621\r\n" E,
		    "400 invalid Content-Length" },
		{ "9110 8.6", P CL "\r\n" E, "400 invalid Content-Length" },
		{ "9110 8.6", P CL "+5\r\n" E, "400 invalid Content-Length" },
		{ "9110 8.6", P CL "-5\r\n" E, "400 invalid Content-Length" },
		{ "9110 8.6", P CL "0x5\r\n" E, "400 invalid Content-Length" },
		{ "9110 8.6", P CL "5_0\r\n" E, "400 invalid Content-Length" },
		{ "9110 8.6", P CL "5 0\r\n" E, "400 invalid Content-Length" },
		{ "9110 8.6", P CL "5, 5\r\n" E, "400 invalid Content-Length" },
		{ "9110 8.6", P CL "5\r\n" CL "5\r\n" E,
		    "400 repeated Content-Length" },
		{ "9110 8.6", P CL "5\r\ncontent-length: 6\r\n" E,
		    "400 repeated Content-Length" },
		{ "6.1", P TE "chunked\r\n" E,
		    GOT "chunked Transfer-Encoding=[chunked]hop" },
		{ "6.1", P TE "Chunked \r\n" E,
		    GOT "chunked Transfer-Encoding=[Chunked]hop" },
		{ "6.1", P TE "chunked\r\n" CL "5\r\n" E,
		    "400 Content-Length with Transfer-Encoding" },
		{ "6.1", P CL "5\r\n" TE "chunked\r\n" E,
		    "400 Content-Length with Transfer-Encoding" },
		{ "6.1", P CL "5\r\n" TE "identity\r\n" E,
		    "400 Content-Length with Transfer-Encoding" },
		{ "6.1", P TE "gzip, chunked\r\n" E,
		    "501 unknown transfer coding" },
		{ "6.3", P TE "gzip\r\n" E, "400 invalid Transfer-Encoding" },
		{ "6.3", P TE "identity\r\n" E,
		    "400 invalid Transfer-Encoding" },
		{ "6.3", P TE "\r\n" E, "400 invalid Transfer-Encoding" },
		{ "6.3", P TE "xchunked\r\n" E,
		    "400 invalid Transfer-Encoding" },
		{ "6.3", P TE "\"chunked\"\r\n" E,
		    "400 invalid Transfer-Encoding" },
		{ "6.3", P TE "chunked;a=b\r\n" E,
		    "400 invalid Transfer-Encoding" },
		{ "6.3", P TE "chunked,\r\n" E,
		    "400 invalid Transfer-Encoding" },
		{ "6.3", P TE "gzip, chunked,\r\n" E,
		    "400 invalid Transfer-Encoding" },
		{ "6.3", P TE ",chunked\r\n" E, "501 unknown transfer coding" },
		{ "6.3", P TE "chunked, gzip\r\n" E,
		    "400 invalid Transfer-Encoding" },
		{ "6.1", P TE "chunked, chunked\r\n" E,
		    "400 invalid Transfer-Encoding" },
		{ "6.1", P TE "chunked\r\n" TE "chunked\r\n" E,
		    "400 repeated Transfer-Encoding" },
		{ "6.1", "POST / HTTP/1.0\r\n" TE "chunked\r\n" E,
		    "400 Transfer-Encoding in HTTP/1.0" },
		{ "6.3", P E, GOT "none" },
	};

	(void)state;
	CHECK(REQUEST, t);
}

static void
test_connection(void **state)
{
#define C "Connection: "
#define G "1.1 GET / host=a none"
	static const struct test t[] = {
		{ "9.3", R H C "close\r\n" E, G " last Connection=[close]hop" },
		{ "9.3", R H C "CLOSE , x\r\n" E,
		    G " last Connection=[CLOSE , x]hop" },
		{ "9.3", R H C "keep-alive, close\r\n" E,
		    G " last Connection=[keep-alive, close]hop" },
		{ "9.3", "GET / HTTP/1.0\r\n" C "keep-alive\r\n" E,
		    "1.0 GET / host= none Connection=[keep-alive]hop" },
		{ "9.3", "GET / HTTP/1.0\r\n" C "keep-alive, close\r\n" E,
		    "1.0 GET / host= none last "
		    "Connection=[keep-alive, close]hop" },
		{ "9110 7.6.1",
		    R H C "x-a,\t,Foo\r\nX-A: 1\r\nfoo: 2\r\n"
		          "X-A: 3\r\nx-ab: 4\r\n" E,
		    G " Connection=[x-a,\t,Foo]hop X-A=[1]hop foo=[2]hop "
		      "X-A=[3]hop x-ab=[4]" },
		{ "9110 7.6.1", R H "A: 1\r\n" C "a\r\n" C "b\r\nB: 2\r\n" E,
		    G " A=[1]hop Connection=[a]hop Connection=[b]hop "
		      "B=[2]hop" },
		{ "9110 7.6.1",
		    R H "Keep-Alive: 5\r\nProxy-Connection: x\r\n"
		        "TE: gzip\r\nUpgrade: h2c\r\n"
		        "HTTP2-Settings: x\r\n" E,
		    G " Keep-Alive=[5]hop Proxy-Connection=[x]hop "
		      "TE=[gzip]hop Upgrade=[h2c]hop HTTP2-Settings=[x]hop" },
		/* end to end, whatever Connection says; others may go */
		{ "-",
		    R H C "host, content-length, x-forwarded-for, accept"
		          "\r\nX-Forwarded-For: b\r\nAccept: c\r\n" E,
		    G " Connection=[host, content-length, x-forwarded-for, "
		      "accept]hop Accept=[c]hop" },
		{ "9110 7.6.1", R H C "a b\r\n" E, "400 invalid Connection" },
		{ "9110 7.6.1", R H C "\"close\"\r\n" E,
		    "400 invalid Connection" },
		{ "9110 10.1.4", R H "TE: gzip, Trailers\r\n" E,
		    G " trailers TE=[gzip, Trailers]hop" },
		{ "9110 7.8",
		    R H C "keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" E,
		    G " websocket Connection=[keep-alive, Upgrade]hop "
		      "Upgrade=[WebSocket]hop" },
		{ "9110 7.8", R H C "upgrade\r\nUpgrade: h2c\r\n" E,
		    G " Connection=[upgrade]hop Upgrade=[h2c]hop" },
		{ "9110 7.8", R H "Upgrade: websocket\r\n" E,
		    G " Upgrade=[websocket]hop" },
		{ "9110 7.8",
		    "GET / HTTP/1.0\r\n" C "upgrade\r\n"
		    "Upgrade: websocket\r\n" E,
		    "1.0 GET / host= none last Connection=[upgrade]hop "
		    "Upgrade=[websocket]hop" },
		{ "6455 4.1", P C "upgrade\r\nUpgrade: websocket\r\n" E,
		    GOT "none Connection=[upgrade]hop "
		        "Upgrade=[websocket]hop" },
		{ "6455 4.1",
		    R H C "upgrade\r\nUpgrade: websocket\r\n" CL "1\r\n" E,
		    "1.1 GET / host=a length=1 Connection=[upgrade]hop "
		    "Upgrade=[websocket]hop" },
	};

	(void)state;
	CHECK(REQUEST, t);
}

static void
test_expect(void **state)
{
#define X "Expect: "
#define M "Max-Forwards: "
	static const struct test t[] = {
		{ "9110 10.1.1", P CL "1\r\n" X "100-Continue\r\n" E,
		    GOT "length=1 expect" },
		{ "9110 10.1.1", P CL "0\r\n" X "100-continue\r\n" E,
		    GOT "length=0" },
		{ "9110 10.1.1", P X "100-continue\r\n" E, GOT "none" },
		{ "9110 10.1.1", P X "200-ok\r\n" E,
		    "417 unknown expectation" },
		{ "9110 10.1.1", P X "100-continue, x\r\n" E,
		    "417 unknown expectation" },
		{ "9110 10.1.1",
		    "POST / HTTP/1.0\r\n" CL "1\r\n" X "100-continue\r\n" E,
		    "1.0 POST / host= length=1 last" },
		{ "9110 7.6.2", "OPTIONS * HTTP/1.1\r\n" H M "3\r\n" E,
		    "1.1 OPTIONS asterisk  host=a none max=3" },
		{ "9110 7.6.2", "TRACE / HTTP/1.1\r\n" H M "0\r\n" E,
		    "1.1 TRACE / host=a none max=0" },
		{ "9110 7.6.2", "TRACE / HTTP/1.1\r\n" H M "-1\r\n" E,
		    "400 invalid Max-Forwards" },
		{ "9110 7.6.2", R H M "x\r\n" E, G },
	};

	(void)state;
	CHECK(REQUEST, t);
}

static void
test_response(void **state)
{
#define S "HTTP/1.1 200 OK\r\n"
	static const struct test t[] = {
		{ "4", S CL "3\r\n" E, "1.1 200 [OK] length=3" },
		{ "4", "HTTP/1.1 404 \r\n" CL "3\r\n" E,
		    "1.1 404 [] length=3" },
		{ "4", "HTTP/1.1 200 a\t\xff b\r\n" CL "0\r\n" E,
		    "1.1 200 [a\t\xff b] length=0" },
		{ "4", "HTTP/1.1 200\r\n" E, "502 invalid status line" },
		{ "4", "HTTP/1.1  200 OK\r\n", "502 invalid status line" },
		{ "4", "HTTP/1.1 20 OK\r\n", "502 invalid status line" },
		{ "4", "HTTP/1.1 2000 OK\r\n", "502 invalid status line" },
		{ "4", "HTTP/1.1 099 x\r\n", "502 invalid status" },
		{ "9110 15", "HTTP/1.1 600 x\r\n", "502 invalid status" },
		{ "4", "\r\nHTTP/1.1 200 OK\r\n", "502 invalid version" },
		{ "4", "HTTP/2.0 200 OK\r\n", "502 version not served" },
		{ "4", "HTTP/1.1 200 a\rb\r\n", "502 bare CR" },
		{ "6.3", S E, "1.1 200 [OK] close last" },
		{ "6.3", S TE "chunked\r\n" E,
		    "1.1 200 [OK] chunked Transfer-Encoding=[chunked]hop" },
		{ "6.3", S TE "gzip\r\n" E, "502 invalid Transfer-Encoding" },
		{ "6.3", S TE "chunked\r\n" CL "1\r\n" E,
		    "502 Content-Length with Transfer-Encoding" },
		{ "6.3", S CL "1\r\n" CL "1\r\n" E,
		    "502 repeated Content-Length" },
		{ "6.3", S CL "x\r\n" E, "502 invalid Content-Length" },
		{ "6.3", "HTTP/1.1 204 x\r\n" CL "5\r\n" E,
		    "1.1 204 [x] none" },
		{ "6.3", "HTTP/1.1 304 x\r\n" CL "5\r\n" E,
		    "1.1 304 [x] none=5" },
		{ "6.3", "HTTP/1.1 100 Continue\r\n" E,
		    "1.1 100 [Continue] none" },
		{ "9.3", S CL "3\r\n" C "close\r\n" E,
		    "1.1 200 [OK] length=3 last Connection=[close]hop" },
		{ "9.3", "HTTP/1.0 200 OK\r\n" CL "3\r\n" E,
		    "1.0 200 [OK] length=3 last" },
		{ "9.3", "HTTP/1.0 200 OK\r\n" CL "3\r\n" C "keep-alive\r\n" E,
		    "1.0 200 [OK] length=3 Connection=[keep-alive]hop" },
		{ "6.3", "HTTP/1.0 200 OK\r\n" C "keep-alive\r\n" E,
		    "1.0 200 [OK] close last Connection=[keep-alive]hop" },
		{ "9110 7.8",
		    "HTTP/1.1 101 x\r\n" C "Upgrade\r\n"
		    "Upgrade: websocket\r\n" E,
		    "1.1 101 [x] none websocket Connection=[Upgrade]hop "
		    "Upgrade=[websocket]hop" },
		{ "9110 7.8", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n" E,
		    "1.1 101 [x] none Upgrade=[websocket]hop" },
		{ "5.1", S "X \t: v\r\n" CL " 1\r\n" E,
		    "1.1 200 [OK] length=1 X=[v]" },
		{ "5.1", S "Content-Length : 1\r\n" E,
		    "1.1 200 [OK] length=1" },
		{ "5.1", S "X Y: v\r\n", "502 invalid field name" },
		{ "5.1", S "X ", "more" },
		{ "5.2", S "X: v\r\n w\r\n" E, "502 folded line" },
		{ "2.2", "HTTP/1.1 200 OK\nX: y\n\n", "502 bare LF" },
		{ "-", S CL "0\r\nHost: a\r\nHost: a\r\n" E,
		    "1.1 200 [OK] length=0" },
	};
	static const struct test head[] = {
		{ "6.3", S CL "3\r\n" E, "1.1 200 [OK] none=3" },
		{ "6.3", S E, "1.1 200 [OK] none" },
		{ "6.3", S TE "chunked\r\n" E,
		    "1.1 200 [OK] none Transfer-Encoding=[chunked]hop" },
	};

	(void)state;
	CHECK(RESPONSE, t);
	check(VYX_HTTP1_RESPONSE, 1, head, VYX_COUNT(head));
}

static void
test_trailer(void **state)
{
	static const struct test t[] = {
		{ "7.1.2", E, "trailer" },
		{ "7.1.2", "X: v\r\nY:w\r\n" E, "trailer X=[v] Y=[w]" },
		/* 9110 6.5.1: framing, routing, authentication, controls */
		{ "9110 6.5.1", H CL "1\r\n" CL "2\r\n" TE "gzip\r\n" E,
		    "trailer Host=[a]drop Content-Length=[1]drop "
		    "Content-Length=[2]drop Transfer-Encoding=[gzip]hopdrop" },
		{ "9110 6.5.1", "Authorization: x\r\nAge: 1\r\n" E,
		    "trailer Authorization=[x]drop Age=[1]" },
		{ "5.2", "X: v\r\n w\r\n" E, "400 folded line" },
		{ "5", "X\r\n", "400 invalid field name" },
		{ "2.2", "X: v\n", "400 bare LF" },
		{ "2.2", "\n", "400 invalid field name" },
	};

	(void)state;
	CHECK(TRAILER, t);
}

/* The content that `text` decodes to, in steps of `step`; "!why" if bad. */
static void
decode(const char *text, size_t n, size_t step, char *out, size_t *used)
{
	struct vyx_chunk c;
	enum vyx_chunk_got got = VYX_CHUNK_MORE;
	size_t len = 0;

	vyx_chunk_start(&c);
	*used = 0;
	while (*used < n && (got == VYX_CHUNK_MORE || got == VYX_CHUNK_DATA)) {
		size_t m = n - *used < step ? n - *used : step;
		struct vyx_str in = { text + *used, m }, data;

		while ((got = vyx_chunk_next(&c, &in, &data)) ==
		    VYX_CHUNK_DATA) {
			assert_true(data.n > 0);
			memcpy(out + len, data.p, data.n);
			len += data.n;
		}
		*used += m - in.n;
	}
	out[len] = '\0';
	if (got == VYX_CHUNK_BAD)
		sprintf(out, "!%s", c.why);
	else if (got != VYX_CHUNK_LAST)
		strcat(out, "...");
}

static void
test_chunks(void **state)
{
	static const struct test t[] = {
		{ "7.1", "5\r\nhello\r\n0\r\n", "hello" },
		{ "7.1", "0\r\n", "" },
		{ "7.1", "5\r\nhello\r\n1\r\n!\r\n000\r\n", "hello!" },
		{ "7.1", "00a\r\n0123456789\r\n0\r\n", "0123456789" },
		{ "7.1", "A\r\n0123456789\r\n0\r\n", "0123456789" },
		{ "7.1", "5\r\nhel", "hel..." },
		{ "7.1", "5\r\nhello\r\n0\r", "hello..." },
		{ "7.1.1", "1;a\r\nx\r\n0;b=c;d=\"e;\t\xff\"\r\n", "x" },
		{ "7.1.1", "1 \t ; a\r\nx\r\n0\r\n", "x" },
		{ "7.1", "1 \r\nx", "!invalid chunk size" },
		{ "7.1", " 1\r\nx", "!invalid chunk size" },
		{ "7.1", "1 1\r\nx", "!invalid chunk size" },
		{ "7.1", "\r\n", "!invalid chunk size" },
		{ "7.1", ";a\r\n", "!invalid chunk size" },
		{ "7.1", "0x1\r\n", "!invalid chunk size" },
		{ "7.1", "+1\r\n", "!invalid chunk size" },
		{ "7.1", "1_0\r\n", "!invalid chunk size" },
		{ "7.1", "g\r\n", "!invalid chunk size" },
		{ "7.1", "-1\r\n", "!invalid chunk size" },
		/* bare LF in each of the five places, bare CR likewise */
		{ "2.2", "1\nx\r\n0\r\n", "!invalid chunk size" },
		{ "2.2", "1;a\nx\r\n0\r\n", "!invalid chunk extension" },
		{ "2.2", "1\r\nx\n0\r\n", "!chunk longer than its size" },
		{ "2.2", "1\r\nx\r\n0\n\r\n", "!invalid chunk size" },
		{ "2.2", "1\r\nx\r\n0;\n\r\n", "!invalid chunk extension" },
		{ "2.2", "1\rx", "!bare CR in chunk size" },
		{ "2.2", "1;\rx", "!bare CR in chunk size" },
		{ "2.2", "1\r\nx\rx", "!bare CR in chunk" },
		{ "7.1.1", "1;\x01\r\n", "!invalid chunk extension" },
		{ "7.1.1", "1;\x7f\r\n", "!invalid chunk extension" },
		{ "7.1", "1\r\nxy\r\n", "!chunk longer than its size" },
		{ "7.1", "fffffffffffffff\r\nx", "x..." },
		{ "7.1", "1000000000000000\r\nx", "!chunk size too large" },
		{ "7.1", "ffffffffffffffff\r\nx", "!chunk size too large" },
		{ "7.1", "10000000000000001\r\nx", "!chunk size too large" },
		{ "7.1", "0000000000000001\r\nx\r\n0\r\n", "x" },
		{ "7.1", "00000000000000001\r\nx", "!chunk size too large" },
	};
	char out[256];
	size_t used;

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(t); i++)
		for (size_t step = 1; step < 40; step++) {
			decode(t[i].text, strlen(t[i].text), step, out, &used);
			if (strcmp(out, t[i].want) != 0)
				fail_msg("%s: <<%s>> in %zus: %s", t[i].section,
				    t[i].text, step, out);
		}
	/* the trailer section is left, and whatever comes after it */
	decode("0\r\n\r\nGET", 8, 8, out, &used);
	assert_int_equal(used, 3);
}

/* Extensions count over the whole message: one byte too many, no less. */
static void
test_chunk_extensions(void **state)
{
	static const char chunk[] = "1;e\r\nx\r\n", end[] = "0;e\r\n";
	char text[8 * VYX_CHUNK_EXT + 8], out[VYX_CHUNK_EXT + 1];
	size_t used, n = 0;

	(void)state;
	for (int i = 0; i < VYX_CHUNK_EXT; i += 2, n += sizeof(chunk) - 1)
		memcpy(text + n, chunk, sizeof(chunk) - 1);
	memcpy(text + n, "0\r\n", 3);
	decode(text, n + 3, 4096, out, &used);
	assert_int_equal(strlen(out), VYX_CHUNK_EXT / 2);
	memcpy(text + n, end, sizeof(end) - 1);
	decode(text, n + sizeof(end) - 1, 4096, out, &used);
	assert_string_equal(out, "!chunk extensions too long");
	/* and so do blanks before them */
	memset(text, ' ', sizeof(text));
	text[0] = '1';
	memcpy(text + VYX_CHUNK_EXT, ";\r\nx", 4);
	decode(text, VYX_CHUNK_EXT + 4, 4096, out, &used);
	assert_string_equal(out, "x...");
	text[VYX_CHUNK_EXT] = text[1 + VYX_CHUNK_EXT] = ' ';
	decode(text, VYX_CHUNK_EXT + 2, 4096, out, &used);
	assert_string_equal(out, "!chunk extensions too long");
}

static void
test_chunk_head(void **state)
{
	static const struct {
		uint64_t n;
		const char *want;
	} t[] = { { 1, "1\r\n" }, { 255, "ff\r\n" },
		{ UINT64_MAX, "ffffffffffffffff\r\n" } };
	char out[VYX_CHUNK_HEAD];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(t); i++) {
		assert_int_equal(vyx_chunk_head(out, t[i].n),
		    strlen(t[i].want));
		assert_memory_equal(out, t[i].want, strlen(t[i].want));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_expect),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_trailer),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_chunk_extensions),
		cmocka_unit_test(test_chunk_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
