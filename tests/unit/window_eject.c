/* SPDX-License-Identifier: ISC */
/*
 * window_eject - which instance a request goes to while some fail, one rule a
 * test. poold is silent here; with it and at random: pool_model.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "state/window.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)

static uint64_t now;
static struct vyx_window *win;
static struct vyx_wworker *w;
static struct vyx_wconn *served;
static uint64_t number;
static struct vyx_wejection told;

static int
dial(void *arg)
{
	(void)arg;
	return 1;
}

static int
send_msg(void *arg, const struct vyx_pool_msg *m, int fd)
{
	(void)arg;
	(void)m;
	(void)fd;
	return 1;
}

static int
adopt(void *arg, struct vyx_wconn *c)
{
	(void)arg;
	(void)c;
	return 1;
}

static void
let(void *arg, struct vyx_wconn *c, int how)
{
	(void)arg;
	(void)c;
	(void)how;
}

static void
serve(void *arg, struct vyx_waiter *q, struct vyx_wconn *c)
{
	(void)arg;
	(void)q;
	served = c;
}

static void
expire(void *arg, struct vyx_waiter *q)
{
	(void)arg;
	(void)q;
}

static int
setup(void **state)
{
	static const struct vyx_window_ops ops = { dial, send_msg, adopt, let,
		serve, expire };
	struct vyx_pool_msg hello = { .verb = VYX_V_HELLO, .proto = 1 };

	(void)state;
	now = 1000 * S;
	number = 0;
	served = NULL;
	win = vyx_window_new(&ops, NULL, VYX_P_ROUTE, "route.0", 7);
	w = vyx_window_worker(win, VYX_STR("w"), 0, 3);
	vyx_window_turn(win, now);
	assert_true(vyx_window_record(win, &hello, -1, now));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	vyx_window_free(win);
	return 0;
}

/* Instance `i` is up, with `n` idle connections. */
static void
add(const char *i, int n)
{
	struct vyx_pool_msg m = { .verb = VYX_V_CONN, .w = VYX_STR("w") };

	m.i = VYX_STRZ(i);
	vyx_window_endpoint(win, w, m.i, 1, 9, now);
	while (n--) {
		m.c = ++number;
		assert_true(vyx_window_record(win, &m, (int)number, now));
	}
}

static struct vyx_wconn *
take(void)
{
	struct vyx_wconn *c = vyx_window_take(win, w, now);

	assert_non_null(c);
	return c;
}

static char
name(const struct vyx_wconn *c)
{
	return *vyx_window_inst(c).p;
}

/* How it went; 1: the instance is out or in anew. */
static int
went(struct vyx_wconn *c, int good)
{
	return vyx_window_result(win, c, good, now);
}

static int
over(struct vyx_wconn *c, int good)
{
	int anew = went(c, good);

	vyx_window_done(win, c, now);
	return anew;
}

/* The instances that the next `n` requests go to, all of them well. */
static const char *
next(int n)
{
	static char to[32];
	struct vyx_wconn *c;

	memset(to, 0, sizeof to);
	for (int k = 0; k < n; k++) {
		c = take();
		to[k] = name(c);
		over(c, 1);
	}
	return to;
}

/* `n` requests fail at `i`, while all go well elsewhere. 1: it is out. */
static int
fail_at(char i, int n)
{
	struct vyx_wconn *c;
	int out = 0;

	while (n) {
		c = take();
		if (name(c) == i)
			n--;
		out |= over(c, name(c) != i);
	}
	return out;
}

static const char *
state_of(const char *i)
{
	const struct vyx_winst *at = NULL;

	while ((at = vyx_window_insts(w, at, now, &told)) != NULL)
		if (!strcmp(told.id, i))
			return told.state;
	return "none";
}

static struct vyx_wstat
stat_of(void)
{
	struct vyx_wstat s;

	vyx_window_stat(w, &s);
	return s;
}

