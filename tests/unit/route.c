/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "state/route.h"

/*
 * The matcher against contracts/vyx.md 2 and lib/state/route.h. Not tested:
 * that paths are canonical, which is path's affair.
 */

struct def {
	const char *host, *methods, *path;
};

static char log_[4096];

static void
noted(void *arg, size_t i, size_t other, const char *why, int fatal)
{
	char *log = arg;

	sprintf(log + strlen(log), "%zu %zu %s%s\n", i, other,
	    fatal ? "fatal: " : "", why);
}

static struct vyx_routes *
build(const struct def *d, size_t n)
{
	struct vyx_route_def v[32];

	assert_true(n <= VYX_COUNT(v));
	log_[0] = '\0';
	for (size_t i = 0; i < n; i++)
		v[i] = (struct vyx_route_def){ VYX_STR("id"),
			VYX_STRZ(d[i].host), VYX_STRZ(d[i].methods),
			VYX_STRZ(d[i].path), (void *)(uintptr_t)(d + i) };
	return vyx_routes_build(v, n, noted, log_);
}

/* "METHOD[+ws] host path" as text: "2 id=7", "405 GET, HEAD", "404", "426". */
static const char *
ask(const struct vyx_routes *r, const char *line)
{
	static char out[256], in[256];
	struct vyx_route_hit hit;
	struct vyx_route_query q = { .websocket = 0 };
	char *m, *host, *path, *plus;
	size_t n;

	snprintf(in, sizeof(in), "%s", line);
	m = strtok(in, " ");
	host = strtok(NULL, " ");
	path = strtok(NULL, " ");
	if ((plus = strchr(m, '+')) != NULL) {
		q.websocket = 1;
		*plus = '\0';
	}
	q.host = strcmp(host, "-") != 0 ? VYX_STRZ(host) : VYX_STR("");
	q.path = path ? VYX_STRZ(path) : VYX_STR("");
	q.method_name = VYX_STRZ(m);
	q.method = vyx_method_scan(q.method_name);
	switch (vyx_route_match(r, &q, &hit)) {
	case VYX_ROUTE_NONE:
		return "404";
	case VYX_ROUTE_UPGRADE:
		return "426";
	case VYX_ROUTE_METHOD:
		strcpy(out, "405 ");
		n = vyx_route_allow(r, &hit, out + 4, sizeof(out) - 5);
		out[4 + n] = '\0';
		return out;
	case VYX_ROUTE_HIT:
		break;
	}
	n = (size_t)sprintf(out, "%zu%s", hit.index, hit.websocket ? "+" : "");
	for (unsigned i = 0; i < hit.nparam; i++)
		n += (size_t)sprintf(out + n, " %.*s=%.*s",
		    (int)hit.param[i].name.n, hit.param[i].name.p,
		    (int)hit.param[i].value.n, hit.param[i].value.p);
	return out;
}

/* `cases`: question, answer, … NULL. */
static void
check(const struct def *d, size_t n, const char *const *cases)
{
	struct vyx_routes *r = build(d, n);

	assert_non_null(r);
	for (; cases[0]; cases += 2) {
		const char *got = ask(r, cases[0]);

		if (strcmp(got, cases[1]) != 0)
			fail_msg("%s: %s, not %s", cases[0], got, cases[1]);
	}
	vyx_routes_free(r);
}

static void
test_segments(void **state)
{
	static const struct def d[] = { { "", "GET", "/a" },
		{ "", "GET", "b/c/" }, { "", "GET", "/" },
		{ "", "GET", "/caf\xc3\xa9/x y" },
		{ "", "GET", "/%61lpha/%2b" } };
	static const char *const cases[] = { "GET - /a", "0", "GET - /a/", "0",
		"GET - //a", "0", "GET - /b/c", "1", "GET - /b//c/", "1",
		"GET - /b", "404", "GET - /", "2", "GET -", "2", "GET - /A",
		"404", "GET - /caf%C3%A9/x%20y", "3", "GET - /alpha/+", "4",
		"GET - /a/b", "404", "GET - /aa", "404", NULL };

	(void)state;
	check(d, VYX_COUNT(d), cases);
}

static void
test_precedence(void **state)
{
	static const struct def d[] = { { "", "GET", "/u/:id" },
		{ "", "GET", "/u/me/posts" }, { "", "GET", "/x/:id" },
		{ "", "POST", "/x/lit" }, { "", "GET", "/f/*rest" },
		{ "", "GET", "/f/:one" }, { "", "GET", "/f/lit" },
		{ "", "GET", "/x/:name/y" }, { "", "GET", "/d/:a/:b/z" },
		{ "", "GET", "/d/s/:b/y" }, { "", "GET", "/d/s/t/x" } };
	static const char *const cases[] = {
		/* contracts/vyx.md 2: the two that were 404 */
		"GET - /u/me", "0 id=me", "GET - /x/lit", "2 id=lit",
		/* the route's own names count */
		"GET - /x/1/y", "7 name=1", "GET - /x/1", "2 id=1",
		"POST - /x/lit", "3", "GET - /u/me/posts", "1", "GET - /f",
		"4 rest=", "GET - /f/", "4 rest=", "GET - /f/a", "5 one=a",
		"GET - /f/a/b/", "4 rest=a/b/", "GET - /f/lit", "6",
		"GET - /f/lit/x", "4 rest=lit/x",
		/* two levels back */
		"GET - /d/s/t/z", "8 a=s b=t", "GET - /d/s/t/y", "9 b=t",
		"GET - /d/s/t/x", "10", "GET - /d/s/t/w", "404", NULL
	};

	(void)state;
	check(d, VYX_COUNT(d), cases);
}

