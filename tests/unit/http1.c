/* SPDX-License-Identifier: ISC */
#include "http1_case.h"

/*
 * The lines of a head: RFC 9112 by section, RFC 9110 where it says so. Not
 * tested here: what the fields mean together, see http1_frame.c.
 */

static void
test_request_line(void **state)
{
	static const struct test t[] = {
		{ "3", R H E, "1.1 GET / host=a none" },
		{ "2.2", "\r\n" R H E, "1.1 GET / host=a none" },
		{ "2.2", "\r\n\r\n" R H E, "400 invalid method" },
		{ "2.2", "\n" R H E, "400 invalid method" },
		{ "2.2", "GET / HTTP/1.1\nHost: a\n\n", "400 bare LF" },
		{ "2.2", "GET / HTTP/1.1\rHost: a\r\n", "400 bare CR" },
		{ "3", "GET  / HTTP/1.1\r\n", "400 invalid target" },
		{ "3", "GET /  HTTP/1.1\r\n", "400 invalid version" },
		{ "3", "GET / HTTP/1.1 \r\n", "400 unexpected byte in line" },
		{ "3", " GET / HTTP/1.1\r\n", "400 invalid method" },
		{ "3", "GET\t/ HTTP/1.1\r\n", "400 invalid method" },
		{ "3", "GET /\r\n", "400 invalid byte in target" },
		{ "3", "G(T / HTTP/1.1\r\n", "400 invalid method" },
		{ "3", "\x16\x03\x01", "400 invalid method" },
		{ "3.1", "get / HTTP/1.1\r\n", "501 method not in capitals" },
		{ "3.1", "Connect a:1 HTTP/1.1\r\n",
		    "501 method not in capitals" },
		{ "3.1", "PURGE / HTTP/1.1\r\n" H E,
		    "1.1 PURGE / host=a none" },
		{ "3.1", "GETT / HTTP/1.1\r\n" H E, "1.1 GETT / host=a none" },
		{ "3", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" H E,
		    "501 method too long" },
		{ "9110 9.3.6", "CONNECT a:1 HTTP/1.1\r\n" H E,
		    "501 CONNECT is not served" },
		{ "2.3", "GET / HTTP/1.0\r\n\r\n",
		    "1.0 GET / host= none last" },
		{ "9110 2.5", "GET / HTTP/1.9\r\n" H E,
		    "1.1 GET / host=a none" },
		{ "9110 15.6.6", "GET / HTTP/2.0\r\n",
		    "505 version not served" },
		{ "9110 15.6.6", "PRI * HTTP/2.0\r\n", "400 invalid target" },
		{ "2.3", "GET / HTTP/0.9\r\n", "505 version not served" },
		{ "2.3", "GET / http/1.1\r\n", "400 invalid version" },
		{ "2.3", "GET / HTTP/1.10\r\n", "400 unexpected byte in line" },
		{ "2.3", "GET / HTTP/11\r\n\r\n", "400 invalid version" },
		{ "2.3", "GET / HTTP/1,1\r\n\r\n", "400 invalid version" },
		{ "3", "GET / HTT", "more" },
		{ "3", "GET / HTX\r\n", "400 invalid version" },
	};

	(void)state;
	CHECK(REQUEST, t);
}

