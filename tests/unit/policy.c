/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "state/policy.h"

/*
 * Rows of `route` against lib/state/policy.h: what each column means, and
 * that a row with anything wrong in it is refused. Not tested: want of memory.
 */

static struct vyx_rec row;
static const char *why;

static void
column(enum vyx_field f, struct vyx_str v)
{
	row.f[row.n++] = (struct vyx_rec_field){ f, v, 0 };
	if (!row.at[f])
		row.at[f] = (unsigned char)row.n;
}

static void
begin(void)
{
	memset(&row, 0, sizeof row);
	column(VYX_F_KEY, VYX_STR("r"));
}

/* The policy of a row with this one column more. */
static struct vyx_policy *
with(enum vyx_field f, struct vyx_str v)
{
	begin();
	column(f, v);
	return vyx_policy_new(&row, &why);
}

static void
is(struct vyx_str got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	if (got.n)
		assert_memory_equal(got.p, want, got.n);
}

static void
refused(enum vyx_field f, struct vyx_str v)
{
	why = NULL;
	assert_null(with(f, v));
	assert_non_null(why);
	assert_string_not_equal(why, "out of memory");
}

static void
test_nothing(void **state)
{
	struct vyx_policy *p;

	(void)state;
	begin();
	p = vyx_policy_new(&row, &why);
	assert_non_null(p);
	assert_int_equal(p->refs, 1);
	is(p->key, "r");
	is(p->validate, "");
	assert_int_equal(p->none, 0);
	assert_int_equal(p->n_roles, 0);
	assert_true(p->payload_max == VYX_POLICY_SAME);
	assert_true(p->timeout == VYX_POLICY_SAME);
	assert_true(p->per_ip == VYX_POLICY_SAME);
	assert_true(p->per_token == VYX_POLICY_SAME);
	assert_int_equal(p->request.n_drop + p->answer.n_drop, 0);
	assert_int_equal(p->request.lines.n + p->answer.lines.n, 0);
	assert_string_equal(vyx_breaker_word(&p->breaker), "closed");
	vyx_policy_left(p);
	vyx_policy_left(NULL);
}

/* All columns, of texts that are gone when they are looked at. */
static void
test_whole(void **state)
{
	char text[] = "s.json|none|payload=0 timeout-ms=1500 per-ip=off "
	              "per-token=60|admin|q- A\na- B|user";
	struct vyx_str all = { text, sizeof text - 1 };
	struct vyx_policy *p;

	(void)state;
	begin();
	column(VYX_F_VALIDATE, vyx_str_cut(&all, '|'));
	column(VYX_F_POLICY, vyx_str_cut(&all, '|'));
	column(VYX_F_LIMITS, vyx_str_cut(&all, '|'));
	column(VYX_F_ROLE, vyx_str_cut(&all, '|'));
	column(VYX_F_HEADERS, vyx_str_cut(&all, '|'));
	column(VYX_F_PATH, VYX_STR("/"));
	column(VYX_F_ROLE, all);
	p = vyx_policy_new(&row, &why);
	memset(text, '#', sizeof text);
	assert_non_null(p);
	is(p->validate, "s.json");
	assert_int_equal(p->none, 1);
	assert_true(p->payload_max == 0);
	assert_true(p->timeout == 1500 * UINT64_C(1000000));
	assert_true(p->per_ip == VYX_POLICY_OFF);
	assert_true(p->per_token == 60);
	assert_int_equal(p->n_roles, 2);
	is(p->role[0], "admin");
	is(p->role[1], "user");
	is(p->request.drop[0], "A");
	is(p->answer.drop[0], "B");
	/* one more reference, and it stays until both are given back */
	p->refs++;
	vyx_policy_left(p);
	is(p->key, "r");
	vyx_policy_left(p);
}

static void
test_limits(void **state)
{
	static const char *const bad[] = { "payload", "payload=", "payload=-1",
		"payload=1k", "payload=off", "payload=9223372036854775808",
		"timeout-ms=off", "timeout-ms=2147483648", "timeout-ms=1.5",
		"per-ip=", "per-ip=OFF", "per-ip=4294967296", "per-token=x",
		"per-token=off2", "Payload=1", "size=1", "=1", " payload=1",
		"payload=1  per-ip=1", "payload=1\tper-ip=1", "payload=1,",
		"payload=1 nonsense" };
	struct vyx_policy *p;

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(bad); i++)
		refused(VYX_F_LIMITS, VYX_STRZ(bad[i]));
	refused(VYX_F_LIMITS, VYX_STR("per-ip=1\0"));
	p = with(VYX_F_LIMITS,
	    VYX_STR("per-token=off per-ip=4294967295 timeout-ms=2147483647 "
	            "payload=9223372036854775807"));
	assert_non_null(p);
	assert_true(p->per_token == VYX_POLICY_OFF);
	assert_true(p->per_ip == UINT32_MAX);
	assert_true(p->timeout == INT32_MAX * UINT64_C(1000000));
	assert_true(p->payload_max == INT64_MAX);
	vyx_policy_left(p);
	p = with(VYX_F_LIMITS, VYX_STR("per-ip=0"));
	assert_non_null(p);
	assert_true(p->per_ip == 0 && p->per_token == VYX_POLICY_SAME);
	vyx_policy_left(p);
}