static void
test_methods(void **state)
{
	static const struct def d[] = { { "", "get", "/g" },
		{ "", "GET,POST PUT", "/l" }, { "", "*", "/s" },
		{ "", "POST", "/s" }, { "", "", "/e" }, { "", "PURGE", "/c" },
		{ "", "HEAD", "/h" }, { "", "GET", "/h" },
		{ "", "DELETE", "/g" }, { "", "HEAD", "/v/:x" },
		{ "", "GET", "/v/lit" }, { "", "*", "/o" },
		{ "", "GET", "/o" } };
	static const char *const cases[] = { "GET - /g", "0", "HEAD - /g", "0",
		"DELETE - /g", "8", "POST - /g", "405 GET, HEAD, DELETE",
		"PUT - /l", "1", "HEAD - /l", "1", "PATCH - /l",
		"405 GET, HEAD, POST, PUT", "POST - /s", "3", "GET - /s", "2",
		"BREW - /s", "2", "BREW - /e", "4", "PURGE - /c", "5",
		"GET - /c", "405 PURGE", "purge - /c", "405 PURGE", "HEAD - /h",
		"6", "GET - /h", "7", "get - /g", "405 GET, HEAD, DELETE",
		"HEAD - /v/lit", "10", "HEAD - /v/x", "9 x=x", "HEAD - /o",
		"12", "PUT - /o", "11", NULL };

	(void)state;
	check(d, VYX_COUNT(d), cases);
}

static void
test_websocket(void **state)
{
	static const struct def d[] = { { "", "WS", "/ws" },
		{ "", "GET", "/both" }, { "", "WS", "/both" },
		{ "", "*", "/any" }, { "", "*, WS", "/tunnel/*rest" },
		{ "", "WS", "/:x" }, { "", "POST", "/p/q" } };
	static const char *const cases[] = { "GET+ - /ws", "0+", "GET - /ws",
		"426", "GET - /both", "1", "GET+ - /both", "2+", "GET - /any",
		"3", "GET+ - /any", "5+ x=any", "GET+ - /tunnel/a", "4+ rest=a",
		"POST - /tunnel/a", "4 rest=a", "GET+ - /p/q", "405 POST",
		"GET+ - /a/b", "404", NULL };

	(void)state;
	check(d, VYX_COUNT(d), cases);
}

static void
test_hosts(void **state)
{
	static const struct def d[] = { { "", "GET", "/*all" },
		{ "A.example.com", "GET", "/x" },
		{ "*.example.com", "GET", "/x" },
		{ "*.b.example.com", "GET", "/x" },
		{ "*.example.com", "GET", "/y" }, { "[::1]", "GET", "/x" },
		{ "a.example.com", "POST", "/y" } };
	static const char *const cases[] = { "GET a.example.com /x", "1",
		"GET A.EXAMPLE.COM. /x", "1", "GET z.example.com /x", "2",
		"GET q.z.example.com /x", "2", "GET z.b.example.com /x", "3",
		"GET b.example.com /x", "2", "GET example.com /x", "0 all=x",
		"GET .example.com /x", "0 all=x",
		/* the next host where one has no route, the method's too */
		"GET a.example.com /y", "4", "GET z.b.example.com /y", "4",
		"GET a.example.com /z", "0 all=z", "GET [::1] /x", "5",
		"GET - /x", "0 all=x", "POST a.example.com /x", "405 GET, HEAD",
		NULL };

	(void)state;
	check(d, VYX_COUNT(d), cases);
}

static void
test_duplicates(void **state)
{
	static const struct def d[] = { { "", "GET,POST", "/a" },
		{ "", "GET", "/a/" }, { "h", "GET", "/a" }, { "", "*", "/b" },
		{ "", "*", "/b" }, { "", "GET", "/b" }, { "", "GET", "/c/:x" },
		{ "", "GET", "/c/:y" }, { "", "GET", "/c/:z" } };
	static const char *const cases[] = { "GET - /a", "1", "POST - /a", "0",
		"GET h /a", "2", "PUT - /b", "4", "GET - /b", "5", "GET - /c/1",
		"8 z=1", NULL };

	(void)state;
	check(d, VYX_COUNT(d), cases);
	assert_string_equal(log_,
	    "1 0 takes the place of an earlier route\n"
	    "4 3 takes the place of an earlier route\n"
	    "7 6 takes the place of an earlier route\n"
	    "8 7 takes the place of an earlier route\n");
}