static void
test_target(void **state)
{
	static const struct test t[] = {
		{ "3.2.1", "GET /a/b?c=d?e/f HTTP/1.1\r\n" H E,
		    "1.1 GET /a/b?c=d?e/f host=a none" },
		{ "3.2.1", "GET /a? HTTP/1.1\r\n" H E,
		    "1.1 GET /a? host=a none" },
		{ "3.2.1", "GET /?[]{}|^`\"<>\\; HTTP/1.1\r\n" H E,
		    "1.1 GET /?[]{}|^`\"<>\\; host=a none" },
		{ "3.2", "GET /#f HTTP/1.1\r\n", "400 fragment in target" },
		{ "3.2", "GET /?a#f HTTP/1.1\r\n", "400 fragment in target" },
		{ "3.2", "GET /\xc3\xa9 HTTP/1.1\r\n",
		    "400 invalid byte in target" },
		{ "3.2", "GET /?\xc3\xa9 HTTP/1.1\r\n",
		    "400 invalid byte in target" },
		{ "3.2", "GET /a\x7f HTTP/1.1\r\n",
		    "400 invalid byte in target" },
		{ "3.2", "GET a HTTP/1.1\r\n", "400 invalid target" },
		{ "3.2", "GET ?a HTTP/1.1\r\n", "400 invalid target" },
		{ "3.2.2", "GET http://b:81/p?q HTTP/1.1\r\n" H E,
		    "1.1 GET absolute /p?q host=b:81 none" },
		{ "3.2.2", "GET HTTPS://b HTTP/1.1\r\n" H E,
		    "1.1 GET absolute  host=b none" },
		{ "3.2.2", "GET http://b?q HTTP/1.1\r\n" H E,
		    "1.1 GET absolute ?q host=b none" },
		{ "3.2.2", "GET http://[::1]:8/ HTTP/1.1\r\n" H E,
		    "1.1 GET absolute / host=[::1]:8 none" },
		{ "3.2.2", "GET http://b/ HTTP/1.1\r\n" E, "400 no Host" },
		{ "3.2.2", "GET http://b/ HTTP/1.1\r\nHost: a b\r\n" E,
		    "400 invalid Host" },
		{ "9110 4.2.1", "GET http:///p HTTP/1.1\r\n" H E,
		    "400 invalid authority" },
		{ "9110 4.2.1", "GET http://:80/p HTTP/1.1\r\n" H E,
		    "400 invalid authority" },
		{ "9110 4.2.4", "GET http://u@b/ HTTP/1.1\r\n",
		    "400 invalid authority" },
		{ "9110 4.2.4", "GET http://u:p@b/ HTTP/1.1\r\n",
		    "400 invalid authority" },
		{ "3.2.2", "GET ftp://b/ HTTP/1.1\r\n", "400 invalid target" },
		{ "3.2.2", "GET http:/b/ HTTP/1.1\r\n", "400 invalid target" },
		{ "3.2.2", "GET http:!\r\n", "400 invalid target" },
		{ "3.2.2", "GET http:/", "more" },
		{ "3.2.4", "OPTIONS * HTTP/1.1\r\n" H E,
		    "1.1 OPTIONS asterisk  host=a none" },
		{ "3.2.4", "OPTIONS http://b HTTP/1.1\r\n" H E,
		    "1.1 OPTIONS asterisk  host=b none" },
		{ "3.2.4", "OPTIONS http://b/ HTTP/1.1\r\n" H E,
		    "1.1 OPTIONS absolute / host=b none" },
		{ "3.2.4", "GET * HTTP/1.1\r\n", "400 invalid target" },
		{ "3.2.4", "OPTIONS *a HTTP/1.1\r\n", "400 invalid target" },
	};

	(void)state;
	CHECK(REQUEST, t);
}

static void
test_host(void **state)
{
	static const struct test t[] = {
		{ "3.2", R E, "400 no Host" },
		{ "3.2", R H H E, "400 repeated Host" },
		{ "3.2", R H "hOST: b\r\n" E, "400 repeated Host" },
		{ "3.2", R "Host:\r\n" E, "1.1 GET / host= none" },
		{ "3.2", R "Host:a.b-c_d~e\r\n" E,
		    "1.1 GET / host=a.b-c_d~e none" },
		{ "3.2", R "Host: a:8080\r\n" E, "1.1 GET / host=a:8080 none" },
		{ "9110 4.2.1", R "Host: a:\r\n" E, "1.1 GET / host=a none" },
		{ "3.2", R "Host: [2001:db8::1]:80\r\n" E,
		    "1.1 GET / host=[2001:db8::1]:80 none" },
		{ "3.2", R "Host: a:65536\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: a:8x\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: a:+8\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: :80\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: a, b\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: a b\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: a/b\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: u@a\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: a%41\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: [::1\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: [::1]x\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: []\r\n" E, "400 invalid Host" },
		{ "3.2", R "Host: http://a\r\n" E, "400 invalid Host" },
	};

	(void)state;
	CHECK(REQUEST, t);
}