static void
five_in_a_row(void **state)
{
	(void)state;
	add("a", 1);
	add("b", 1);
	assert_false(fail_at('a', 4));
	assert_string_equal(next(4), "baba"); /* well: it begins anew */
	assert_false(fail_at('a', 4));
	assert_int_equal(stat_of().out, 0);
	assert_true(fail_at('a', 1));
	assert_string_equal(next(4), "bbbb");
	assert_string_equal(state_of("a"), "out");
	assert_string_equal(state_of("b"), "in");
	assert_int_equal(stat_of().out, 1);
	assert_int_equal(stat_of().ejected, 1);
}

/* A client who leaves, before and after. */
static void
no_word(void **state)
{
	(void)state;
	add("a", 2);
	add("b", 2);
	fail_at('a', 4);
	for (int k = 0; k < 4; k++)
		vyx_window_done(win, take(), now);
	assert_true(fail_at('a', 1));
}

static void
never_the_only_one(void **state)
{
	(void)state;
	add("a", 1);
	assert_false(fail_at('a', 20));
	assert_string_equal(next(2), "aa");
	assert_false(fail_at('a', 256));
	add("b", 1); /* now there is another */
	assert_true(fail_at('a', 1));
	assert_string_equal(next(2), "bb");
}

static void
half_at_most(void **state)
{
	(void)state;
	add("a", 1);
	add("b", 1);
	add("c", 1);
	assert_true(fail_at('a', 5));
	assert_false(fail_at('b', 9));
	assert_string_equal(next(4), "cbcb");
	add("d", 1);
	assert_true(fail_at('b', 5));
	assert_false(fail_at('c', 9));
	assert_int_equal(stat_of().out, 2);
}

/* One that is not up is no other, and takes no share. */
static void
down(void **state)
{
	(void)state;
	add("a", 1);
	add("b", 1);
	vyx_window_endpoint(win, w, VYX_STR("b"), 0, 0, now);
	assert_false(fail_at('a', 9));
	assert_true(fail_at('b', 5));
	assert_string_equal(next(3), "aaa");
	assert_false(fail_at('a', 9));
	/* alone with it, and it is worse off than with nobody */
	add("c", 1);
	assert_true(fail_at('a', 1));
	assert_string_equal(next(3), "ccc");
}

/* A request that comes now and has to wait; what it got at once. */
static struct vyx_wconn *
want(void)
{
	static struct vyx_waiter q;

	served = NULL;
	assert_null(vyx_window_take(win, w, now));
	q = (struct vyx_waiter){ .since = now, .deadline = UINT64_MAX };
	assert_true(vyx_window_wait(win, w, &q, now));
	vyx_window_turn(win, now);
	return served;
}

/* ... and what it has after `ns`. */
static struct vyx_wconn *
after(uint64_t ns)
{
	now += ns;
	vyx_window_turn(win, now);
	return served;
}

static void
for_want_of_others(void **state)
{
	struct vyx_wconn *b, *c;
	uint64_t start = now;

	(void)state;
	add("a", 2);
	add("b", 1);
	fail_at('a', 5);
	b = take();
	assert_int_equal(name(b), 'b');
	assert_null(want());
	assert_null(after(S - 1));
	assert_true(vyx_window_due(win) <= now + 1);
	assert_non_null(c = after(1));
	assert_int_equal(name(c), 'a');
	/* beside a probe it has no say, either way */
	assert_false(over(c, 1));
	assert_string_equal(state_of("a"), "out");
	assert_null(want());
	assert_non_null(c = after(S));
	assert_false(over(c, 0));
	assert_int_equal(vyx_window_out(c), start + 5 * S);
	over(b, 1);
	assert_string_equal(next(2), "bb");
}

