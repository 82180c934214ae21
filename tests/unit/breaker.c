/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/units.h"
#include "state/breaker.h"

/*
 * The breaker against contracts/vyx.md 1 and 8, by hand and at random against
 * a plain model that counts the requests under way instead of keeping count.
 * Not tested: which answers are failures, which is the caller's affair.
 *
 * VYX_SEEDS=n runs n seeds (default 200), VYX_SEED=n that one alone.
 */

#define S VYX_NS_S
#define T0 UINT64_C(5000000000000)

static struct vyx_breaker b;
static struct vyx_breaker_conf c;
static struct vyx_breaker_permit p[64];
static uint64_t now;

static int
setup(void **state)
{
	(void)state;
	b = (struct vyx_breaker){ 0 };
	c = vyx_breaker_conf(3, 30 * S, 2);
	memset(p, 0, sizeof p);
	now = T0;
	return 0;
}

/* 0: let in; else the seconds it says. */
static uint32_t
enter(unsigned i)
{
	uint32_t retry_s = 0;
	uint32_t shut = vyx_breaker_shut(&b, &c, now);

	if (vyx_breaker_enter(&b, &c, now, p + i, &retry_s)) {
		assert_int_equal(retry_s, 0);
		assert_int_equal(shut, 0);
		return 0;
	}
	assert_int_equal(shut, retry_s);
	assert_false(p[i].held);
	assert_true(retry_s > 0);
	return retry_s;
}

static int
leave(unsigned i, enum vyx_breaker_end end)
{
	return vyx_breaker_leave(&b, &c, now, p + i, end);
}

static int
once(enum vyx_breaker_end end)
{
	assert_int_equal(enter(63), 0);
	return leave(63, end);
}

static void
is(const char *word)
{
	assert_string_equal(vyx_breaker_word(&b), word);
}

static void
test_defaults(void **state)
{
	(void)state;
	c = vyx_breaker_conf(0, 0, 0);
	assert_int_equal(c.failures, 5);
	assert_int_equal(c.cooldown, 30 * S);
	assert_int_equal(c.half_open_max, 1);
	c = vyx_breaker_conf(-1, -1, -1);
	assert_int_equal(c.failures, 5);
	assert_int_equal(c.cooldown, 30 * S);
	assert_int_equal(c.half_open_max, 1);
	c = vyx_breaker_conf(1, 1, INT64_MAX);
	assert_int_equal(c.failures, 1);
	assert_int_equal(c.cooldown, 1);
	assert_int_equal(c.half_open_max, UINT32_MAX);
}

static void
test_opens(void **state)
{
	(void)state;
	/* in a row: a good one in between starts anew, a neutral one does not
	 */
	assert_false(once(VYX_BREAKER_BAD));
	assert_false(once(VYX_BREAKER_BAD));
	assert_false(once(VYX_BREAKER_GOOD));
	assert_false(once(VYX_BREAKER_BAD));
	assert_false(once(VYX_BREAKER_BAD));
	assert_false(once(VYX_BREAKER_NEUTRAL));
	is("closed");
	assert_true(once(VYX_BREAKER_BAD));
	is("open");
	assert_int_equal(enter(0), 30);
	now += 1;
	assert_int_equal(enter(0), 30);
	now = T0 + S;
	assert_int_equal(enter(0), 29);
	now = T0 + 30 * S - 1;
	assert_int_equal(enter(0), 1);
	now = T0 - 5 * S; /* should not happen, must not do harm */
	assert_int_equal(enter(0), 30);
	is("open");
	now = T0 + 30 * S;
	assert_int_equal(enter(0), 0);
	is("half-open");
}

static void
open_it(void)
{
	for (unsigned i = 0; i < c.failures; i++)
		once(VYX_BREAKER_BAD);
	is("open");
}

static void
test_closes(void **state)
{
	(void)state;
	open_it();
	now += 30 * S;
	assert_int_equal(enter(0), 0);
	assert_int_equal(enter(1), 0);
	assert_int_equal(enter(2), 1); /* two at a time */
	assert_false(leave(0, VYX_BREAKER_GOOD));
	is("half-open");
	assert_int_equal(enter(3), 0);
	assert_true(leave(1, VYX_BREAKER_GOOD));
	is("closed");
	/* the third was a trial of what is over */
	assert_false(leave(3, VYX_BREAKER_BAD));
	assert_false(once(VYX_BREAKER_BAD));
	assert_false(once(VYX_BREAKER_BAD));
	is("closed");
	assert_true(once(VYX_BREAKER_BAD));
}

