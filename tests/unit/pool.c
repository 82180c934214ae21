/* SPDX-License-Identifier: ISC */
/*
 * pool - vyx-poold's side of its edge, one rule a test, against routers and
 * a kernel played by hand. All of it together with the other side:
 * pool_model.c. Over real sockets: vyx-poold.bats.
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

#include "state/pool.h"

#define MS UINT64_C(1000000)
#define FIRST (UINT64_C(1000) << 20)

static uint64_t now;
static struct vyx_pool *pool;
static char said[65536];
static int refuse; /* errno of the next dials, 0: they succeed */
static int dials, blocked, cuts, drains, serials;
static const char *why;

/* Two routers and a vyx-acquire, a letter each, in records to them. */
static char names[] = "abc";

__attribute__((format(printf, 1, 2))) static void
note(const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + n, sizeof said - n, fmt, ap);
	va_end(ap);
}

/* Numbers from 1 on, whatever this life began with. */
static uintmax_t
nr(uint64_t c)
{
	return c >= FIRST ? c - FIRST + 1 : c;
}

static int
dial(void *arg, void *user)
{
	(void)arg;
	(void)user;
	dials++;
	if (refuse) {
		errno = refuse;
		return -1;
	}
	return 100 + dials;
}

static int
watch(void *arg, struct vyx_pconn *c, int how)
{
	(void)arg;
	(void)c;
	(void)how;
	return 1;
}

static void
end(void *arg, struct vyx_pconn *c)
{
	(void)arg;
	note("end=%ju ", nr(c->c));
}

static int
send_msg(void *arg, void *peer, const struct vyx_pool_msg *m, int fd)
{
	char q = *(char *)peer;

	(void)arg;
	if (blocked)
		return 0;
	if (m->verb == VYX_V_CONN) {
		assert_true(fd >= 0);
		note("%c:conn=%ju ", q, nr(m->c));
	} else if (m->verb == VYX_V_WINDOW)
		note("%c:window=%u/%u ", q, m->up, m->low);
	else if (m->verb == VYX_V_RECALL)
		note("%c:recall=%u/%ju ", q, m->n, (uintmax_t)m->before);
	else if (m->verb == VYX_V_VOID)
		note("%c:void=%ju ", q, nr(m->below));
	return 1;
}

static void
cut(void *arg, void *peer, const char *reason)
{
	(void)arg;
	(void)peer;
	(void)reason;
	cuts++;
}

static void
drained(void *arg, void *user)
{
	(void)arg;
	(void)user;
	drains++;
}

static void
up(void *arg, void *user, int is, int error)
{
	(void)arg;
	(void)user;
	(void)error;
	note("%s ", is ? "up" : "down");
}

static void
serial(void *arg, void *user, int is)
{
	(void)arg;
	(void)user;
	serials += is ? 1 : -1;
}

static const char *
heard(void)
{
	static char was[sizeof said];

	vyx_pool_turn(pool, now);
	memcpy(was, said, sizeof said);
	said[0] = 0;
	return was;
}

static int
hear_fd(struct vyx_ppeer *q, struct vyx_pool_msg m, int fd)
{
	return vyx_pool_record(pool, q, &m, fd, now, &why);
}

static int
hear(struct vyx_ppeer *q, struct vyx_pool_msg m)
{
	return hear_fd(q, m, -1);
}

static struct vyx_ppeer *
greet(int k, enum vyx_proc role)
{
	struct vyx_ppeer *q = vyx_pool_peer(pool, &names[k], now);

	assert_non_null(q);
	assert_int_equal(hear(q,
	                     (struct vyx_pool_msg){ .verb = VYX_V_HELLO,
	                         .proto = 1,
	                         .role = role,
	                         .name = { &names[k], 1 } }),
	    1);
	return q;
}

static struct vyx_ppeer *
router(int k)
{
	struct vyx_ppeer *q = greet(k, VYX_P_ROUTE);

	assert_int_equal(hear(q, (struct vyx_pool_msg){ .verb = VYX_V_HELD }),
	    1);
	return q;
}

