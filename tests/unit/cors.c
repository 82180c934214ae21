/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "state/cors.h"

/*
 * The lines of lib/state/cors.h, whole, and no room for them: Fetch, "CORS
 * protocol" and "CORS protocol and HTTP caches".
 */

static struct vyx_cors c;
static char out[VYX_CORS_LINES];

static int
setup(void **state)
{
	(void)state;
	c = (struct vyx_cors){
		.origins = VYX_STR("https://a.example https://b.example:8443"),
		.methods = VYX_STR("GET PUT"),
		.headers = VYX_STR("X-A Content-Type"),
		.max_age_s = 600
	};
	return 0;
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
#define answer(want, origin) \
	is(want, vyx_cors_answer(&c, VYX_STR(origin), out, cap))
#define preflight(want, origin, asked) \
	is(want,                       \
	    vyx_cors_preflight(&c, VYX_STR(origin), VYX_STR(asked), out, cap))

#define VARY "Vary: Origin\r\n"
#define ALLOW "Access-Control-Allow-"

static void
test_answer(void **state)
{
	(void)state;
	answer(VARY ALLOW "Origin: https://a.example\r\n", "https://a.example");
	answer(VARY ALLOW "Origin: https://b.example:8443\r\n",
	    "https://b.example:8443");
	/* a scheme and a host have no case; a browser compares what it sent */
	answer(VARY ALLOW "Origin: HTTPS://A.example\r\n", "HTTPS://A.example");
	c.credentials = 1;
	c.expose = VYX_STR("X-B X-C");
	answer(VARY ALLOW "Origin: https://a.example\r\n" ALLOW
	                  "Credentials: true\r\n"
	                  "Access-Control-Expose-Headers: X-B, X-C\r\n",
	    "https://a.example");
}

static void
test_others(void **state)
{
	(void)state;
	c.credentials = 1;
	c.expose = VYX_STR("X-B");
	/* told nothing but that it depends */
	answer(VARY, "");
	answer(VARY, "null");
	answer(VARY, "https://b.example");
	answer(VARY, "https://b.example:84430");
	answer(VARY, "https://a.example.evil");
	answer(VARY, "https://a.exampl");
	answer(VARY, "http://a.example");
	answer(VARY, "https://a.example https://b.example:8443");
	answer(VARY, "*");
	c.origins = VYX_STR("https://a.example  https://b.example");
	answer(VARY, "");
	c.origins = VYX_STR("null");
	answer(VARY ALLOW "Origin: null\r\n" ALLOW "Credentials: true\r\n"
	                  "Access-Control-Expose-Headers: X-B\r\n",
	    "null");
	c.origins = VYX_STR("");
	assert_int_equal(vyx_cors_answer(&c, VYX_STR("https://a.example"), out,
	                     sizeof out),
	    0);
	assert_int_equal(vyx_cors_answer(&c, VYX_STR(""), out, sizeof out), 0);
}

static void
test_any(void **state)
{
	(void)state;
	c.origins = VYX_STR("*");
	answer(ALLOW "Origin: *\r\n", "https://x");
	/* a cache may give this one to a page that has an origin */
	answer(ALLOW "Origin: *\r\n", "");
}

#define ASKED                                   \
	"Vary: Access-Control-Request-Method, " \
	"Access-Control-Request-Headers\r\n"
#define METHODS ASKED ALLOW "Methods: GET, PUT\r\n"
#define AGE "Access-Control-Max-Age: 600\r\n"

static void
test_preflight(void **state)
{
	(void)state;
	preflight(METHODS ALLOW "Headers: X-A, Content-Type\r\n" AGE,
	    "https://a.example", "x-other");
	preflight(ASKED, "https://evil.example", "x-a");
	preflight(ASKED, "", "x-a");
	c.max_age_s = 0;
	c.methods = VYX_STR("GET");
	c.headers = VYX_STR("X-A");
	preflight(ASKED ALLOW "Methods: GET\r\n" ALLOW
	                      "Headers: X-A\r\nAccess-Control-Max-Age: 0\r\n",
	    "https://a.example", "");
}

/* `*` among the headers: what is asked for, if it is names. */
static void
test_asked(void **state)
{
	(void)state;
	c.headers = VYX_STR("*");
	preflight(METHODS ALLOW "Headers: authorization\r\n" AGE,
	    "https://a.example", "authorization");
	preflight(METHODS ALLOW "Headers: a,b , c\r\n" AGE, "https://a.example",
	    "a,b , c");
	preflight(METHODS AGE, "https://a.example", "");
	preflight(METHODS AGE, "https://a.example", "a b");
	preflight(METHODS AGE, "https://a.example", "a, b\"c");
	preflight(METHODS AGE, "https://a.example", "a,,b");
	preflight(METHODS AGE, "https://a.example", "a\r\nX: y");
	preflight(ASKED, "https://evil.example", "a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_answer, setup),
		cmocka_unit_test_setup(test_others, setup),
		cmocka_unit_test_setup(test_any, setup),
		cmocka_unit_test_setup(test_preflight, setup),
		cmocka_unit_test_setup(test_asked, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