static void
test_opens_again(void **state)
{
	(void)state;
	open_it();
	/* each failed trial, and each time a whole cooldown */
	for (unsigned i = 0; i < 5; i++) {
		now += 30 * S;
		assert_false(once(VYX_BREAKER_GOOD));
		now += 7 * S;
		assert_true(once(VYX_BREAKER_BAD));
		is("open");
		assert_int_equal(enter(0), 30);
		now += 30 * S - 1;
		assert_int_equal(enter(0), 1);
	}
}

/* Clients that go, 401s, …: the slot is free again whatever happens. */
static void
test_no_leak(void **state)
{
	(void)state;
	open_it();
	now += 30 * S;
	for (unsigned i = 0; i < 1000; i++)
		assert_false(once(VYX_BREAKER_NEUTRAL));
	is("half-open");
	/* left twice: once */
	assert_int_equal(enter(0), 0);
	assert_int_equal(enter(1), 0);
	leave(0, VYX_BREAKER_NEUTRAL);
	leave(0, VYX_BREAKER_NEUTRAL);
	leave(0, VYX_BREAKER_BAD);
	is("half-open");
	assert_int_equal(enter(2), 0);
	assert_int_equal(enter(3), 1);
	/* one that was never let in */
	assert_false(leave(3, VYX_BREAKER_BAD));
	assert_false(leave(40, VYX_BREAKER_BAD));
	is("half-open");
}

static void
test_generations(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(enter(i), 0);
	open_it();
	/* what began before it opened says nothing about now */
	assert_false(leave(0, VYX_BREAKER_GOOD));
	assert_false(leave(1, VYX_BREAKER_BAD));
	is("open");
	assert_int_equal(enter(20), 30);
	now += 30 * S;
	assert_int_equal(enter(20), 0);
	for (unsigned i = 2; i < 5; i++)
		assert_false(leave(i, VYX_BREAKER_GOOD));
	assert_false(leave(5, VYX_BREAKER_BAD));
	is("half-open");
	assert_int_equal(enter(21), 0);
	assert_true(leave(20, VYX_BREAKER_BAD));
	now += 30 * S;
	/* a trial of an earlier time neither counts nor frees a slot */
	assert_int_equal(enter(22), 0);
	assert_int_equal(enter(23), 0);
	assert_false(leave(21, VYX_BREAKER_BAD));
	is("half-open");
	assert_int_equal(enter(24), 1);
}

static void
test_new_configuration(void **state)
{
	struct vyx_breaker next;

	(void)state;
	once(VYX_BREAKER_BAD);
	once(VYX_BREAKER_BAD);
	c = vyx_breaker_conf(1, 10 * S, 1);
	is("closed");
	assert_true(once(VYX_BREAKER_BAD));
	assert_int_equal(enter(0), 10);
	c.cooldown = 40 * S;
	assert_int_equal(enter(0), 40);
	/* another place for it: state, time and counts go along … */
	vyx_breaker_adopt(&next, &b);
	b = next;
	assert_int_equal(enter(0), 40);
	now += 40 * S;
	assert_int_equal(enter(0), 0);
	assert_int_equal(enter(1), 1);
	/* … its trial does not, and is no slot lost */
	vyx_breaker_adopt(&next, &b);
	b = next;
	assert_false(leave(0, VYX_BREAKER_BAD));
	assert_int_equal(enter(1), 0);
	assert_int_equal(enter(2), 1);
	assert_true(leave(1, VYX_BREAKER_GOOD));
	is("closed");
}

/* The model: who is under way, and in which phase each began. */
static struct {
	int state; /* 0 closed, 1 open, 2 half-open */
	unsigned phase, bad, good;
	uint64_t opened;
	struct {
		int on, trial;
		unsigned phase;
	} r[64];
} m;

static unsigned
trials(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 64; i++)
		n += m.r[i].on && m.r[i].trial && m.r[i].phase == m.phase;
	return n;
}