static int
need(struct vyx_ppeer *q, uint32_t waiting, uint64_t since, uint32_t lack)
{
	struct vyx_pool_msg m = { .verb = VYX_V_NEED, .w = VYX_STR("w") };

	m.waiting = waiting;
	m.since = since;
	m.lacks = lack != 0;
	m.lack[0].i = VYX_STR("w#1");
	m.lack[0].n = lack;
	return hear(q, m);
}

static int
of(struct vyx_ppeer *q, enum vyx_verb verb, uint64_t c,
    enum vyx_pool_why reason)
{
	return hear(q,
	    (struct vyx_pool_msg){ .verb = verb,
	        .c = c < 1000 ? FIRST + c - 1 : c,
	        .why = reason });
}

static void
endpoint(uint32_t max, uint32_t min, int explicit, int draining)
{
	struct vyx_pool_conf conf = { .max = max,
		.min = min,
		.tunnels = 1,
		.explicit = explicit != 0,
		.draining = draining != 0 };

	assert_non_null(vyx_pool_endpoint(pool, VYX_STR("w"), VYX_STR("w#1"),
	    &conf, names, now));
}

static struct vyx_pool_stat
stat(void)
{
	struct vyx_pool_stat s;

	assert_true(vyx_pool_stat_worker(pool, VYX_STR("w"), &s));
	return s;
}

static int
setup(void **state)
{
	static const struct vyx_pool_ops ops = { dial, watch, end, send_msg,
		cut, drained, up, serial };

	(void)state;
	now = 1000 * MS;
	said[0] = 0;
	refuse = dials = blocked = cuts = drains = serials = 0;
	pool = vyx_pool_new(&ops, NULL, FIRST, 1, now);
	assert_non_null(pool);
	assert_true(vyx_pool_worker(pool, VYX_STR("w"), 1000, now));
	return 0;
}

static int
settled(void **state)
{
	setup(state);
	endpoint(3, 0, 0, 0);
	vyx_pool_settle(pool, now);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	vyx_pool_free(pool);
	return 0;
}

static void
settles_first(void **state)
{
	struct vyx_ppeer *a = router(0);

	(void)state;
	endpoint(4, 2, 1, 0);
	need(a, 1, 5, 0);
	assert_string_equal(heard(), "a:window=1/2 ");
	assert_int_equal(dials, 0);
	now += 250 * MS - 1;
	assert_string_equal(heard(), "");
	now++;
	assert_string_equal(heard(), "a:conn=1 ");
}

static void
minimum(void **state)
{
	struct vyx_ppeer *a;

	(void)state;
	endpoint(4, 2, 1, 0);
	vyx_pool_settle(pool, now);
	assert_string_equal(heard(), "");
	assert_int_equal(stat().idle, 2);
	a = router(0);
	assert_string_equal(heard(), "a:window=1/2 ");
	need(a, 0, 0, 2);
	assert_string_equal(heard(), "a:conn=1 a:conn=2 ");
	need(a, 0, 0, 1); /* refilled as soon as one is taken */
	assert_string_equal(heard(), "a:conn=3 ");
	need(a, 0, 0, 5); /* the cap wins */
	assert_string_equal(heard(), "a:conn=4 ");
}

/* Each router its part of min_idle, whole ones only, as far as max goes. */
static void
shared_out(void **state)
{
	struct vyx_ppeer *b, *c;

	(void)state;
	endpoint(4, 3, 1, 0);
	vyx_pool_settle(pool, now);
	heard();
	router(0);
	assert_string_equal(heard(), "a:window=1/3 ");
	b = router(1);
	assert_string_equal(heard(), "a:window=1/2 b:window=1/2 ");
	c = router(2);
	assert_string_equal(heard(), "a:window=1/1 b:window=1/1 c:window=1/1 ");
	vyx_pool_peer_gone(pool, c, now);
	assert_string_equal(heard(), "a:window=1/2 b:window=1/2 ");
	endpoint(3, 3, 1, 0);
	assert_string_equal(heard(), "b:window=1/0 ");
	hear(b, (struct vyx_pool_msg){ .verb = VYX_V_BYE });
	assert_string_equal(heard(), "a:window=1/3 ");
}

