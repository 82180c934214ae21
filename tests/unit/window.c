/* SPDX-License-Identifier: ISC */
/*
 * window - a router's side of the pool edge, one rule a test, against a poold
 * played by hand. All of it together with the other side: pool_model.c.
 *
 * Not here: want of memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "state/window.h"

#define MS UINT64_C(1000000)

static uint64_t now;
static struct vyx_window *win;
static struct vyx_wworker *w;
static char said[65536]; /* records and descriptors, a word each */
static int blocked, away, records;
static struct vyx_wconn *last, *served;
static struct vyx_waiter *served_to, *expired;

__attribute__((format(printf, 1, 2))) static void
note(const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + n, sizeof said - n, fmt, ap);
	va_end(ap);
}

static int
dial(void *arg)
{
	(void)arg;
	note("dial ");
	return !away;
}

static void
note_need(const struct vyx_pool_msg *m)
{
	note("need=%u", m->waiting);
	for (unsigned k = 0; k < m->lacks; k++)
		note("/%.*s:%u", (int)m->lack[k].i.n, m->lack[k].i.p,
		    m->lack[k].n);
	note(" ");
}

static int
send_msg(void *arg, const struct vyx_pool_msg *m, int fd)
{
	(void)arg;
	if (blocked)
		return 0;
	records++;
	if (m->verb == VYX_V_NEED)
		note_need(m);
	else if (m->verb == VYX_V_HELD)
		note("held=%u ", m->n);
	else if (m->verb == VYX_V_SAYS)
		note("says=%u ", m->keeps);
	else if (m->verb == VYX_V_STUCK)
		note("stuck=%ju/%u ", (uintmax_t)m->c, m->byte);
	else if (m->verb == VYX_V_DROP)
		note("drop=%ju/%s ", (uintmax_t)m->c,
		    vyx_pool_why_name(m->why));
	else if (m->verb == VYX_V_HOLD)
		note("hold=%ju/%s/%d ", (uintmax_t)m->c,
		    vyx_rec_state_name(m->state), fd);
	else if (m->c)
		note("%s=%ju ", vyx_rec_verb_name(m->verb), (uintmax_t)m->c);
	else
		note("%s ", vyx_rec_verb_name(m->verb));
	return 1;
}

static int
adopt(void *arg, struct vyx_wconn *c)
{
	(void)arg;
	last = c;
	return 1;
}

static void
let(void *arg, struct vyx_wconn *c, int how)
{
	(void)arg;
	note("let=%d/%d ", c->fd, how);
}

static void
serve(void *arg, struct vyx_waiter *q, struct vyx_wconn *c)
{
	(void)arg;
	served = c;
	served_to = q;
}

static void
expire(void *arg, struct vyx_waiter *q)
{
	(void)arg;
	expired = q;
}

static void
turn(void)
{
	vyx_window_turn(win, now);
}

/* What was said since the last look, after a turn. */
static const char *
heard(void)
{
	static char was[sizeof said];

	turn();
	memcpy(was, said, sizeof said);
	said[0] = 0;
	return was;
}

static int
hear(struct vyx_pool_msg m, int fd)
{
	return vyx_window_record(win, &m, fd, now);
}

static void
window(uint32_t low, uint64_t idle_ms)
{
	assert_true(hear((struct vyx_pool_msg){ .verb = VYX_V_WINDOW,
	                     .w = VYX_STR("w"),
	                     .up = 1,
	                     .low = low,
	                     .tunnels = 1,
	                     .idle_ms = idle_ms },
	    -1));
}

/* A loan of instance `i`; its descriptor has the number's figure. */
static struct vyx_wconn *
lend(uint64_t c, const char *i, int fd)
{
	assert_true(hear((struct vyx_pool_msg){ .verb = VYX_V_CONN,
	                     .c = c,
	                     .w = VYX_STR("w"),
	                     .i = VYX_STRZ(i) },
	    fd));
	return last;
}

static int
greet(void)
{
	return hear((struct vyx_pool_msg){ .verb = VYX_V_HELLO, .proto = 1 },
	    -1);
}