static void
turn(int state)
{
	m.state = state;
	m.phase++;
	m.bad = m.good = 0;
	if (state == 1)
		m.opened = now;
}

/* Seconds to wait, 0: in. */
static uint32_t
model_enter(unsigned i)
{
	uint64_t end = m.opened + c.cooldown;

	if (m.state == 1 && now < end)
		return (uint32_t)((end - now + S - 1) / S);
	if (m.state == 1)
		turn(2);
	if (m.state == 2 && trials() >= c.half_open_max)
		return 1;
	m.r[i].on = 1;
	m.r[i].phase = m.phase;
	m.r[i].trial = m.state == 2;
	return 0;
}

static void
model_leave(unsigned i, enum vyx_breaker_end end)
{
	int counts = m.r[i].on && m.r[i].phase == m.phase;

	m.r[i].on = 0;
	if (!counts || end == VYX_BREAKER_NEUTRAL)
		return;
	if (m.state == 0) {
		m.bad = end == VYX_BREAKER_BAD ? m.bad + 1 : 0;
		if (m.bad >= c.failures)
			turn(1);
	} else if (end == VYX_BREAKER_BAD)
		turn(1);
	else if (++m.good >= c.half_open_max)
		turn(0);
}

static uint64_t seed_, runs; /* the seed under way, 0: none */

static unsigned
dice(unsigned n)
{
	seed_ = seed_ * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(seed_ >> 33) % n;
}

static void
run(uint64_t seed)
{
	static const char *const word[] = { "closed", "open", "half-open" };
	enum vyx_breaker_end end;
	unsigned i, was;

	setup(NULL);
	memset(&m, 0, sizeof m);
	seed_ = seed;
	c = vyx_breaker_conf(1 + dice(6), (1 + dice(5)) * S, 1 + dice(4));
	for (unsigned step = 0; step < 5000; step++) {
		now += dice(4) ? dice(50000000) : dice(2000000000);
		i = dice(64);
		if (!dice(500))
			c = vyx_breaker_conf(1 + dice(6), (1 + dice(5)) * S,
			    1 + dice(4));
		end = !dice(3) ? VYX_BREAKER_NEUTRAL
		    : dice(3)  ? VYX_BREAKER_BAD
		               : VYX_BREAKER_GOOD;
		if (dice(7) == 0)
			end = VYX_BREAKER_GOOD;
		was = m.phase;
		if (m.r[i].on) {
			model_leave(i, end);
			assert_int_equal(leave(i, end), m.phase != was);
		} else {
			uint32_t want = model_enter(i);

			assert_int_equal(enter(i), want);
		}
		assert_string_equal(vyx_breaker_word(&b), word[m.state]);
	}
	/* however it was left, all come home and the worker is well */
	for (i = 0; i < 64; i++)
		leave(i, VYX_BREAKER_NEUTRAL);
	now += c.cooldown;
	for (i = 0; i < c.half_open_max; i++)
		once(VYX_BREAKER_GOOD);
	is("closed");
}

static void
test_model(void **state)
{
	const char *one = getenv("VYX_SEED"), *many = getenv("VYX_SEEDS");
	uint64_t seed = 1, n = 200;

	(void)state;
	if (one) {
		assert_true(vyx_dec_scan(VYX_STRZ(one), UINT64_MAX, &seed));
		n = 1;
	} else if (many)
		assert_true(vyx_dec_scan(VYX_STRZ(many), UINT64_MAX, &n));
	for (; n--; seed++) {
		runs = seed;
		run(seed);
	}
	runs = 0;
}

static int
tell(void **state)
{
	(void)state;
	if (runs)
		print_error("VYX_SEED=%llu\n", (unsigned long long)runs);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_defaults, setup),
		cmocka_unit_test_setup(test_opens, setup),
		cmocka_unit_test_setup(test_closes, setup),
		cmocka_unit_test_setup(test_opens_again, setup),
		cmocka_unit_test_setup(test_no_leak, setup),
		cmocka_unit_test_setup(test_generations, setup),
		cmocka_unit_test_setup(test_new_configuration, setup),
		cmocka_unit_test_teardown(test_model, tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