static void
lowest_first(void **state)
{
	struct vyx_pool_conf conf = { .max = 1, .tunnels = 1 };
	struct vyx_ppeer *a = router(0);

	(void)state;
	need(a, 3, 1, 0);
	heard();
	need(a, 0, 0, 0);
	of(a, VYX_V_GIVE, 3, 0);
	of(a, VYX_V_GIVE, 1, 0);
	of(a, VYX_V_GIVE, 2, 0);
	need(a, 2, 1, 0);
	assert_string_equal(heard(), "a:conn=1 a:conn=2 ");
	/* over all instances */
	assert_non_null(vyx_pool_endpoint(pool, VYX_STR("w"), VYX_STR("w#2"),
	    &conf, names, now));
	need(a, 2, 1, 0);
	assert_string_equal(heard(), "a:conn=3 a:conn=4 ");
	need(a, 0, 0, 0);
	of(a, VYX_V_GIVE, 4, 0);
	of(a, VYX_V_GIVE, 3, 0);
	need(a, 1, 1, 0);
	assert_string_equal(heard(), "a:conn=3 ");
	of(a, VYX_V_GIVE, 2, 0);
	of(a, VYX_V_GIVE, 3, 0);
	need(a, 1, 1, 0);
	assert_string_equal(heard(), "a:conn=2 ");
}

static void
idle_ends(void **state)
{
	(void)state;
	endpoint(4, 1, 1, 0);
	vyx_pool_settle(pool, now);
	heard();
	now += 999 * MS;
	assert_string_equal(heard(), "");
	now += MS;
	assert_string_equal(heard(), "end=1 ");
	assert_int_equal(stat().idle, 1); /* replaced */
	assert_int_equal(stat().expired, 1);
}

static void
capped(void **state)
{
	struct vyx_ppeer *a = router(0), *b = router(1);

	(void)state;
	need(a, 9, 5, 0);
	assert_string_equal(heard(),
	    "a:conn=1 a:conn=2 a:conn=3 a:window=1/0 b:window=1/0 ");
	need(b, 1, 6, 0);
	assert_string_equal(heard(), "a:recall=1/6 ");
	of(a, VYX_V_DROP, 1, VYX_POOL_CLOSE);
	assert_string_equal(heard(), "end=1 a:conn=4 ");
}

static void
fair(void **state)
{
	struct vyx_ppeer *a = router(0), *b = router(1);

	(void)state;
	need(a, 3, 1, 0);
	heard();
	need(a, 1, 20, 0);
	need(b, 1, 10, 0);
	heard();
	of(a, VYX_V_GIVE, 2, 0);
	assert_string_equal(heard(), "b:conn=2 b:recall=1/20 ");
	of(a, VYX_V_GIVE, 1, 0);
	assert_string_equal(heard(), "a:conn=1 b:recall=0/0 ");
}

static void
cancelled(void **state)
{
	struct vyx_ppeer *a = router(0), *b = router(1);

	(void)state;
	need(a, 3, 1, 0);
	heard();
	need(a, 0, 0, 0);
	need(b, 1, 10, 0);
	assert_string_equal(heard(), "a:recall=1/10 ");
	need(b, 0, 0, 0);
	assert_string_equal(heard(), "a:recall=0/0 ");
	of(a, VYX_V_GIVE, 1, 0);
	assert_string_equal(heard(), "");
	assert_int_equal(stat().idle, 1);
}