static int
setup(void **state)
{
	static const struct vyx_window_ops ops = { dial, send_msg, adopt, let,
		serve, expire };

	(void)state;
	now = 1000 * MS;
	blocked = away = 0;
	served = NULL;
	served_to = expired = NULL;
	said[0] = 0;
	win = vyx_window_new(&ops, NULL, VYX_P_ROUTE, "route.0", 7);
	w = vyx_window_worker(win, VYX_STR("w"), 0, 2);
	vyx_window_endpoint(win, w, VYX_STR("a"), 1, 1, now);
	assert_string_equal(heard(), "dial hello held=0 ");
	assert_true(greet());
	records = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	vyx_window_free(win);
	return 0;
}

static struct vyx_wconn *
take(void)
{
	return vyx_window_take(win, w, now);
}

static void
wait_for(struct vyx_waiter *q, uint64_t since)
{
	*q = (struct vyx_waiter){ .since = since, .deadline = now + 50 * MS };
	assert_true(vyx_window_wait(win, w, q, now));
}

static void
lowest_first(void **state)
{
	struct vyx_wconn *c;

	(void)state;
	lend(7, "a", 7);
	lend(3, "a", 3);
	lend(5, "a", 5);
	c = take();
	assert_int_equal(c->c, 3);
	assert_int_equal(take()->c, 5);
	vyx_window_done(win, c, now);
	assert_int_equal(take()->c, 3);
	assert_int_equal(take()->c, 7);
	assert_null(take());
	assert_int_equal(errno, EAGAIN);
}

static void
in_turn(void **state)
{
	struct vyx_wconn *c;
	int a = 0, b = 0;

	(void)state;
	for (uint64_t k = 1; k <= 3; k++) {
		lend(k, "a", (int)k);
		lend(10 + k, "b", 10 + (int)k);
	}
	for (int k = 0; k < 100; k++) {
		c = take();
		a += c->c < 10;
		b += c->c > 10;
		vyx_window_done(win, c, now);
	}
	assert_int_equal(a, b);
}

static void
least_loaded(void **state)
{
	(void)state;
	vyx_window_worker(win, VYX_STR("w"), 1, 3);
	lend(1, "a", 1);
	lend(2, "a", 2);
	lend(3, "a", 3);
	lend(11, "b", 11);
	lend(12, "b", 12);
	take();
	take();
	vyx_window_done(win, take(), now); /* a or b, both have one busy */
	take();
	take();
	/* b has nothing idle any more: what is left is a's third */
	assert_int_equal(take()->c, 3);
}

/* Whose turn it is counts among equals alone. */
static void
least_busy(void **state)
{
	struct vyx_wconn *c;

	(void)state;
	vyx_window_worker(win, VYX_STR("w"), 1, 3);
	lend(1, "a", 1);
	take();
	lend(2, "a", 2);
	lend(11, "b", 11);
	for (int k = 0; k < 4; k++) {
		c = take();
		assert_int_equal(c->c, 11);
		vyx_window_done(win, c, now);
	}
}

static void
refilled(void **state)
{
	(void)state;
	window(2, 0);
	assert_string_equal(heard(), "need=0/a:2 ");
	lend(1, "a", 1);
	now += MS;
	assert_string_equal(heard(), "need=0/a:1 ");
	lend(2, "a", 2);
	now += MS;
	assert_string_equal(heard(), "need=0 ");
	take();
	now += MS;
	assert_string_equal(heard(), "need=0/a:1 ");
}

/* P7: nothing is said, and nothing is let go of, while nothing is short. */
static void
silent(void **state)
{
	struct vyx_wconn *c;

	(void)state;
	window(1, 0);
	lend(1, "a", 1);
	lend(2, "a", 2);
	now += 5 * MS;
	heard();
	records = 0;
	for (int k = 0; k < 10000; k++) {
		now += MS / 10;
		c = take();
		vyx_window_sent(win, c, now);
		vyx_window_byte(win, c);
		vyx_window_done(win, c, now);
		turn();
	}
	assert_int_equal(records, 0);
	assert_string_equal(heard(), "");
}

static void
no_place(struct vyx_waiter *q)
{
	*q = (struct vyx_waiter){ .since = now, .deadline = now };
	assert_false(vyx_window_wait(win, w, q, now));
	assert_int_equal(errno, ENOSPC);
}