static void
test_headers(void **state)
{
	struct vyx_policy *p = with(VYX_F_HEADERS,
	    VYX_STR("q- Cookie\na+ Cache-Control: no-store\nq+ X-Env: a:b \t\n"
	            "a- Server\nq+ X-Empty:\na+ x_own: 1"));

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->request.n_drop, 3);
	is(p->request.drop[0], "Cookie");
	is(p->request.drop[1], "X-Env");
	is(p->request.drop[2], "X-Empty");
	is(p->request.lines, "X-Env: a:b \t\r\nX-Empty:\r\n");
	assert_int_equal(p->answer.n_drop, 3);
	is(p->answer.drop[0], "Cache-Control");
	is(p->answer.drop[1], "Server");
	is(p->answer.drop[2], "x_own");
	is(p->answer.lines, "Cache-Control: no-store\r\nx_own: 1\r\n");
	vyx_policy_left(p);
}

static void
test_headers_refused(void **state)
{
	static const char *const bad[] = { "x- A", "q* A", "q-A", "q-", "q- ",
		"q-  A", "q- A B", "q- A: b", "q- A ", "q+ A", "q+ A b",
		"q+ : b", "q+ A : b", "q+ A: b\rc", "q+ A: b\r\n", "q+ A: \177",
		"Q- A", "-q A", "q- A\n\na- B", "\nq- A", "q+ A: b\n c",
		"q- A\nrubbish",
		/* what the gateway says itself would stand twice */
		"q+ Content-Length: 3", "a+ transfer-encoding: chunked",
		"q+ Content_Length: 3", "a+ Connection: x", "q+ Host: h",
		"q+ TE: trailers", "a+ Upgrade: websocket",
		"a+ X-Request-Id: 1", "q+ X_Forwarded-For: 1",
		"q+ Forwarded: x", "q+ Expect: 100-continue",
		"q+ Max-Forwards: 1", "q+ traceparent: x" };
	static const char *const fine[] = { "q- Host", "a- Content-Length",
		"q- Connection", "a+ Date: x", "q+ Via: 1.1 x",
		"a+ X-Frame-Options: SAMEORIGIN", "q+ A: \303\244",
		"q- !#$%&'*+-.^_`|~" };

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(bad); i++)
		refused(VYX_F_HEADERS, VYX_STRZ(bad[i]));
	/* a NUL is a byte like others */
	refused(VYX_F_HEADERS, VYX_STR("\0- A"));
	refused(VYX_F_HEADERS, VYX_STR("q\0 A"));
	refused(VYX_F_HEADERS, VYX_STR("q- A\0"));
	refused(VYX_F_HEADERS, VYX_STR("q+ A: \0"));
	for (size_t i = 0; i < VYX_COUNT(fine); i++) {
		struct vyx_policy *p = with(VYX_F_HEADERS, VYX_STRZ(fine[i]));

		assert_non_null(p);
		vyx_policy_left(p);
	}
}

static void
test_bounds(void **state)
{
	char lines[(VYX_POLICY_LINES + 1) * 5];
	size_t n = VYX_POLICY_LINES * 5;
	struct vyx_policy *p;

	(void)state;
	for (size_t i = 0; i < sizeof lines; i++)
		lines[i] = "q- a\n"[i % 5];
	p = with(VYX_F_HEADERS, (struct vyx_str){ lines, n - 1 });
	assert_non_null(p);
	assert_int_equal(p->request.n_drop, VYX_POLICY_LINES);
	vyx_policy_left(p);
	/* the last may have its end or not */
	p = with(VYX_F_HEADERS, (struct vyx_str){ lines, n });
	assert_non_null(p);
	assert_int_equal(p->request.n_drop, VYX_POLICY_LINES);
	vyx_policy_left(p);
	refused(VYX_F_HEADERS, (struct vyx_str){ lines, n + 4 });
	/* as many roles as a record holds */
	begin();
	while (row.n < VYX_REC_FIELDS)
		column(VYX_F_ROLE, VYX_STR("role"));
	p = vyx_policy_new(&row, &why);
	assert_non_null(p);
	assert_int_equal(p->n_roles, VYX_REC_FIELDS - 1);
	is(p->role[p->n_roles - 1], "role");
	vyx_policy_left(p);
}

static void
test_policy(void **state)
{
	static const char *const bad[] = { "None", "all", "none ", "non" };
	struct vyx_policy *p = with(VYX_F_POLICY, VYX_STR(""));

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->none, 0);
	vyx_policy_left(p);
	for (size_t i = 0; i < VYX_COUNT(bad); i++)
		refused(VYX_F_POLICY, VYX_STRZ(bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_headers_refused),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