/* What was given is counted off, so that the rest is asked for again. */
static void
recalls_again(void **state)
{
	struct vyx_ppeer *a = router(0), *b = router(1);

	(void)state;
	need(a, 3, 1, 0);
	heard();
	need(a, 0, 0, 0);
	need(b, 2, 10, 0);
	assert_string_equal(heard(), "a:recall=2/10 ");
	of(a, VYX_V_GIVE, 1, 0);
	assert_string_equal(heard(), "b:conn=1 ");
	need(b, 2, 12, 0);
	now += MS;
	assert_string_equal(heard(), "a:recall=2/12 ");
	assert_int_equal(stat().recalls, 1);
}

static void
revoked(void **state)
{
	struct vyx_ppeer *a, *b;

	(void)state;
	endpoint(3, 1, 1, 0);
	a = router(0);
	need(a, 3, 1, 0);
	heard();
	b = router(1);
	need(a, 0, 0, 0); /* lacks nothing: it has idle ones */
	need(b, 1, 10, 0);
	heard();
	now += 1999 * MS;
	heard();
	assert_int_equal(cuts, 0);
	now += 100 * MS;
	assert_string_equal(heard(), "end=3 end=2 end=1 b:conn=4 ");
	assert_int_equal(cuts, 1);
}

static void
peer_gone(void **state)
{
	struct vyx_ppeer *a = router(0), *b = router(1);

	(void)state;
	need(a, 3, 1, 0);
	need(b, 1, 2, 0);
	heard();
	vyx_pool_peer_gone(pool, a, now);
	assert_string_equal(heard(), "end=3 end=2 end=1 b:conn=4 ");
}

static void
lingers(void **state)
{
	struct vyx_ppeer *a = router(0);

	(void)state;
	need(a, 3, 1, 0);
	heard();
	need(a, 1, 1, 0);
	of(a, VYX_V_DROP, 1, VYX_POOL_ABORT);
	assert_string_equal(heard(), "");
	assert_int_equal(stat().linger, 1);
	now += 1000 * MS;
	assert_string_equal(heard(), "end=1 a:conn=4 ");
}

static void
loses(void **state)
{
	struct vyx_ppeer *a = router(0);

	(void)state;
	need(a, 1, 1, 0);
	heard();
	of(a, VYX_V_LOST, 1, 0);
	need(a, 1, 1, 0);
	assert_string_equal(heard(), "");
	now += 100 * MS;
	assert_string_equal(heard(), "a:conn=1 ");
}

static void
tunnels(void **state)
{
	struct vyx_ppeer *a = router(0);

	(void)state;
	need(a, 4, 1, 0);
	heard();
	of(a, VYX_V_TUNNEL, 1, 0);
	assert_string_equal(heard(), "a:conn=4 ");
	of(a, VYX_V_TUNNEL, 2, 0); /* tunnels = 1: this one goes on counting */
	need(a, 1, 1, 0);
	assert_string_equal(heard(), "");
	of(a, VYX_V_DROP, 1, VYX_POOL_CLOSE); /* and takes its place */
	assert_string_equal(heard(), "end=1 a:conn=5 ");
	assert_int_equal(of(a, VYX_V_GIVE, 2, 0), 0);
}

static void
refused(void **state)
{
	struct vyx_ppeer *a = router(0);
	int before;

	(void)state;
	refuse = ECONNREFUSED;
	need(a, 1, 1, 0);
	assert_string_equal(heard(), "down a:window=0/0 ");
	before = dials;
	heard();
	assert_int_equal(dials, before); /* it waits before the next */
	now += 5 * MS;
	heard();
	assert_int_equal(dials, before + 1);
	refuse = 0;
	now += 500 * MS;
	assert_string_equal(heard(), "up a:conn=1 a:window=1/0 ");
}

static void
backlog_full(void **state)
{
	struct vyx_ppeer *a = router(0);

	(void)state;
	heard();
	refuse = EAGAIN; /* no fault of the worker's */
	need(a, 1, 1, 0);
	assert_string_equal(heard(), "");
	assert_true(vyx_pool_due(pool) <= now + 5 * MS);
	refuse = 0;
	now += 5 * MS;
	assert_string_equal(heard(), "a:conn=1 ");
}

