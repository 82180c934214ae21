/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "state/cors.h"

/*
 * Answers by the Fetch standard 3.2. Not tested here: when the gateway asks
 * (route_policy.bats), what no client may bring about (tests/fuzz/cors.c).
 */

#define GATE "https://a.example https://b.example:8443"
#define PRE_VARY                                \
	"Vary: Access-Control-Request-Method, " \
	"Access-Control-Request-Headers\r\n"

struct kase {
	const char *origins, *headers, *expose;
	int credentials;
	const char *origin, *asked;
	const char *answer, *preflight;
};

static const struct kase cases[] = {
	{ "", "X-A", "", 0, "https://a.example", "", "", PRE_VARY },
	{ GATE, "X-A X-B", "", 0, "", "x-a", "Vary: Origin\r\n", PRE_VARY },
	{ GATE, "X-A X-B", "", 1, "https://c.example", "x-a",
	    "Vary: Origin\r\n", PRE_VARY },
	/* another port, another scheme, a part: other origins */
	{ GATE, "", "", 1, "https://b.example", "", "Vary: Origin\r\n",
	    PRE_VARY },
	{ GATE, "", "", 1, "http://a.example", "", "Vary: Origin\r\n",
	    PRE_VARY },
	{ GATE, "", "", 1, "https://a.example https://b.example:8443", "",
	    "Vary: Origin\r\n", PRE_VARY },
	{ GATE, "", "", 1, "null", "", "Vary: Origin\r\n", PRE_VARY },
	{ GATE, "", "", 1, "*", "", "Vary: Origin\r\n", PRE_VARY },
	{ GATE, "X-A X-B", "X-C", 1, "https://b.example:8443", "x-z",
	    "Vary: Origin\r\n"
	    "Access-Control-Allow-Origin: https://b.example:8443\r\n"
	    "Access-Control-Allow-Credentials: true\r\n"
	    "Access-Control-Expose-Headers: X-C\r\n",
	    PRE_VARY "Access-Control-Allow-Methods: GET, PUT\r\n"
	             "Access-Control-Allow-Headers: X-A, X-B\r\n"
	             "Access-Control-Max-Age: 60\r\n" },
	{ "*", "*", "", 0, "https://x", "x-a, Authorization",
	    "Access-Control-Allow-Origin: *\r\n",
	    PRE_VARY "Access-Control-Allow-Methods: GET, PUT\r\n"
	             "Access-Control-Allow-Headers: x-a, Authorization\r\n"
	             "Access-Control-Max-Age: 60\r\n" },
	/* what is no list of names is not said again */
	{ "*", "*", "", 0, "https://x", "x-a, b c",
	    "Access-Control-Allow-Origin: *\r\n",
	    PRE_VARY "Access-Control-Allow-Methods: GET, PUT\r\n"
	             "Access-Control-Max-Age: 60\r\n" },
};

static void
test_lines(void **state)
{
	char out[VYX_CORS_LINES + 1];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(cases); i++) {
		const struct kase *k = &cases[i];
		struct vyx_cors c = { VYX_STRZ(k->origins), VYX_STR("GET PUT"),
			VYX_STRZ(k->headers), VYX_STRZ(k->expose),
			k->credentials, 60 };
		struct vyx_str origin = VYX_STRZ(k->origin);

		out[vyx_cors_answer(&c, origin, out, VYX_CORS_LINES)] = 0;
		assert_string_equal(out, k->answer);
		out[vyx_cors_preflight(&c, origin, VYX_STRZ(k->asked), out,
		    VYX_CORS_LINES)] = 0;
		assert_string_equal(out, k->preflight);
	}
}

static void
test_room(void **state)
{
	struct vyx_cors c = { VYX_STR("*"), VYX_STR("GET"), VYX_STR("X-A"),
		VYX_STR("X-B"), 0, 60 };
	char out[VYX_CORS_LINES];
	size_t n = vyx_cors_answer(&c, VYX_STR("https://x"), out, sizeof out);

	(void)state;
	assert_true(n > 0);
	assert_int_equal(vyx_cors_answer(&c, VYX_STR("https://x"), out, n), n);
	assert_int_equal(vyx_cors_answer(&c, VYX_STR("https://x"), out, n - 1),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
