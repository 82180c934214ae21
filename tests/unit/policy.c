/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "state/policy.h"

/* A route's row, by the promises of lib/state/policy.h. Not tested: what the
 * router does with it (route_policy.bats). */

static void
put(struct vyx_rec *r, enum vyx_field id, struct vyx_str v)
{
	r->f[r->n].id = id;
	r->f[r->n].v = v;
	if (!r->at[id])
		r->at[id] = (unsigned char)(r->n + 1);
	r->n++;
}

static void
test_all(void **state)
{
	struct vyx_rec r = { 0 };
	const char *why = NULL;
	struct vyx_policy *p;

	(void)state;
	put(&r, VYX_F_KEY, VYX_STR("GET:/a"));
	put(&r, VYX_F_ROLE, VYX_STR("user"));
	put(&r, VYX_F_VALIDATE, VYX_STR("greet"));
	put(&r, VYX_F_ROLE, VYX_STR("admin"));
	put(&r, VYX_F_LIMITS,
	    VYX_STR("payload=0 timeout-ms=1500 per-ip=off per-token=0"));
	put(&r, VYX_F_HEADERS,
	    VYX_STR("q- cookie\nq+ X-Env: prod: 1\na- server\na+ A: b"));
	p = vyx_policy_new(&r, &why);
	assert_non_null(p);
	assert_true(vyx_str_eq(p->key, VYX_STR("GET:/a")));
	assert_true(vyx_str_eq(p->validate, VYX_STR("greet")));
	assert_int_equal(p->n_roles, 2);
	assert_true(vyx_str_eq(p->role[0], VYX_STR("user")));
	assert_true(vyx_str_eq(p->role[1], VYX_STR("admin")));
	assert_int_equal(p->payload_max, 0);
	assert_int_equal(p->timeout, 1500000000);
	assert_int_equal(p->per_ip, VYX_POLICY_OFF);
	assert_int_equal(p->per_token, 0);
	assert_false(p->none);
	assert_int_equal(p->request.n_drop, 2);
	assert_true(vyx_str_eq(p->request.drop[0], VYX_STR("cookie")));
	assert_true(vyx_str_eq(p->request.drop[1], VYX_STR("X-Env")));
	assert_true(vyx_str_eq(p->request.lines,
	    VYX_STR("X-Env: prod: 1\r\n")));
	assert_int_equal(p->answer.n_drop, 2);
	assert_true(vyx_str_eq(p->answer.lines, VYX_STR("A: b\r\n")));
	vyx_policy_left(p);
}

static void
test_defaults(void **state)
{
	struct vyx_rec r = { 0 };
	const char *why = NULL;
	struct vyx_policy *p = vyx_policy_new(&r, &why);

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->payload_max, VYX_POLICY_SAME);
	assert_int_equal(p->timeout, VYX_POLICY_SAME);
	assert_int_equal(p->per_ip, VYX_POLICY_SAME);
	assert_int_equal(p->per_token, VYX_POLICY_SAME);
	assert_int_equal(p->n_roles + p->request.n_drop + p->answer.n_drop, 0);
	assert_false(p->none);
	vyx_policy_left(p);
}

static void
test_refused(void **state)
{
	const struct {
		enum vyx_field id;
		struct vyx_str v;
	} bad[] = {
		{ VYX_F_POLICY, VYX_STR("gateway") },
		{ VYX_F_POLICY, VYX_STR("None") },
		{ VYX_F_LIMITS, VYX_STR("payload") },
		{ VYX_F_LIMITS, VYX_STR("payload=") },
		{ VYX_F_LIMITS, VYX_STR("payload=off") },
		{ VYX_F_LIMITS, VYX_STR("per-ip=-1") },
		{ VYX_F_LIMITS, VYX_STR("per-ip=1  per-token=1") },
		{ VYX_F_LIMITS, VYX_STR("per-ip=4294967296") },
		{ VYX_F_LIMITS, VYX_STR("what=1") },
		{ VYX_F_HEADERS, VYX_STR("q- ") },
		{ VYX_F_HEADERS, VYX_STR("q* a") },
		{ VYX_F_HEADERS, VYX_STR("x- a") },
		{ VYX_F_HEADERS, VYX_STR("q-a b") },
		{ VYX_F_HEADERS, VYX_STR("q+ a") },
		{ VYX_F_HEADERS, VYX_STR("q+ a b: c") },
		{ VYX_F_HEADERS, VYX_STR("q+ a: b\rc") },
		{ VYX_F_HEADERS, VYX_STR("q- a\n\nq- b") },
		{ VYX_F_HEADERS, VYX_STR("\0- name") },
		{ VYX_F_HEADERS, VYX_STR("q\0 name") },
	};

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(bad); i++) {
		struct vyx_rec r = { 0 };
		const char *why = NULL;

		put(&r, bad[i].id, bad[i].v);
		if (vyx_policy_new(&r, &why))
			fail_msg("%s", bad[i].v.p);
		assert_non_null(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