static void
no_descriptors(void **state)
{
	struct vyx_ppeer *a = router(0);

	(void)state;
	heard();
	refuse = EMFILE;
	need(a, 1, 1, 0);
	assert_string_equal(heard(), "");
	refuse = 0;
	now += 99 * MS;
	assert_string_equal(heard(), "");
	now += MS;
	assert_string_equal(heard(), "a:conn=1 ");
}

static void
adopts(void **state)
{
	struct vyx_pool_msg m = {
		.verb = VYX_V_HOLD, .i = VYX_STR("w#1"), .state = VYX_S_BUSY
	};
	struct vyx_ppeer *a, *b;

	(void)state;
	endpoint(3, 0, 0, 0);
	a = greet(0, VYX_P_ROUTE);
	b = greet(1, VYX_P_ROUTE);
	for (m.c = 1; m.c <= 4; m.c++)
		assert_int_equal(hear_fd(a, m, 50 + (int)m.c), 1);
	/* one over max: the lowest is void, for all */
	assert_string_equal(heard(),
	    "a:window=1/0 b:window=1/0 a:void=2 b:void=2 ");
	/* ended in this life already: no more than a name */
	m.c = FIRST;
	assert_int_equal(hear_fd(a, m, 60), 0);
	assert_int_equal(stat().lent, 4);
	/* given, it is not taken back into use */
	assert_int_equal(hear(a,
	                     (struct vyx_pool_msg){
	                         .verb = VYX_V_GIVE, .c = 1 }),
	    1);
	assert_string_equal(heard(), "end=1 ");
	/* a router that was away then hears of it when it is back */
	m.c = 1;
	assert_int_equal(hear_fd(b, m, 70), 1);
	assert_string_equal(heard(), "b:void=2 ");
	/* without its descriptor it counts, and its router must let it go */
	m.c = 7;
	assert_int_equal(hear_fd(b, m, -1), 1);
	assert_string_equal(heard(), "a:void=8 b:void=8 ");
	assert_int_equal(stat().lent, 5);
}

static void
classes(void **state)
{
	struct vyx_pool_msg says = { .verb = VYX_V_SAYS, .i = VYX_STR("w#1") };
	struct vyx_ppeer *a = router(0);

	(void)state;
	endpoint(3, 2, 0, 0);
	assert_string_equal(heard(),
	    "a:window=1/0 "); /* by default: unproven */
	says.keeps = 1;
	hear(a, says);
	assert_string_equal(heard(), "a:window=1/2 ");
	says.keeps = 0;
	hear(a, says);
	assert_string_equal(heard(), "");
	hear(a, says);
	assert_string_equal(heard(), "a:window=1/0 ");
	says.keeps = 1;
	hear(a, says);
	hear(a, says);
	assert_string_equal(heard(), "");
	hear(a, says);
	assert_string_equal(heard(), "a:window=1/2 ");
}

/* One trial: c is stuck, voided after `wait`; the byte comes `then` later. */
static void
trial(struct vyx_ppeer *a, uint64_t wait, uint64_t then)
{
	struct vyx_pool_msg m = { .verb = VYX_V_STUCK };
	uint64_t newest = stat().dials;

	need(a, 2, 1, 0);
	heard();
	m.c = FIRST + stat().dials - 1;
	assert_true(stat().dials > newest);
	hear(a, m);
	now += wait;
	heard();
	now += then;
	m.byte = 1;
	hear(a, m);
	heard();
	/* start afresh */
	while (stat().lent)
		of(a, VYX_V_DROP, stat().dials - stat().lent + 1,
		    VYX_POOL_CLOSE);
	need(a, 0, 0, 0);
	now += 1000 * MS;
	heard();
}

static void
one_at_a_time(void **state)
{
	struct vyx_ppeer *a = router(0);

	(void)state;
	trial(a, 0, 1 * MS);
	trial(a, 100 * MS, 1 * MS);
	assert_int_equal(serials, 0);
	trial(a, 200 * MS, 1 * MS);
	assert_int_equal(serials, 1);
	assert_int_equal(stat().max, 1);
	now += 600000 * MS;
	heard();
	assert_int_equal(serials, 0);
	assert_int_equal(stat().max, 3);
}