static void
test_fields(void **state)
{
	static const struct test t[] = {
		{ "5", R H "X: \t v w \t\r\n" E,
		    "1.1 GET / host=a none X=[v w]" },
		{ "5", R H "X:\r\nY:v\r\n" E,
		    "1.1 GET / host=a none X=[] Y=[v]" },
		{ "9110 5.5", R H "X: \xff\x80\t~\r\n" E,
		    "1.1 GET / host=a none X=[\xff\x80\t~]" },
		{ "9110 5.6.2", R H "!#$%&'*+-.^_`|~09azAZ: v\r\n" E,
		    "1.1 GET / host=a none !#$%&'*+-.^_`|~09azAZ=[v]" },
		{ "5.1", R H "X : v\r\n", "400 blank in or behind field name" },
		{ "5.1", R "Host : a\r\n",
		    "400 blank in or behind field name" },
		{ "5", R H ": v\r\n", "400 empty field name" },
		{ "5", R H "X\r\n", "400 invalid field name" },
		{ "5", R H "X\r\nY: z\r\n" E, "400 invalid field name" },
		{ "5", R H "X(: v\r\n", "400 invalid field name" },
		{ "5", R H "X\xc3: v\r\n", "400 invalid field name" },
		{ "5", R "Hos\x14: v\r\n", "400 invalid field name" },
		{ "5", R "content\rlength: v\r\n", "400 invalid field name" },
		{ "5.2", R H " X: v\r\n", "400 folded line" },
		{ "5.2", R H "X: v\r\n w\r\n" E, "400 folded line" },
		{ "5.2", R H "X: v\r\n\tw\r\n" E, "400 folded line" },
		{ "2.2", R " X: v\r\n" H E, "400 folded line" },
		{ "9110 5.5", R H "X: a\rb\r\n", "400 bare CR" },
		{ "9110 5.5", R H "X: a\r\r\n", "400 bare CR" },
		{ "2.2", R H "X: a\nY: b\r\n", "400 bare LF" },
		{ "2.2", R H "\n", "400 invalid field name" },
		{ "2.2", R H "\rX\n", "400 bare CR" },
		{ "9110 5.5", R H "X: a\x01\r\n",
		    "400 unexpected byte in line" },
		{ "9110 5.5", R H "X: a\x7f\r\n",
		    "400 unexpected byte in line" },
		{ "-", R H "Content_Length: 5\r\n" E,
		    "1.1 GET / host=a none Content_Length=[5]alias" },
		{ "-", R H "X_Forwarded-For: 5\r\nx_y: z\r\n" E,
		    "1.1 GET / host=a none X_Forwarded-For=[5]alias x_y=[z]" },
	};
	static const char nul[] = R H "X: a\0b\r\n" E;
	static const struct test z = { "9110 5.5", nul, "400 NUL byte" };
	struct vyx_http1 h;

	(void)state;
	CHECK(REQUEST, t);
	check_one(&h, VYX_HTTP1_REQUEST, 0, NULL, nul, sizeof(nul) - 1, &z);
}