/* It waits for one that is busy and well, and no longer than that is so. */
static void
spared(void **state)
{
	struct vyx_pool_msg recall = {
		.verb = VYX_V_RECALL, .w = VYX_STR("w"), .n = 1
	};
	struct vyx_wconn *b;

	(void)state;
	add("a", 1);
	add("b", 1);
	fail_at('a', 5);
	b = take();
	assert_null(want());
	add("a", 1); /* another comes, and is not used either */
	assert_null(after(MS));
	assert_int_equal(stat_of().idle, 2);
	over(b, 1);
	assert_ptr_equal(served, b);
	/* an older request elsewhere may see it otherwise */
	assert_null(want());
	recall.before = now - 100 * MS;
	assert_true(vyx_window_record(win, &recall, -1, now));
	assert_null(after(MS));
	assert_int_equal(stat_of().recalls, 1);
	assert_int_equal(stat_of().waiting, 1);
	recall.n = 0;
	recall.before = 0;
	assert_true(vyx_window_record(win, &recall, -1, now));
	add("a", 1);
	assert_null(after(MS));
	/* there is no other to wait for */
	vyx_window_endpoint(win, w, VYX_STR("b"), 0, 0, now);
	assert_non_null(after(0));
	assert_int_equal(name(served), 'a');
	over(served, 1);
	over(b, 1);
}

static void
least_loaded(void **state)
{
	struct vyx_wconn *c[2];

	(void)state;
	vyx_window_worker(win, VYX_STR("w"), 1, 3);
	add("a", 3);
	add("b", 3);
	add("c", 3);
	fail_at('a', 5);
	c[0] = take();
	c[1] = take();
	assert_int_not_equal(name(c[0]), name(c[1]));
	over(c[1], 1);
	/* the other one, though it is not its turn */
	assert_string_equal(next(3), name(c[0]) == 'b' ? "ccc" : "bbb");
	over(c[0], 1);
}

static void
one_probe(void **state)
{
	struct vyx_wconn *p, *c;

	(void)state;
	add("a", 3);
	add("b", 3);
	fail_at('a', 5);
	now += 5 * S - 1;
	assert_string_equal(next(3), "bbb");
	now += 1;
	p = take();
	assert_int_equal(name(p), 'a');
	assert_string_equal(state_of("a"), "probe");
	now += 100 * S; /* one, however long it takes */
	assert_string_equal(next(3), "bbb");
	/* another exchange is not the probe */
	c = take();
	assert_int_equal(name(c), 'b');
	over(c, 1);
	assert_true(went(p, 1));
	assert_int_equal(vyx_window_out(p), 0);
	assert_string_equal(state_of("a"), "in");
	assert_int_equal(stat_of().out, 0);
	vyx_window_done(win, p, now);
	/* the row has ended: five again, and 5 s */
	assert_false(fail_at('a', 4));
	assert_true(fail_at('a', 1));
	now += 5 * S;
	p = take();
	assert_int_equal(name(p), 'a');
	over(p, 1);
}

static void
longer_each_time(void **state)
{
	struct vyx_wconn *p;

	(void)state;
	add("a", 1);
	add("b", 1);
	fail_at('a', 5);
	for (uint64_t k = 1; k < 16; k++) {
		now += (k < 12 ? 5 * k : 60) * S - 1;
		assert_string_equal(next(2), "bb");
		now += 1;
		p = take();
		assert_int_equal(name(p), 'a');
		assert_true(over(p, 0));
		assert_int_equal(stat_of().ejected, 1 + k);
		assert_int_equal(stat_of().out, 1);
	}
}

/* However a probe ends, the next one follows. */
static void
probe_without_a_word(void **state)
{
	struct vyx_wconn *p;

	(void)state;
	add("a", 4);
	add("b", 1);
	fail_at('a', 5);
	now += 5 * S;
	for (int k = 0; k < 3; k++) {
		p = take();
		assert_int_equal(name(p), 'a');
		now += S;
		if (k == 0)
			vyx_window_abort(win, p, now);
		else if (k == 1)
			vyx_window_drop(win, p, VYX_POOL_EOF, now);
		else
			vyx_window_done(win, p, now);
		assert_string_equal(state_of("a"), "out");
		now += 4 * S - 1;
		assert_string_equal(next(2), "bb");
		now += 1;
	}
	p = take();
	assert_true(over(p, 1));
}