/* A slow worker answers by itself, void or not: that acquits it. */
static void
slow_is_not_serial(void **state)
{
	struct vyx_ppeer *a = router(0);

	(void)state;
	for (int k = 0; k < 10; k++) {
		trial(a, 0, 20 * MS);
		trial(a, 20 * MS, 0);
	}
	assert_int_equal(serials, 0);
}

/* What one router saw answered beside others' connections, poold counts. */
static void
wide_is_not_serial(void **state)
{
	struct vyx_ppeer *a = router(0), *b = router(1);
	struct vyx_pool_msg m = { .verb = VYX_V_STUCK, .c = FIRST + 1 };

	(void)state;
	need(a, 1, 1, 0);
	heard();
	need(b, 1, 2, 0);
	heard();
	m.byte = 1; /* 2 answered late, while 1 was open elsewhere */
	hear(b, m);
	now += 50 * MS;
	heard();
	m.byte = 0;
	hear(b, m);
	now += 1000 * MS;
	assert_null(strstr(heard(), "void"));
	need(b, 1, 3, 0);
	heard();
	m.c = FIRST + 2; /* but not beside two */
	hear(b, m);
	assert_non_null(strstr(heard(), "a:void="));
}

/* ... but not one whose end made room for the answer. */
static void
gone_is_not_wide(void **state)
{
	struct vyx_ppeer *a = router(0), *b = router(1);
	struct vyx_pool_msg m = { .verb = VYX_V_STUCK, .c = FIRST + 1 };

	(void)state;
	need(a, 1, 1, 0);
	heard();
	need(b, 1, 2, 0);
	heard();
	m.byte = 1; /* heard before the end of 1 is */
	hear(b, m);
	of(a, VYX_V_DROP, 1, VYX_POOL_CLOSE);
	now += 50 * MS;
	heard();
	need(a, 1, 3, 0);
	heard();
	m.c = FIRST + 2;
	m.byte = 0;
	hear(a, m);
	assert_non_null(strstr(heard(), "void="));
}

static void
drains_out(void **state)
{
	struct vyx_ppeer *a = router(0);

	(void)state;
	need(a, 2, 1, 0);
	heard();
	need(a, 0, 0, 0);
	of(a, VYX_V_GIVE, 1, 0);
	heard();
	endpoint(3, 0, 0, 1);
	assert_string_equal(heard(), "end=1 a:window=0/0 a:void=3 ");
	assert_int_equal(drains, 0);
	of(a, VYX_V_GIVE, 2, 0);
	assert_string_equal(heard(), "end=2 ");
	assert_int_equal(drains, 1);
	need(a, 1, 1, 0);
	assert_string_equal(heard(), "");
}

/* What routers hold of one that goes stays theirs until they have as much of
 * another, a second at most. */
static void
filled_first(void **state)
{
	struct vyx_pool_conf conf = {
		.max = 3, .min = 1, .tunnels = 1, .explicit = 1
	};
	struct vyx_ppeer *a = router(0);
	struct vyx_pool_msg m = { .verb = VYX_V_NEED, .w = VYX_STR("w") };

	(void)state;
	endpoint(3, 1, 1, 0);
	need(a, 1, 5, 1);
	assert_string_equal(heard(), "a:conn=1 a:conn=2 a:window=1/1 ");
	need(a, 0, 0, 0);
	assert_non_null(vyx_pool_endpoint(pool, VYX_STR("w"), VYX_STR("w#2"),
	    &conf, names, now));
	endpoint(3, 1, 1, 1);
	assert_string_equal(heard(), "");
	of(a, VYX_V_GIVE, 2, 0); /* nobody else's any more */
	assert_string_equal(heard(), "end=2 ");
	m.lacks = 1;
	m.lack[0].i = VYX_STR("w#2");
	m.lack[0].n = 1;
	hear(a, m);
	assert_string_equal(heard(), "a:conn=3 a:void=4 ");
}

