/* SPDX-License-Identifier: ISC */
/* pool_serve - who gets the next connection. */
#include <errno.h>

#include "state/pool_i.h"

uint32_t
vyx_pinst_max(const struct vyx_pinst *i)
{
	return i->serial_until ? 1 : i->conf.max;
}

/* May it be dialled and lent, as far as the rows say? */
int
vyx_pinst_usable(const struct vyx_pinst *i)
{
	return i->known && !i->conf.draining;
}

/* Whether it may be dialled ahead. Instances of a worker run one program:
 * what one has shown holds for another, until that shows otherwise. */
static int
proven(const struct vyx_pinst *i)
{
	const struct vyx_pinst *o;

	if (i->class != CLASS_UNPROVEN)
		return i->class == CLASS_KEEPS;
	for (o = i->worker->insts; o; o = o->wnext)
		if (o->class == CLASS_KEEPS)
			return 1;
	return i->conf.explicit;
}

uint32_t
vyx_pinst_min(const struct vyx_pinst *i)
{
	uint32_t min = i->conf.min;

	if (!vyx_pinst_usable(i) || !proven(i))
		return 0;
	return min < vyx_pinst_max(i) ? min : vyx_pinst_max(i);
}

/* ---- dialling ---- */

static void
back_off(struct vyx_pool *p, struct vyx_pinst *i, uint64_t now)
{
	i->back_ns *= 2;
	if (i->back_ns < VYX_BACK_MIN_NS)
		i->back_ns = VYX_BACK_MIN_NS;
	if (i->back_ns > VYX_BACK_MAX_NS)
		i->back_ns = VYX_BACK_MAX_NS;
	p->random = p->random * UINT64_C(6364136223846793005) + 1;
	i->back_until =
	    now + i->back_ns / 2 + (p->random >> 33) % (i->back_ns / 2 + 1);
	vyx_pool_by(p, i->back_until);
}

static void
dial_failed(struct vyx_pool *p, struct vyx_pinst *i, int error, uint64_t now)
{
	i->stat.failed++;
	if (error == EMFILE || error == ENFILE) {
		p->emfile_until = now + VYX_EMFILE_NS;
		vyx_pool_by(p, p->emfile_until);
		return;
	}
	back_off(p, i, now);
	if (error == EAGAIN || i->down) /* a full backlog is no fault */
		return;
	i->down = 1;
	vyx_pinst_touch(i);
	p->ops->up(p->arg, i->user, 0, error);
}

static int
may_dial(const struct vyx_pool *p, const struct vyx_pinst *i, uint64_t now)
{
	return vyx_pinst_usable(i) && i->counted < vyx_pinst_max(i) &&
	    now >= i->back_until && now >= p->emfile_until;
}

/* A new connection, nobody's yet: lend() or vyx_pconn_rest() it. */
static struct vyx_pconn *
dial(struct vyx_pool *p, struct vyx_pinst *i, uint64_t now)
{
	struct vyx_pconn *c, end = { .inst = i };

	if (!may_dial(p, i, now))
		return NULL;
	if ((end.fd = p->ops->dial(p->arg, i->user)) < 0) {
		dial_failed(p, i, errno, now);
		return NULL;
	}
	i->back_ns = i->back_until = 0;
	if (i->down) {
		i->down = 0;
		vyx_pinst_touch(i);
		p->ops->up(p->arg, i->user, 1, 0);
	}
	if (!(c = vyx_pconn_new(p, i, p->next, end.fd))) {
		p->ops->end(p->arg, &end);
		return NULL;
	}
	p->next++;
	i->stat.dials++;
	vyx_pconn_count(c, 1);
	return c;
}

static struct vyx_pconn *
lowest_free(const struct vyx_pinst *i)
{
	struct vyx_pconn *c = i->idle ? i->conns : NULL;

	while (c && c->place != VYX_POOL_FREE)
		c = c->next;
	return c;
}

/* For a waiting request: an idle one of the worker, else a new one of the
 * instance with the fewest. */