static void
waits_in_order(void **state)
{
	struct vyx_waiter q[4];
	struct vyx_wconn *c;

	(void)state;
	wait_for(&q[0], now);
	wait_for(&q[1], now + 1);
	wait_for(&q[2], now - 5); /* a retry keeps its place */
	no_place(&q[3]);          /* one has room, two may wait */
	assert_string_equal(heard(), "need=3 ");
	c = lend(1, "a", 1);
	assert_ptr_equal(served_to, &q[2]);
	vyx_window_cancel(win, &q[0]);
	vyx_window_cancel(win, &q[0]);
	assert_null(take());
	vyx_window_done(win, c, now);
	assert_ptr_equal(served_to, &q[1]);
	assert_string_equal(heard(), "need=0 ");
}

/* Who only waits for a dial is no burden to the queue. */
static void
room_is_no_queue(void **state)
{
	struct vyx_waiter q[3];
	struct vyx_wconn *c;

	(void)state;
	vyx_window_worker(win, VYX_STR("w"), 0, 0);
	wait_for(&q[0], now);
	no_place(&q[1]);
	c = lend(1, "a", 1);
	assert_ptr_equal(served_to, &q[0]);
	no_place(&q[1]);
	vyx_window_endpoint(win, w, VYX_STR("a"), 1, 2, now);
	wait_for(&q[1], now);
	no_place(&q[2]);
	vyx_window_endpoint(win, w, VYX_STR("a"), 0, 0, now);
	vyx_window_cancel(win, &q[1]);
	no_place(&q[2]);
	vyx_window_drop(win, c, VYX_POOL_EOF, now);
}

static void
expires(void **state)
{
	struct vyx_waiter q;
	struct vyx_wstat s;

	(void)state;
	wait_for(&q, now);
	turn();
	assert_true(vyx_window_due(win) <= q.deadline);
	now = q.deadline - 1;
	turn();
	assert_null(expired);
	now = q.deadline;
	turn();
	assert_ptr_equal(expired, &q);
	assert_null(q.worker);
	vyx_window_stat(w, &s);
	assert_int_equal(s.timeouts, 1);
	assert_int_equal(s.waiting, 0);
}

/* The lost wake-up: a conn came, and requests still wait. */
static void
reports_again(void **state)
{
	struct vyx_waiter q[2];

	(void)state;
	wait_for(&q[0], now);
	wait_for(&q[1], now);
	assert_string_equal(heard(), "need=2 ");
	now += 2 * MS;
	lend(1, "a", 1);
	wait_for(&q[0], now); /* two as before, and the oldest the same */
	assert_string_equal(heard(), "need=2 ");
	assert_string_equal(heard(), "");
}

static void
at_most_one_a_ms(void **state)
{
	struct vyx_waiter q[3];

	(void)state;
	wait_for(&q[0], now);
	assert_string_equal(heard(), "need=1 "); /* leaves 0: at once */
	wait_for(&q[1], now);
	assert_string_equal(heard(), "");
	assert_int_equal(vyx_window_due(win), now + MS);
	wait_for(&q[2], now);
	now += MS;
	assert_string_equal(heard(), "need=3 ");
	for (int k = 0; k < 3; k++)
		vyx_window_cancel(win, &q[k]);
	assert_string_equal(heard(), "need=0 "); /* becomes 0: at once */
}

static void
recalled(void **state)
{
	struct vyx_pool_msg m = { .verb = VYX_V_RECALL, .w = VYX_STR("w") };
	struct vyx_wconn *busy;
	struct vyx_waiter q;

	(void)state;
	busy = lend(1, "a", 1);
	take();
	lend(9, "a", 9);
	lend(8, "a", 8);
	lend(7, "a", 7);
	m.n = 3;
	m.before = now;
	assert_true(hear(m, -1));
	assert_string_equal(heard(),
	    "let=7/-1 let=8/-1 let=9/-1 give=7 give=8 give=9 ");
	m.n = 1;
	assert_true(hear(m, -1));
	vyx_window_done(win, busy, now);
	assert_string_equal(heard(), "let=1/-1 give=1 ");
	/* no more were asked for */
	lend(2, "a", 2);
	assert_string_equal(heard(), "");
	take();
	/* an own waiter at most 2 ms younger goes first */
	wait_for(&q, m.before + 2 * MS);
	vyx_window_done(win, last, now);
	assert_ptr_equal(served_to, &q);
	/* a younger one does not, and poold hears whose turn it is here */
	wait_for(&q, m.before + 2 * MS + 1);
	heard();
	vyx_window_done(win, last, now);
	assert_string_equal(heard(), "let=2/-1 give=2 ");
}

