/* SPDX-License-Identifier: ISC */
/* reg_keys - a snapshot tells what is no more, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sys/reg_keys.h"

static int gone[1000];

static void
tell(void *arg, enum vyx_table t, struct vyx_str key)
{
	uint64_t i;

	(void)arg;
	assert_int_equal(t, VYX_T_WORKER);
	assert_true(vyx_dec_scan(key, 999, &i));
	gone[i]++;
}

static struct vyx_str
key(int i)
{
	static char t[16];

	snprintf(t, sizeof t, "%d", i);
	return VYX_STRZ(t);
}

static void
a_sweep_tells_the_unseen_once(void **state)
{
	struct vyx_reg_keys *k = vyx_reg_keys_new();

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(vyx_reg_keys_add(k, VYX_T_WORKER, key(i)));
	assert_true(vyx_reg_keys_add(k, VYX_T_ROUTE, key(1)));
	assert_true(vyx_reg_keys_del(k, VYX_T_WORKER, key(1)));
	assert_false(vyx_reg_keys_del(k, VYX_T_WORKER, key(1)));
	vyx_reg_keys_age(k);
	for (int i = 0; i < 1000; i += 2)
		assert_true(vyx_reg_keys_add(k, VYX_T_WORKER, key(i)));
	assert_true(vyx_reg_keys_add(k, VYX_T_ROUTE, key(1)));
	vyx_reg_keys_sweep(k, tell, NULL);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(gone[i], i % 2 && i != 1);
	vyx_reg_keys_sweep(k, tell, NULL);
	assert_int_equal(gone[3], 1);
	assert_true(vyx_reg_keys_del(k, VYX_T_ROUTE, key(1)));
	vyx_reg_keys_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sweep_tells_the_unseen_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