static void
acquire(void **state)
{
	struct vyx_ppeer *a = router(0), *c = greet(2, VYX_P_ACQUIRE);

	(void)state;
	hear(c, (struct vyx_pool_msg){ .verb = VYX_V_HELD });
	need(a, 3, 1, 0);
	heard();
	need(c, 1, 2, 0);
	assert_string_equal(heard(), "c:window=1/0 a:recall=1/2 ");
	of(a, VYX_V_GIVE, 1, 0);
	assert_string_equal(heard(), "c:conn=1 ");
	now += MS;
	assert_string_equal(heard(), "a:recall=0/0 ");
	need(a, 1, 3, 0); /* c has what it works with: nothing to give back */
	assert_string_equal(heard(), "");
}

static void
blocked_peer(void **state)
{
	struct vyx_ppeer *a = router(0);

	(void)state;
	heard();
	need(a, 1, 1, 0);
	blocked = 1;
	assert_string_equal(heard(), "");
	assert_int_equal(stat().idle, 1); /* dialled, and kept here */
	blocked = 0;
	assert_string_equal(heard(), "");
	vyx_pool_writable(pool, a);
	assert_string_equal(heard(), "a:conn=1 ");
}

static void
breaches(void **state)
{
	struct vyx_ppeer *a = router(0), *b = router(1);
	struct vyx_ppeer *n = vyx_pool_peer(pool, &names[2], now);

	(void)state;
	need(a, 1, 1, 0);
	heard();
	assert_int_equal(hear(n, (struct vyx_pool_msg){ .verb = VYX_V_HELD }),
	    0);
	assert_string_equal(why, "no hello");
	assert_int_equal(of(b, VYX_V_GIVE, 1, 0), 0);
	assert_string_equal(why, "not its loan");
	assert_int_equal(of(a, VYX_V_DROP, 77, 0), 0);
	assert_int_equal(of(a, VYX_V_HOLD, 1, 0), 0);
	assert_string_equal(why, "holds it already");
	assert_int_equal(hear(a, (struct vyx_pool_msg){ .verb = VYX_V_HELD }),
	    0);
	assert_int_equal(hear(a, (struct vyx_pool_msg){ .verb = VYX_V_VOID }),
	    0);
	assert_int_equal(errno, EPROTO);
}

static void
limits(void **state)
{
	struct vyx_ppeer *a = router(0);
	struct vyx_pool_msg m = { .verb = VYX_V_NEED, .waiting = 1 };
	char id[16];
	int k, took = 0;

	(void)state;
	for (k = 1; k < VYX_POOL_PEERS; k++)
		assert_non_null(vyx_pool_peer(pool, names, now));
	assert_null(vyx_pool_peer(pool, names, now));
	assert_int_equal(errno, EUSERS);
	for (k = 0; k < 1000; k++) { /* workers that nobody named */
		snprintf(id, sizeof id, "x%d", k);
		m.w = VYX_STRZ(id);
		took += hear(a, m);
	}
	assert_int_equal(took, 256);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, settled, teardown)
#define FIRST_(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIRST_(settles_first),
		FIRST_(minimum),
		FIRST_(shared_out),
		FIRST_(idle_ends),
		FIRST_(adopts),
		TEST(capped),
		TEST(lowest_first),
		TEST(fair),
		TEST(cancelled),
		TEST(recalls_again),
		TEST(revoked),
		TEST(peer_gone),
		TEST(lingers),
		TEST(loses),
		TEST(tunnels),
		TEST(refused),
		TEST(backlog_full),
		TEST(no_descriptors),
		TEST(classes),
		TEST(one_at_a_time),
		TEST(slow_is_not_serial),
		TEST(wide_is_not_serial),
		TEST(gone_is_not_wide),
		TEST(drains_out),
		TEST(filled_first),
		TEST(acquire),
		TEST(blocked_peer),
		TEST(breaches),
		TEST(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