static void
test_refused(void **state)
{
	static const struct {
		struct def d;
		const char *why;
	} bad[] = {
		{ { "", "GET", "/a/*rest/b" }, "*name is not the last" },
		{ { "", "GET", "/:" }, "parameter without a name" },
		{ { "", "GET", "/a%2fb" }, "invalid path" },
		{ { "", "GET", "/a/../b" }, "invalid path" },
		{ { "", "GET", "/a?b" }, "invalid path" },
		{ { "", "G@T", "/" }, "invalid method" },
		{ { "", "CONNECT", "/" }, "CONNECT cannot be routed" },
		{ { "a:80", "GET", "/" }, "invalid host" },
		{ { "a b", "GET", "/" }, "invalid host" },
		{ { "*", "GET", "/" }, "invalid host" },
		{ { "*.", "GET", "/" }, "invalid host" },
		{ { ".a", "GET", "/" }, "invalid host" },
		{ { "", "GET",
		      "/:a/:a/:a/:a/:a/:a/:a/:a/:a/:a/:a/:a/:a/:a/:a/:a/:a" },
		    "too many parameters" },
	};
	char want[128];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(bad); i++) {
		assert_null(build(&bad[i].d, 1));
		assert_int_equal(errno, EINVAL);
		snprintf(want, sizeof(want), "0 0 fatal: %s\n", bad[i].why);
		assert_string_equal(log_, want);
	}
}

static void
test_bounds(void **state)
{
	static char path[2 * VYX_ROUTE_DEPTH + 4];
	static const char *const none[] = { "GET - /", "404", NULL };
	struct def d[1] = { { "", "GET", path } };
	struct vyx_routes *r;

	(void)state;
	for (size_t i = 0; i < VYX_ROUTE_DEPTH; i++)
		memcpy(path + 2 * i, "/s", 3);
	r = build(d, 1);
	assert_non_null(r);
	assert_string_equal(ask(r, "GET - /s"), "404");
	vyx_routes_free(r);
	strcat(path, "/s");
	assert_null(build(d, 1));
	assert_string_equal(log_, "0 0 fatal: too many segments\n");
	check(d, 0, none);
	assert_null(vyx_routes_build(NULL, VYX_ROUTE_MAX + 1, NULL, NULL));
	assert_int_equal(errno, E2BIG);
}

/*
 * The trie against its definition: of all patterns that match, the one that
 * is best at the first segment where two differ.
 */
static int
rank(const char *pattern, const char *path, char *order)
{
	for (;;) {
		size_t n, m;

		pattern += strspn(pattern, "/");
		path += strspn(path, "/");
		n = strcspn(pattern, "/");
		m = strcspn(path, "/");
		if (*pattern == '*')
			return *order++ = 'c', *order = '\0', 1;
		if (!n || !m)
			return *order++ = 'a', *order = '\0', !n && !m;
		if (*pattern == ':')
			*order++ = 'b';
		else if (n == m && !memcmp(pattern, path, n))
			*order++ = 'a';
		else
			return 0;
		pattern += n;
		path += m;
	}
}

static void
random_path(char *out, unsigned *seed, int pattern)
{
	static const char *const word[] = { "a", "b", "longer-segment", ":p" };
	unsigned n = (unsigned)rand_r(seed) % 5;

	*out = '\0';
	while (n--) {
		strcat(out, "/");
		strcat(out, word[(unsigned)rand_r(seed) % (pattern ? 4 : 3)]);
	}
	if (pattern && rand_r(seed) % 4 == 0)
		strcat(out, "/*r");
	if (!*out)
		strcat(out, "/");
}

static void
test_model(void **state)
{
	static char text[24][96];
	char path[96], line[128], order[16], best[16];
	unsigned seed = 7;
	size_t hits = 0;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct def d[24];
		struct vyx_routes *r;

		for (size_t i = 0; i < 24; i++) {
			random_path(text[i], &seed, 1);
			d[i] =
			    (struct def){ "", i % 3 ? "GET" : "POST", text[i] };
		}
		r = build(d, 24);
		random_path(path, &seed, 0);
		strcpy(best, "~");
		for (size_t i = 0; i < 24; i++)
			if (i % 3 && rank(text[i], path, order) &&
			    strcmp(order, best) <= 0)
				strcpy(best, order);
		snprintf(line, sizeof(line), "GET - %s", path);
		if (*ask(r, line) == '4' && ask(r, line)[1] == '0')
			assert_string_equal(best, "~");
		else {
			hits++;
			assert_true(rank(text[atoi(ask(r, line))], path,
			    order));
			assert_string_equal(order, best);
		}
		vyx_routes_free(r);
		log_[0] = '\0';
	}
	assert_true(hits > 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_websocket),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