static void
voided(void **state)
{
	struct vyx_wconn *busy, *high;

	(void)state;
	busy = lend(1, "a", 1);
	take();
	lend(2, "a", 2);
	high = lend(3, "a", 3);
	assert_true(hear((struct vyx_pool_msg){ .verb = VYX_V_VOID,
	                     .i = VYX_STR("a"),
	                     .below = 3 },
	    -1));
	assert_string_equal(heard(), "let=2/2 drop=2/void ");
	vyx_window_done(win, busy, now);
	assert_string_equal(heard(), "let=1/2 drop=1/void ");
	assert_ptr_equal(take(), high);
	vyx_window_done(win, high, now);
	assert_string_equal(heard(), "");
	lend(2, "a", 4); /* one that was on its way */
	assert_string_equal(heard(), "let=4/2 drop=2/void ");
}

static void
ends(void **state)
{
	struct vyx_wstat s;

	(void)state;
	lend(1, "a", 1);
	vyx_window_hangup(win, last, 0, now);
	lend(2, "a", 2);
	vyx_window_hangup(win, last, 1, now);
	lend(3, "a", 3);
	vyx_window_abort(win, take(), now);
	lend(4, "a", -1); /* without its descriptor */
	assert_string_equal(heard(),
	    "let=1/2 let=2/2 let=3/1 "
	    "drop=1/eof drop=2/bytes drop=3/abort lost=4 ");
	vyx_window_stat(w, &s);
	assert_int_equal(s.stale, 2);
	assert_int_equal(s.idle + s.busy, 0);
	assert_int_equal(vyx_window_held(win), 0);
}

static void
tunnels(void **state)
{
	struct vyx_wconn *one, *two;

	(void)state;
	window(0, 0);
	lend(1, "a", 1);
	lend(2, "a", 2);
	one = take();
	two = take();
	heard();
	assert_true(vyx_window_tunnel(win, one));
	assert_false(vyx_window_tunnel(win, two));
	assert_int_equal(errno, EDQUOT);
	assert_string_equal(heard(), "tunnel=1 ");
	vyx_window_drop(win, one, VYX_POOL_CLOSE, now);
	assert_true(vyx_window_tunnel(win, two));
	assert_string_equal(heard(), "let=1/2 drop=1/close tunnel=2 ");
	assert_true(vyx_window_move(win, two, VYX_STR("route.1"), now));
	assert_string_equal(heard(), "let=2/-1 moved=2 ");
	one = vyx_window_inherit(win, w, VYX_STR("a"), 9, 9, VYX_S_TUNNEL, now);
	assert_non_null(one);
	assert_string_equal(heard(), "hold=9/tunnel/9 ");
}

static void
idle(void **state)
{
	(void)state;
	window(1, 100);
	lend(1, "a", 1);
	lend(2, "a", 2);
	now += 5 * MS;
	heard();
	now +=
	    200 * MS; /* over low: goes at once; the last is replaced first */
	assert_string_equal(heard(), "let=1/2 drop=1/idle need=0/a:1 ");
	lend(3, "a", 3);
	now += 30 * MS;
	assert_string_equal(heard(), "let=2/2 drop=2/idle need=0 ");
	/* no replacement comes, as at max: after 1 s it goes first */
	now += 200 * MS;
	assert_string_equal(heard(), "need=0/a:1 ");
	now += 500 * MS;
	assert_string_equal(heard(), "");
	now += 600 * MS;
	assert_string_equal(heard(), "let=3/2 drop=3/idle ");
}

static void
poold_away(void **state)
{
	static const unsigned after[] = { 10, 20, 40, 80, 100, 100 };
	struct vyx_waiter q;
	struct vyx_wconn *c;

	(void)state;
	lend(1, "a", 1);
	lend(2, "a", 2);
	c = take();
	vyx_window_down(win, now);
	away = 1;
	for (unsigned k = 0; k < VYX_COUNT(after); k++) {
		now += after[k] * MS - 1;
		assert_string_equal(heard(), "");
		assert_int_equal(vyx_window_due(win), now + 1);
		now++;
		assert_string_equal(heard(), "dial ");
	}
	/* it goes on with what it has */
	vyx_window_done(win, c, now);
	assert_ptr_equal(take(), c);
	assert_non_null(take());
	wait_for(&q, now);
	vyx_window_drop(win, last, VYX_POOL_CLOSE, now);
	assert_string_equal(heard(), "let=2/2 ");
	away = 0;
	now += 100 * MS;
	expired = NULL;
	assert_string_equal(heard(), "dial hello hold=1/busy/1 held=1 ");
	assert_ptr_equal(expired, &q); /* waited, as long as it could */
}

