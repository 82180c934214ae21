/* SPDX-License-Identifier: ISC */
/*
 * rows, ring and watch together: random changes in random transactions, and
 * watchers who read at random, stop, come back from the revision they have, or
 * begin again, are compared with the history kept here.
 *
 * Not tested here: want of memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "state/watch.h"

#define KEYS 60
#define WATCHERS 6
#define ALL ((1U << VYX_T_SETTING) | (1U << VYX_T_WORKER) | (1U << VYX_T_ROUTE))

/* What each key of each table is at each revision, by last change. */
struct event {
	uint64_t rev;
	unsigned table, key;
	int del;
	char value[24];
	int ends; /* a commit is behind it */
};
static struct event *history;
static size_t nhistory, room;

static struct vyx_rows tables[VYX_T_COUNT];
static struct vyx_ring ring;
static uint64_t rev;
static unsigned seed;

static unsigned
draw(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static struct vyx_str
name(unsigned key)
{
	static char text[16];

	snprintf(text, sizeof text, "k%02u", key);
	return VYX_STRZ(text);
}

static void
change(unsigned table, unsigned key, int del, unsigned fat)
{
	struct vyx_buf body = { 0 }, cols = { 0 };
	struct event *e;
	struct vyx_change c = { .verb = del ? VYX_V_DEL : VYX_V_PUT,
		.table = (enum vyx_table)table,
		.key = name(key) };
	struct vyx_rec_out o = { .b = &body };

	if (del && !vyx_rows_get(&tables[table], name(key)))
		return;
	if (nhistory == room)
		assert_non_null(history = reallocarray(history,
		                    room = 2 * room + 64, sizeof *history));
	e = &history[nhistory++];
	*e = (struct event){ ++rev, table, key, del, "", 0 };
	c.rev = rev;
	vyx_rec_putz(&o, VYX_F_TABLE, vyx_rec_table_name(c.table));
	vyx_rec_puts(&o, VYX_F_KEY, c.key);
	vyx_rec_putu(&o, VYX_F_REV, rev);
	if (del)
		assert_true(vyx_rows_del(&tables[table], c.key, rev));
	else {
		snprintf(e->value, sizeof e->value, "v%07u", draw(10000000));
		vyx_buf_fmt(&cols, "src=%s%0*d\nowner=op\n", e->value,
		    (int)fat + 1, 0);
		vyx_buf_putstr(&body, vyx_buf_str(&cols));
		assert_non_null(vyx_rows_put(&tables[table], c.key,
		    VYX_STR("op"), vyx_buf_str(&cols), rev));
	}
	assert_true(vyx_rec_end(&o));
	c.body = vyx_buf_str(&body);
	vyx_ring_add(&ring, &c);
	vyx_buf_free(&body);
	vyx_buf_free(&cols);
}

static void
transaction(unsigned n, unsigned fat)
{
	static const unsigned of[] = { VYX_T_SETTING, VYX_T_WORKER, VYX_T_ROUTE,
		VYX_T_SCHEMA };
	uint64_t before = rev;

	while (n--)
		change(of[draw(4)], draw(KEYS), draw(3) == 0, fat);
	if (rev == before)
		return;
	history[nhistory - 1].ends = 1;
	vyx_ring_commit(&ring, rev);
}

/* One watcher's copy, as a program would keep it. */
struct copy {
	struct vyx_watch w;
	int on;
	uint64_t rev;                     /* applied */
	uint64_t told;                    /* last put or del of the stream */
	int snapshot;                     /* between snapshot and synced */
	char now[VYX_T_COUNT][KEYS][24];  /* applied */
	char next[VYX_T_COUNT][KEYS][24]; /* to be, at the commit */
	unsigned cuts, resumes, syncs;
};

/* The registry at revision `at`, by the history alone. */
static void
check_copy(const struct copy *c)
{
	static char want[VYX_T_COUNT][KEYS][24];

	memset(want, 0, sizeof want);
	for (size_t i = 0; i < nhistory && history[i].rev <= c->rev; i++)
		if (c->w.tables & 1U << history[i].table)
			memcpy(want[history[i].table][history[i].key],
			    history[i].value, 24);
	assert_memory_equal(want, c->now, sizeof want);
}

/* Live, each change of our tables must come, in order, and none other. */
static void
check_order(struct copy *c, uint64_t to)
{
	uint64_t want = 0;

	for (size_t i = 0; i < nhistory && !want; i++)
		if (history[i].rev > c->told &&
		    c->w.tables & 1U << history[i].table)
			want = history[i].rev;
	assert_int_equal(want, to);
	c->told = to;
}

static void
check_boundary(uint64_t at)
{
	for (size_t i = 0; i < nhistory; i++)
		if (history[i].rev == at)
			assert_true(history[i].ends);
}

static void
hear(struct copy *c, const struct vyx_rec *r)
{
	unsigned key = 0;
	struct vyx_str k = vyx_rec_str(r, VYX_F_KEY);
	struct vyx_str src = vyx_rec_str(r, VYX_F_SRC);

	assert_int_equal(vyx_rec_u(r, VYX_F_ID), 7);
	if (k.n == 3)
		key = (unsigned)(k.p[1] - '0') * 10 + (unsigned)(k.p[2] - '0');
	switch (r->verb) {
	case VYX_V_SNAPSHOT:
		memset(c->next, 0, sizeof c->next);
		c->snapshot = 1;
		break;
	case VYX_V_PUT:
	case VYX_V_DEL:
		if (!c->snapshot)
			check_order(c, vyx_rec_u(r, VYX_F_REV));
		/* fall through */
	case VYX_V_ROW:
		memset(c->next[r->table][key], 0, 24);
		if (r->verb != VYX_V_DEL)
			snprintf(c->next[r->table][key], 24, "%.*s",
			    (int)(src.n < 8 ? src.n : 8), src.p);
		break;
	case VYX_V_SYNCED:
		c->syncs++;
		c->told = vyx_rec_u(r, VYX_F_REV);
		c->snapshot = 0;
		/* fall through */
	case VYX_V_COMMIT:
		assert_true(vyx_rec_u(r, VYX_F_REV) >= c->told);
		c->rev = c->told = vyx_rec_u(r, VYX_F_REV);
		check_boundary(c->rev);
		memcpy(c->now, c->next, sizeof c->now);
		check_copy(c);
		break;
	default:
		fail();
	}
}

static void
lose(struct copy *c)
{
	vyx_watch_stop(&c->w);
	memcpy(c->next, c->now, sizeof c->next);
	c->on = 0;
	c->snapshot = 0;
	c->told = c->rev;
}

static void
begin(struct copy *c)
{
	c->w.id = 7;
	c->on = 1;
	if (c->rev && vyx_watch_start(&c->w, &ring, &c->rev)) {
		c->resumes++;
		return;
	}
	if (c->rev)
		assert_true(c->rev < ring.floor);
	assert_true(vyx_watch_start(&c->w, &ring, NULL));
}

/* As much as `limit` bytes at a time; 1: all told. */
static int
listen_to(struct copy *c, size_t limit)
{
	struct vyx_buf out = { 0 };
	struct vyx_rec r;
	size_t at = 0, len;
	int done = vyx_watch_fill(&c->w, tables, &ring, &out, limit);
	int e = errno;

	while ((len = vyx_rec_len(out.p + at, out.n - at, 0)) > 0) {
		assert_true(vyx_rec_parse(&r, VYX_E_READ, VYX_LISTENS,
		    out.p + at, len, 1));
		hear(c, &r);
		at += len;
	}
	assert_int_equal(at, out.n);
	vyx_buf_free(&out);
	if (done)
		return 1;
	if (e == ESTALE) {
		c->cuts++;
		lose(c);
	} else
		assert_int_equal(e, EAGAIN);
	return 0;
}

static void
reset(size_t size)
{
	for (unsigned t = 0; t < VYX_T_COUNT; t++) {
		vyx_rows_free(&tables[t]);
		tables[t] = (struct vyx_rows){ 0 };
	}
	vyx_ring_free(&ring);
	nhistory = 0;
	rev = 0;
	assert_true(vyx_ring_init(&ring, size, 0));
}

static void
one_run(unsigned s, unsigned *cuts, unsigned *resumes, unsigned *syncs)
{
	static struct copy c[WATCHERS];

	seed = s;
	reset(4096);
	memset(c, 0, sizeof c);
	for (unsigned i = 0; i < WATCHERS; i++)
		c[i].w.tables = i % 2 ? ALL : 1U << VYX_T_WORKER;
	for (unsigned step = 0; step < 400; step++) {
		struct copy *w = &c[draw(WATCHERS)];

		if (draw(3))
			transaction(1 + draw(draw(8) ? 3 : 30),
			    draw(20) ? 0 : 200);
		if (!w->on)
			begin(w);
		else if (draw(8) == 0)
			lose(w);
		else
			listen_to(w, 1 + draw(900));
	}
	for (unsigned i = 0; i < WATCHERS; i++) {
		if (!c[i].on)
			begin(&c[i]);
		while (!listen_to(&c[i], 300))
			if (!c[i].on)
				begin(&c[i]);
		check_copy(&c[i]);
		/* nothing of our tables is left untold */
		check_order(&c[i], 0);
		*cuts += c[i].cuts;
		*resumes += c[i].resumes;
		*syncs += c[i].syncs;
		vyx_watch_stop(&c[i].w);
	}
}

static void
each_change_once_in_order(void **state)
{
	unsigned cuts = 0, resumes = 0, syncs = 0;

	(void)state;
	for (unsigned s = 1; s <= 300; s++)
		one_run(s, &cuts, &resumes, &syncs);
	/* the runs must have been through all of it */
	assert_true(cuts > 100 && resumes > 1000 && syncs > 1000);
}

/* A change during the snapshot: behind the cursor told at once, ahead of it
 * not, for the cursor comes there. */
static void
a_snapshot_while_rows_change(void **state)
{
	struct vyx_watch w = { .id = 7, .tables = 1U << VYX_T_WORKER };
	struct vyx_buf out = { 0 };

	(void)state;
	reset(4096);
	for (unsigned k = 1; k <= 3; k++)
		change(VYX_T_WORKER, k, 0, 0);
	vyx_ring_commit(&ring, rev);
	assert_true(vyx_watch_start(&w, &ring, NULL));
	assert_false(vyx_watch_fill(&w, tables, &ring, &out, 60));
	assert_int_equal(errno, EAGAIN);
	vyx_buf_putc(&out, 0);
	assert_non_null(strstr(out.p, "key=k01"));
	assert_null(strstr(out.p, "key=k02"));
	out.n = 0;
	change(VYX_T_WORKER, 1, 0, 0); /* behind */
	change(VYX_T_WORKER, 2, 1, 0); /* ahead */
	change(VYX_T_WORKER, 3, 0, 0); /* ahead */
	vyx_ring_commit(&ring, rev);
	assert_true(vyx_watch_fill(&w, tables, &ring, &out, 4096));
	vyx_buf_putc(&out, 0);
	assert_non_null(strstr(out.p, "put\nid=7\ntable=worker\nkey=k01"));
	assert_null(strstr(out.p, "k02"));
	assert_null(strstr(out.p, "put\nid=7\ntable=worker\nkey=k03"));
	assert_non_null(strstr(out.p, "row\nid=7\ntable=worker\nkey=k03"));
	assert_non_null(strstr(out.p, "synced\nid=7\nrev=6\n"));
	vyx_buf_free(&out);
	vyx_watch_stop(&w);
}

static void
a_huge_transaction_empties_the_ring(void **state)
{
	struct vyx_watch w = { .id = 7, .tables = ALL };
	struct vyx_buf out = { 0 };
	uint64_t from = 1, pos;

	(void)state;
	reset(4096);
	transaction(3, 0);
	assert_true(vyx_watch_start(&w, &ring, NULL));
	assert_true(vyx_watch_fill(&w, tables, &ring, &out, 4096));
	change(VYX_T_ROUTE, 1, 0, 1500);
	change(VYX_T_ROUTE, 2, 0, 1500);
	vyx_ring_commit(&ring, rev);
	assert_int_equal(ring.floor, rev);
	/* who had read all, and who comes back: both begin again */
	assert_false(vyx_watch_fill(&w, tables, &ring, &out, 4096));
	assert_int_equal(errno, ESTALE);
	assert_false(vyx_ring_seek(&ring, from, &pos));
	assert_int_equal(errno, ESTALE);
	assert_true(vyx_ring_seek(&ring, rev, &pos));
	/* a revision that is still to come is nobody's */
	assert_false(vyx_ring_seek(&ring, rev + 1, &pos));
	vyx_buf_free(&out);
}

/* The tree against a sorted list. */
static void
rows_in_order(void **state)
{
	static int there[1000];
	struct vyx_rows t = { 0 };
	char text[16];

	(void)state;
	seed = 5;
	for (unsigned step = 0; step < 20000; step++) {
		unsigned k = draw(1000);
		struct vyx_str key;

		snprintf(text, sizeof text, "%03u", k);
		key = VYX_STRZ(text);
		assert_int_equal(vyx_rows_get(&t, key) != NULL, there[k]);
		if (draw(2)) {
			assert_non_null(vyx_rows_put(&t, key, key, key, step));
			there[k] = 1;
		} else {
			assert_int_equal(vyx_rows_del(&t, key, step), there[k]);
			there[k] = 0;
		}
		if (step % 500)
			continue;
		struct vyx_row *r = vyx_rows_after(&t, VYX_STR(""));
		size_t n = 0;

		for (unsigned i = 0; i < 1000; i++) {
			if (!there[i])
				continue;
			snprintf(text, sizeof text, "%03u", i);
			assert_non_null(r);
			assert_true(vyx_str_eq(r->key, VYX_STRZ(text)));
			assert_true(vyx_str_eq(r->cols, VYX_STRZ(text)));
			r = vyx_rows_after(&t, r->key);
			n++;
		}
		assert_null(r);
		assert_int_equal(t.n, n);
		assert_int_equal(t.bytes, 9 * n);
	}
	vyx_rows_free(&t);
	assert_int_equal(t.n + t.bytes, 0);
}

static int
end(void **state)
{
	(void)state;
	reset(64);
	vyx_ring_free(&ring);
	free(history);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_in_order),
		cmocka_unit_test(a_snapshot_while_rows_change),
		cmocka_unit_test(a_huge_transaction_empties_the_ring),
		cmocka_unit_test(each_change_once_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