/* What began before an ejection and ends behind it. */
static void
of_old(void **state)
{
	struct vyx_wconn *old[8], *c;
	int n = 0, others = 0;

	(void)state;
	add("a", 8);
	add("b", 8);
	while (n < 8) {
		c = take();
		if (name(c) == 'a')
			old[n++] = c;
		else if (++others)
			over(c, 1);
	}
	for (n = 0; n < 5; n++)
		assert_int_equal(over(old[n], 0), n == 4);
	assert_false(over(old[5], 1)); /* a good one does not bring it in */
	assert_string_equal(state_of("a"), "out");
	now += 5 * S;
	do
		c = take();
	while (name(c) != 'a' && (over(c, 1), 1));
	assert_true(over(c, 1));
	assert_false(fail_at('a', 4));
	assert_false(over(old[6], 1)); /* ... nor does it end a row */
	assert_false(over(old[7], 0)); /* ... nor is it one of it */
	assert_true(fail_at('a', 1));
}

/* A waiter takes what comes, and may be the probe. */
static void
waiters(void **state)
{
	struct vyx_wconn *a, *b;

	(void)state;
	add("a", 1);
	add("b", 1);
	fail_at('a', 5);
	b = take();
	assert_null(want());
	assert_non_null(a = after(S));
	now += 5 * S;
	assert_null(want());
	over(a, 0); /* its old exchange; the waiter's is the probe */
	assert_ptr_equal(served, a);
	assert_string_equal(state_of("a"), "probe");
	assert_true(over(a, 1));
	over(b, 1);
}

static void
gone_while_out(void **state)
{
	(void)state;
	add("a", 1);
	add("b", 1);
	add("c", 1);
	fail_at('a', 5);
	vyx_window_endpoint(win, w, VYX_STR("a"), 0, 0, now);
	assert_true(vyx_window_record(win,
	    &(struct vyx_pool_msg){
	        .verb = VYX_V_VOID, .i = VYX_STR("a"), .below = UINT64_MAX },
	    -1, now));
	vyx_window_turn(win, now);
	assert_string_equal(state_of("a"), "none");
	assert_int_equal(stat_of().out, 0);
	assert_int_equal(stat_of().ejected, 1);
	assert_true(fail_at('b', 5));
}

static void
tunnel_is_well(void **state)
{
	struct vyx_pool_msg m = {
		.verb = VYX_V_WINDOW, .w = VYX_STR("w"), .up = 1, .tunnels = 4
	};
	struct vyx_wconn *p;

	(void)state;
	assert_true(vyx_window_record(win, &m, -1, now));
	add("a", 1);
	add("b", 1);
	fail_at('a', 5);
	now += 5 * S;
	p = take();
	assert_true(went(p, 1));
	assert_true(vyx_window_tunnel(win, p));
	vyx_window_drop(win, p, VYX_POOL_CLOSE, now);
	assert_string_equal(state_of("a"), "in");
}

/* What vyx status shows, and that the edge's end changes nothing. */
static void
since_and_next(void **state)
{
	struct vyx_wconn *p;

	(void)state;
	add("a", 1);
	add("b", 1);
	fail_at('a', 5);
	assert_string_equal(state_of("b"), "in");
	assert_int_equal(told.since | told.next, 0);
	now += 2 * S;
	vyx_window_down(win, now);
	assert_string_equal(next(2), "bb");
	assert_string_equal(state_of("a"), "out");
	assert_int_equal(told.since, 2 * S);
	assert_int_equal(told.next, 3 * S);
	now += 3 * S;
	assert_string_equal(state_of("a"), "out");
	assert_int_equal(told.next, 0);
	p = take();
	assert_string_equal(state_of("a"), "probe");
	now += S;
	assert_true(over(p, 0));
	assert_string_equal(state_of("a"), "out");
	assert_int_equal(told.since, 6 * S); /* of all it */
	assert_int_equal(told.next, 10 * S);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(five_in_a_row),
		TEST(no_word),
		TEST(never_the_only_one),
		TEST(half_at_most),
		TEST(down),
		TEST(for_want_of_others),
		TEST(spared),
		TEST(least_loaded),
		TEST(one_probe),
		TEST(longer_each_time),
		TEST(probe_without_a_word),
		TEST(of_old),
		TEST(waiters),
		TEST(gone_while_out),
		TEST(tunnel_is_well),
		TEST(since_and_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