/* What the last life of poold was told and did not do, the next one hears. */
static void
tells_again(void **state)
{
	(void)state;
	window(2, 0);
	assert_string_equal(heard(), "need=0/a:2 ");
	vyx_window_down(win, now);
	now += 10 * MS;
	assert_string_equal(heard(), "dial hello held=0 need=0/a:2 ");
}

static void
blocked_edge(void **state)
{
	struct vyx_waiter q;

	(void)state;
	lend(1, "a", 1);
	blocked = 1;
	vyx_window_drop(win, last, VYX_POOL_CLOSE, now);
	wait_for(&q, now);
	assert_string_equal(heard(), "let=1/2 ");
	blocked = 0;
	assert_string_equal(heard(), ""); /* not before it is writable */
	vyx_window_writable(win);
	assert_string_equal(heard(), "drop=1/close need=1 ");
}

/* A silent request is told of while an older connection lies idle. */
static void
stuck(void **state)
{
	struct vyx_wconn *a, *b;

	(void)state;
	lend(1, "a", 1);
	lend(2, "a", 2);
	vyx_window_sent(win, a = take(), now);
	turn();
	now += 50 * MS;
	vyx_window_sent(win, b = take(), now);
	now += 200 * MS;
	assert_string_equal(heard(), ""); /* nothing else is to blame */
	vyx_window_byte(win, a);
	vyx_window_done(win, a, now);
	now += 100 * MS;
	assert_string_equal(heard(), "stuck=2/0 ");
	now += 500 * MS;
	assert_string_equal(heard(), ""); /* once */
	vyx_window_byte(win, b);
	assert_string_equal(heard(), "stuck=2/1 ");
	vyx_window_byte(win, b);
	assert_string_equal(heard(), "");
}

/* ... or while an older one answers what was sent later ... */
static void
stuck_behind_busy(void **state)
{
	struct vyx_wconn *a, *b;

	(void)state;
	lend(1, "a", 1);
	lend(2, "a", 2);
	vyx_window_sent(win, a = take(), now);
	vyx_window_sent(win, b = take(), now);
	now += 10 * MS;
	vyx_window_byte(win, a);
	vyx_window_sent(win, a, now);
	now += 110 * MS;
	assert_string_equal(heard(), ""); /* the answer was to an older one */
	vyx_window_byte(win, a);
	vyx_window_sent(win, a, now);
	now += 100 * MS;
	assert_string_equal(heard(), "stuck=2/0 ");
	vyx_window_byte(win, b);
	assert_string_equal(heard(), "stuck=2/1 ");
}

/* ... but not of a server that has answered slowly beside as many. */
/* A poold that starts knows nothing of what the last one was told. */
static void
stuck_told_again(void **state)
{
	struct vyx_wconn *a;

	(void)state;
	lend(1, "a", 1);
	lend(2, "a", 2);
	vyx_window_sent(win, a = take(), now);
	vyx_window_sent(win, take(), now);
	vyx_window_byte(win, a);
	vyx_window_done(win, a, now);
	now += 100 * MS;
	assert_string_equal(heard(), "stuck=2/0 ");
	vyx_window_down(win, now);
	away = 1;
	for (int k = 0; k < 20; k++) {
		now += 100 * MS;
		assert_string_equal(heard(), "dial ");
	}
	away = 0;
	now += 100 * MS;
	assert_string_equal(heard(),
	    "dial hello hold=2/busy/2 hold=1/idle/1 held=2 ");
	now += 100 * MS;
	assert_string_equal(heard(), "stuck=2/0 ");
	now += 100 * MS;
	assert_string_equal(heard(), "");
}