static void
test_limits(void **state)
{
	static const struct vyx_http1_limits lim = { 62, 8, 3 };
	static const struct test t[] = {
		{ "3", "GET /23456789 HTTP/1.1\r\n" H E,
		    "414 target too long" },
		{ "3", "GET /2345678 HTTP/1.1\r\n" H E,
		    "1.1 GET /2345678 host=a none" },
		{ "3", "GET /?3456789 HTTP/1.1\r\n", "414 target too long" },
		{ "3", "GET http://a/ HTTP/1.1\r\n", "414 target too long" },
		{ "9110 15.5.15",
		    "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaa",
		    "414 target too long" },
		{ "6585 5", R H "A:\r\nB:\r\nC:\r\n" E, "431 too many fields" },
		{ "6585 5", R H "A:\r\nB:\r\n" E,
		    "1.1 GET / host=a none A=[] B=[]" },
		{ "6585 5", R H "A:0123456789012345678901234567890\r\n" E,
		    "1.1 GET / host=a none "
		    "A=[0123456789012345678901234567890]" },
		{ "6585 5", R H "A:01234567890123456789012345678901\r\n" E,
		    "431 head too long" },
	};
	struct vyx_http1 h;
	char many[4096];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(t); i++)
		check_one(&h, VYX_HTTP1_REQUEST, 0, &lim, t[i].text,
		    strlen(t[i].text), &t[i]);
	strcpy(many, R H "Connection: ");
	for (int i = 0; i < VYX_HTTP1_OPTION_MAX; i++)
		strcat(many, "x,");
	strcat(many, "\r\n\r\n");
	vyx_http1_start(&h, VYX_HTTP1_REQUEST, NULL);
	assert_int_equal(vyx_http1_parse(&h, many, strlen(many)),
	    VYX_HTTP1_DONE);
	strcpy(strrchr(many, ',') + 1, "x\r\n\r\n");
	vyx_http1_start(&h, VYX_HTTP1_REQUEST, NULL);
	assert_int_equal(vyx_http1_parse(&h, many, strlen(many)),
	    VYX_HTTP1_BAD);
	assert_int_equal(h.status, 431);
}

/* Bytes behind the head are nobody's yet: a pipelined request (9.3.2). */
static void
test_behind(void **state)
{
	static const char two[] = R H E "POST /x HTTP/1.1\r\n";
	struct vyx_http1 h;

	(void)state;
	vyx_http1_start(&h, VYX_HTTP1_REQUEST, NULL);
	assert_int_equal(vyx_http1_parse(&h, two, sizeof(two) - 1),
	    VYX_HTTP1_DONE);
	assert_int_equal(h.len, strlen(R H E));
}

static void
test_names(void **state)
{
	char up[64], bad[64];

	(void)state;
	for (int i = 1; i < VYX_H_COUNT; i++) {
		struct vyx_str name = vyx_http1_names[i];

		/* the lookup relies on that order, and on these bytes */
		assert_true(name.n >= vyx_http1_names[i - 1].n);
		for (size_t j = 0; j < name.n; j++) {
			up[j] = name.p[j];
			assert_non_null(strchr(
			    "abcdefghijklmnopqrstuvwxyz0123456789-", up[j]));
			if (up[j] >= 'a' && up[j] <= 'z' && j % 2)
				up[j] = (char)(up[j] - 0x20);
		}
		assert_int_equal(vyx_http1_lookup(name), i);
		assert_int_equal(vyx_http1_lookup((struct vyx_str){
		                     up, name.n }),
		    i);
		for (size_t j = 0; j < name.n; j++) {
			memcpy(bad, up, name.n);
			bad[j] = (char)(bad[j] ^ 0x80);
			assert_int_equal(vyx_http1_lookup((struct vyx_str){
			                     bad, name.n }),
			    VYX_H_OTHER);
			bad[j] = (char)(up[j] == '-' ? 0x0d : up[j] & 0x1f);
			assert_int_equal(vyx_http1_lookup((struct vyx_str){
			                     bad, name.n }),
			    VYX_H_OTHER);
		}
	}
	assert_int_equal(vyx_http1_lookup(VYX_STR("")), VYX_H_OTHER);
}

/* The flag `plain` promises what vyx_path_canon() would find. */
static void
test_plain(void **state)
{
	static const struct {
		const char *path;
		int plain;
	} t[] = { { "/", 1 }, { "/a/b.c/", 1 }, { "/a//b", 0 }, { "//", 0 },
		{ "/.", 0 }, { "/a/.b", 0 }, { "/a..", 1 }, { "/%41", 0 },
		{ "/a;b", 0 }, { "/[", 0 }, { "/a:b@c!$&'()*+,=~_-", 1 } };
	struct vyx_http1 h;
	char text[128];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(t); i++) {
		vyx_http1_start(&h, VYX_HTTP1_REQUEST, NULL);
		sprintf(text, "GET %s HTTP/1.1\r\n" H E, t[i].path);
		assert_int_equal(vyx_http1_parse(&h, text, strlen(text)),
		    VYX_HTTP1_DONE);
		assert_int_equal(h.plain, t[i].plain);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_line),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_behind),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