static struct vyx_pconn *
any(struct vyx_pool *p, struct vyx_pworker *w, uint64_t now)
{
	struct vyx_pconn *best = NULL, *c;
	struct vyx_pinst *i, *least;

	for (i = w->insts; i; i = i->wnext)
		if ((c = lowest_free(i)) && (!best || c->c < best->c))
			best = c;
	while (!best) {
		least = NULL;
		for (i = w->insts; i; i = i->wnext)
			if (may_dial(p, i, now) &&
			    (!least || i->counted < least->counted))
				least = i;
		if (!least)
			return NULL;
		best = dial(p, least, now); /* failed: it backs off */
		if (!best && may_dial(p, least, now))
			return NULL;
	}
	return best;
}

/* ---- lending ---- */

static int
lend(struct vyx_pool *p, struct vyx_ppeer *q, struct vyx_pconn *c, uint64_t now)
{
	struct vyx_pool_msg m = { .verb = VYX_V_CONN, .c = c->c };

	m.i = vyx_pinst_id(c->inst);
	m.w = vyx_pworker_id(c->inst->worker);
	if (!vyx_ppeer_put(p, q, &m, c->fd)) {
		if (c->place != VYX_POOL_FREE)
			vyx_pconn_rest(p, c, now);
		return 0;
	}
	vyx_pconn_lent(p, c);
	c->inst->stat.pushes++;
	vyx_pconn_own(c, q);
	return 1;
}

int
vyx_ppeer_ready(const struct vyx_pool *p, uint32_t k, uint64_t now)
{
	const struct vyx_ppeer *q = p->peer[k];

	return q && q->held && !q->blocked && now >= q->paused;
}

/* The peer whose waiter came first. */
static struct vyx_ppeer *
first(const struct vyx_pool *p, const struct vyx_pworker *w, uint64_t now)
{
	const struct vyx_plink *l, *best = NULL;
	struct vyx_ppeer *q = NULL;
	uint32_t k;

	for (k = 0; k < VYX_POOL_PEERS; k++) {
		if (!(l = w->link[k]) || !l->owed ||
		    !vyx_ppeer_ready(p, k, now))
			continue;
		if (!best ||
		    (l->since < best->since && VYX_MUTANT != VYX_MUTANT_FIFO)) {
			best = l;
			q = p->peer[k];
		}
	}
	return q;
}

/* Connections for those who wait. Sets starved. */
static void
serve_waiting(struct vyx_pool *p, struct vyx_pworker *w, uint64_t now)
{
	struct vyx_ppeer *q;
	struct vyx_pconn *c;

	w->starved = 0;
	while ((q = first(p, w, now))) {
		if (!(c = any(p, w, now))) {
			w->starved = 1;
			return;
		}
		if (lend(p, q, c, now))
			w->link[q->slot]->owed--;
	}
}

/* Idle ones ahead of need, as long as nobody waits. */
static void
serve_lack(struct vyx_pool *p, struct vyx_pinst *i, int routers, uint64_t now)
{
	struct vyx_pconn *c;
	uint32_t k, min = vyx_pinst_min(i);

	for (k = 0; k < VYX_POOL_PEERS && min; k++)
		while (i->lack[k] && vyx_ppeer_ready(p, k, now)) {
			if (!(c = lowest_free(i)) && !(c = dial(p, i, now)))
				return;
			if (lend(p, p->peer[k], c, now))
				i->lack[k]--;
		}
	while (!routers && i->idle < min && (c = dial(p, i, now)))
		if (!vyx_pconn_rest(p, c, now))
			return;
	if (i->down && (c = dial(p, i, now))) /* it is back */
		vyx_pconn_rest(p, c, now);
}

void
vyx_pworker_serve(struct vyx_pool *p, struct vyx_pworker *w, uint64_t now)
{
	struct vyx_pinst *i;
	int n = vyx_pool_routers(p) != 0;

	if (!p->settled && VYX_MUTANT != VYX_MUTANT_SETTLE)
		return;
	serve_waiting(p, w, now);
	for (i = w->insts; i && !w->starved; i = i->wnext)
		serve_lack(p, i, n, now);
}