static void
slow(void **state)
{
	struct vyx_wconn *a, *b;

	(void)state;
	lend(1, "a", 1);
	lend(2, "a", 2);
	vyx_window_sent(win, a = take(), now);
	vyx_window_sent(win, b = take(), now);
	now += 100 * MS;
	assert_string_equal(heard(), "");
	vyx_window_byte(win, b);
	assert_string_equal(heard(), "stuck=2/1 "); /* beside one: a record */
	vyx_window_sent(win, b, now);
	vyx_window_byte(win, a);
	vyx_window_done(win, a, now);
	for (int k = 1; k < 10; k++) {
		now += 100 * MS;
		assert_string_equal(heard(), "");
	}
	now += 100 * MS; /* a second: other routers may have older ones */
	assert_string_equal(heard(), "stuck=2/0 ");
}

static void
says(void **state)
{
	struct vyx_wconn *c = lend(1, "a", 1);

	(void)state;
	for (int k = 0; k < 3; k++) {
		vyx_window_says(win, c, 1);
		assert_string_equal(heard(), "says=1 ");
	}
	vyx_window_says(win, c, 1); /* poold counts to three */
	assert_string_equal(heard(), "");
	vyx_window_says(win, c, 0);
	vyx_window_says(win, c, 0);
	vyx_window_says(win, c, 0);
	assert_string_equal(heard(), "says=0 "); /* one turn, one record */
	vyx_window_says(win, c, 0);
	assert_string_equal(heard(), "says=0 ");
	/* so does the next one, from the start */
	vyx_window_down(win, now);
	now += 10 * MS;
	assert_string_equal(heard(), "dial hello hold=1/idle/1 held=1 says=0 ");
	for (int k = 0; k < 2; k++) {
		vyx_window_says(win, c, 0);
		assert_string_equal(heard(), "says=0 ");
	}
	vyx_window_says(win, c, 0);
	assert_string_equal(heard(), "");
}

static void
drains(void **state)
{
	struct vyx_wconn *busy;

	(void)state;
	window(2, 0);
	lend(1, "a", 1);
	busy = take();
	lend(2, "a", 2);
	now += MS;
	heard();
	vyx_window_bye(win, now);
	now += MS;
	assert_string_equal(heard(), "let=2/-1 give=2 bye need=0 ");
	vyx_window_done(win, busy, now);
	assert_string_equal(heard(), "let=1/-1 give=1 ");
	assert_int_equal(vyx_window_held(win), 0);
}

static void
worker_goes(void **state)
{
	struct vyx_waiter q;
	struct vyx_wconn *busy;

	(void)state;
	lend(1, "a", 1);
	busy = take();
	lend(2, "a", 2);
	wait_for(&q, now); /* as if both were taken: it is served in the turn */
	assert_false(vyx_window_worker_del(win, w, now));
	assert_int_equal(errno, EBUSY);
	turn();
	assert_ptr_equal(served_to, &q);
	vyx_window_done(win, served, now);
	heard();
	assert_true(vyx_window_worker_del(win, w, now));
	assert_string_equal(heard(), "let=2/-1 give=2 ");
	vyx_window_done(win, busy, now);
	assert_string_equal(heard(), "let=1/-1 give=1 ");
}

static void
out_of_place(void **state)
{
	(void)state;
	assert_false(greet());
	assert_int_equal(errno, EPROTO);
	assert_false(hear((struct vyx_pool_msg){ .verb = VYX_V_NEED }, -1));
	vyx_window_down(win, now);
	assert_false(hear((struct vyx_pool_msg){ .verb = VYX_V_RECALL }, -1));
	now += 10 * MS;
	turn();
	assert_false(hear((struct vyx_pool_msg){ .verb = VYX_V_RECALL }, -1));
	assert_false(hear((struct vyx_pool_msg){ .verb = VYX_V_HELLO }, -1));
	assert_int_equal(errno, EPROTONOSUPPORT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lowest_first),
		TEST(in_turn),
		TEST(least_loaded),
		TEST(least_busy),
		TEST(refilled),
		TEST(silent),
		TEST(waits_in_order),
		TEST(room_is_no_queue),
		TEST(expires),
		TEST(reports_again),
		TEST(at_most_one_a_ms),
		TEST(recalled),
		TEST(voided),
		TEST(ends),
		TEST(tunnels),
		TEST(idle),
		TEST(poold_away),
		TEST(tells_again),
		TEST(blocked_edge),
		TEST(stuck),
		TEST(stuck_behind_busy),
		TEST(stuck_told_again),
		TEST(slow),
		TEST(says),
		TEST(drains),
		TEST(worker_goes),
		TEST(out_of_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
