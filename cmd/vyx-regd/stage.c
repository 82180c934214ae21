/* SPDX-License-Identifier: ISC */
/* stage - begin ... commit: what is asked for is kept until commit, then done
 * as a whole or not at all. */
#include <errno.h>
#include <stdlib.h>

#include "regd.h"

struct regd_stage {
	struct vyx_buf asks; /* struct regd_ask, then what it points to */
	unsigned n;          /* of changes */
	uint32_t replace;    /* 1 << table */
	uint32_t touched;
	unsigned counted; /* 1: among d->nstages */
	char owner[33];
	struct regd_why why; /* the first refusal; the rest is not looked at */
};

void
regd_unstage(struct regd_peer *p)
{
	if (!p->stage)
		return;
	p->d->nstages -= p->stage->counted;
	vyx_buf_free(&p->stage->asks);
	free(p->stage);
	p->stage = NULL;
}

/* The tables to replace and whose rows; 0: refused. */
static int
replaces(struct regd_stage *s, const struct vyx_rec *r, struct regd_why *w)
{
	struct vyx_str owner = vyx_rec_str(r, VYX_F_REPLACE_OWNER);
	unsigned i = vyx_rec_next(r, VYX_F_REPLACE_TABLE, 0);

	memcpy(s->owner, owner.p, owner.n); /* 32 at most, by the map */
	if ((i < r->n) != (owner.n > 0))
		return regd_refuse(w, "bad",
		    "replace-table and replace-owner go together");
	for (; i < r->n; i = vyx_rec_next(r, VYX_F_REPLACE_TABLE, i + 1)) {
		enum vyx_table t = vyx_rec_table(r->f[i].v);

		if (t == VYX_T_NONE || !vyx_rec_column(t, VYX_F_OWNER))
			return regd_refuse(w, "unknown",
			    "%.*s is no table whose rows have an owner",
			    REGD_SHOW(r->f[i].v));
		s->replace |= 1U << t;
	}
	return 1;
}

/* A refusal waits for commit: what was sent behind begin already is not to
 * be taken for changes of their own. */
void
regd_begin(struct regd_peer *p, const struct vyx_rec *r)
{
	struct regd_stage *s = p->stage;

	if (s) {
		regd_refuse(&s->why, "bad", "begin within a transaction");
		return;
	}
	if (!(s = p->stage = calloc(1, sizeof *s))) {
		regd_no(p, vyx_rec_u(r, VYX_F_ID), "full", "no memory");
		p->ending = 1;
		return;
	}
	s->asks.max = REGD_STAGE;
	if (p->d->nstages == REGD_STAGES) {
		regd_refuse(&s->why, "busy",
		    "other transactions are under way");
		return;
	}
	s->counted = 1;
	p->d->nstages++;
	replaces(s, r, &s->why);
}

int
regd_spoil(struct regd_peer *p, const struct vyx_rec *r)
{
	struct vyx_rec none = { .verb = VYX_V_BEGIN };

	if (!p->stage && r->verb == VYX_V_BEGIN)
		regd_begin(p, &none);
	if (!p->stage)
		return 0;
	if (!p->stage->why.why)
		regd_refuse(&p->stage->why, "bad", "%s%s%.*s", r->text,
		    r->where.n ? ": " : "", REGD_SHOW(r->where));
	return 1;
}

static int
keep(struct regd_stage *s, const struct regd_ask *a)
{
	size_t n = s->asks.n;

	if (s->n == REGD_STAGED)
		return errno = EMSGSIZE, 0;
	if (vyx_buf_put(&s->asks, a, sizeof *a) &&
	    vyx_buf_putstr(&s->asks, a->key) &&
	    vyx_buf_putstr(&s->asks, a->who) &&
	    vyx_buf_putstr(&s->asks, a->cols)) {
		s->n++;
		s->touched |= 1U << a->table;
		return 1;
	}
	s->asks.n = n;
	return 0;
}

static struct vyx_str
part(char **p, size_t n)
{
	struct vyx_str s = { *p, n };

	*p += n;
	return s;
}

/* The change at `at`, and the offset of the next. */
static size_t
read_one(const struct regd_stage *s, size_t at, struct regd_ask *a)
{
	char *p = s->asks.p + at;

	memcpy(a, p, sizeof *a);
	p += sizeof *a;
	a->key = part(&p, a->key.n);
	a->who = part(&p, a->who.n);
	a->cols = part(&p, a->cols.n);
	return (size_t)(p - s->asks.p);
}

void
regd_staged(struct regd_peer *p, const struct vyx_rec *r)
{
	struct regd_stage *s = p->stage;
	struct regd_ask a;
	struct regd_why w;

	if (s->why.why)
		return;
	if (regd_ask(p->d, r, &a, &w) && regd_may(p, &a, &w)) {
		if (!keep(s, &a))
			regd_refuse(&s->why, "too-big",
			    "over %d changes or %d MiB", REGD_STAGED,
			    REGD_STAGE >> 20);
		return;
	}
	regd_refuse(&s->why, w.why, "%s %.*s: %.120s",
	    vyx_rec_table_name(r->table), REGD_SHOW(a.key), w.text);
}

/* Whether all of it can be done as the registry is now. */
static int
fits(struct regd_peer *p, const struct vyx_rec *r, struct regd_why *w)
{
	struct regd_stage *s = p->stage;
	struct regd_ask a;
	struct regd_why one;
	uint64_t seen = vyx_rec_u(r, VYX_F_IF_REV);
	size_t at = 0, rows = s->n, bytes = s->asks.n;

	for (unsigned t = 1; t < VYX_T_COUNT; t++) {
		rows += p->d->table[t].n;
		bytes += p->d->table[t].bytes;
		if (vyx_rec_has(r, VYX_F_IF_REV) &&
		    (s->touched | s->replace) & 1U << t &&
		    p->d->table[t].rev > seen)
			return regd_refuse(w, "conflict",
			    "table %s has changed since",
			    vyx_rec_table_name((enum vyx_table)t));
	}
	while (at < s->asks.n) {
		at = read_one(s, at, &a);
		rows -= !a.del && vyx_rows_get(&p->d->table[a.table], a.key);
		one.why = NULL;
		if (regd_fits(p->d, &a, &one))
			continue;
		if (a.del && !a.has_if) /* gone is what was asked for */
			continue;
		return regd_refuse(w, one.why, "%s %.*s: %.120s",
		    vyx_rec_table_name(a.table), REGD_SHOW(a.key), one.text);
	}
	if (rows > REGD_ROWS || bytes > REGD_BYTES)
		return regd_refuse(w, "full", "the registry holds no more");
	return 1;
}

void
regd_commit(struct regd_peer *p, const struct vyx_rec *r)
{
	uint64_t id = vyx_rec_u(r, VYX_F_ID);
	struct regd_stage *s = p->stage;
	struct regd *d = p->d;
	struct regd_ask a;

	if (!s) {
		regd_no(p, id, "bad", "commit without begin");
		return;
	}
	if (s->why.why || !fits(p, r, &s->why)) {
		regd_no(p, id, s->why.why, "%s", s->why.text);
		regd_unstage(p);
		return;
	}
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		if (s->replace & 1U << t)
			regd_mark(d, (enum vyx_table)t, VYX_STRZ(s->owner));
	for (size_t at = 0; at < s->asks.n;) {
		at = read_one(s, at, &a);
		regd_change(d, &a, 0);
	}
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		if (s->replace & 1U << t)
			regd_sweep(d, (enum vyx_table)t, VYX_STRZ(s->owner));
	regd_unstage(p);
	regd_ok(p, id, regd_changed(d));
}
