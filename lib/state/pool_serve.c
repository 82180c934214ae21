/* SPDX-License-Identifier: ISC */
/* pool_serve - who gets the next connection, and what is called back. */
#include <errno.h>
#include <stdlib.h>

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

uint32_t
vyx_pinst_min(const struct vyx_pinst *i)
{
	uint32_t min = i->conf.min;

	if (i->class == CLASS_ONESHOT || !vyx_pinst_usable(i) ||
	    (i->class == CLASS_UNPROVEN && !i->conf.explicit))
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
put(struct vyx_pool *p, struct vyx_ppeer *q, const struct vyx_pool_msg *m,
    int fd)
{
	if (!q->blocked && !p->ops->send(p->arg, q->user, m, fd))
		q->blocked = 1;
	return !q->blocked;
}

static int
lend(struct vyx_pool *p, struct vyx_ppeer *q, struct vyx_pconn *c, uint64_t now)
{
	struct vyx_pool_msg m = { .verb = VYX_V_CONN, .c = c->c };

	m.i = vyx_pinst_id(c->inst);
	m.w = vyx_pworker_id(c->inst->worker);
	if (!put(p, q, &m, c->fd)) {
		if (c->place != VYX_POOL_FREE)
			vyx_pconn_rest(p, c, now);
		return 0;
	}
	vyx_pconn_lent(p, c);
	c->inst->stat.pushes++;
	vyx_pconn_own(c, q);
	return 1;
}

static int
ready(const struct vyx_pool *p, uint32_t k, uint64_t now)
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
		if (!(l = w->link[k]) || !l->owed || !ready(p, k, now))
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
		while (i->lack[k] && ready(p, k, now)) {
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

/* ---- windows ---- */

static uint32_t
routers(const struct vyx_pool *p)
{
	uint32_t k, n = 0;

	for (k = 0; k < VYX_POOL_PEERS; k++)
		n += p->peer[k] && p->peer[k]->held && !p->peer[k]->bye &&
		    p->peer[k]->role == VYX_P_ROUTE;
	return n;
}

/* Returns 0 when the peer takes no more. */
static int
put_window(struct vyx_pool *p, struct vyx_pworker *w, struct vyx_ppeer *q,
    uint32_t low, const struct vyx_pool_msg *m)
{
	struct vyx_plink *l = vyx_plink_make(w, q);
	struct vyx_pool_msg out = *m;

	out.low = low;
	if (!l ||
	    (l->windowed && l->up == m->up && l->low == low &&
	        l->tunnels == m->tunnels && l->idle_ms == m->idle_ms))
		return 1;
	if (!put(p, q, &out, -1))
		return 0;
	l->windowed = 1;
	l->up = m->up;
	l->low = low;
	l->tunnels = m->tunnels;
	l->idle_ms = m->idle_ms;
	return 1;
}

static void
windows(struct vyx_pool *p, struct vyx_pworker *w)
{
	uint32_t k, n = routers(p), base = 0, low, given = 0, max = UINT32_MAX;
	struct vyx_pool_msg m = { .verb = VYX_V_WINDOW };
	const struct vyx_pinst *i;
	struct vyx_ppeer *q;

	m.w = vyx_pworker_id(w);
	m.idle_ms = w->idle_ms;
	for (i = w->insts; i; i = i->wnext) {
		if (vyx_pinst_min(i) > base)
			base = vyx_pinst_min(i);
		if (vyx_pinst_min(i) && vyx_pinst_max(i) < max)
			max = vyx_pinst_max(i);
		if (vyx_pinst_usable(i) && i->conf.tunnels > m.tunnels)
			m.tunnels = i->conf.tunnels;
		m.up |= vyx_pinst_usable(i) && !i->down;
	}
	low = n ? (base + n - 1) / n : 0;
	for (k = 0; k < VYX_POOL_PEERS; k++) {
		if (!(q = p->peer[k]) || !q->heard || q->blocked)
			continue;
		if (q->role != VYX_P_ROUTE) {
			/* only of what it asked for, once that is known */
			if (w->link[k] && p->settled)
				put_window(p, w, q, 0, &m);
		} else if (!q->held || q->bye || low > max - given)
			put_window(p, w, q, 0, &m);
		else {
			given += low;
			put_window(p, w, q, low, &m);
		}
	}
}

/* ---- recall ---- */

/* What others than q are owed, and the arrival of the oldest of them. */
static uint32_t
owed_others(const struct vyx_pool *p, const struct vyx_pworker *w, uint32_t q,
    uint64_t *before)
{
	const struct vyx_plink *l;
	uint32_t k, n = 0;

	*before = VYX_PNEVER;
	for (k = 0; k < VYX_POOL_PEERS; k++) {
		if (k == q || !p->peer[k] || !(l = w->link[k]) || !l->owed)
			continue;
		n += l->owed;
		if (l->since < *before)
			*before = l->since;
	}
	return n;
}

static void
recall(struct vyx_pool *p, struct vyx_pworker *w, struct vyx_ppeer *q,
    uint64_t now)
{
	struct vyx_plink *l = w->link[q->slot];
	struct vyx_pool_msg m = { .verb = VYX_V_RECALL };

	m.w = vyx_pworker_id(w);
	if (w->starved && l->loans)
		m.n = owed_others(p, w, q->slot, &m.before);
	if (!m.n)
		m.before = 0;
	if (m.n == l->told_n && m.before == l->told_before)
		return;
	if (!m.n == !l->told_n && now - l->told_at < VYX_RECALL_NS) {
		vyx_pworker_touch(w);
		vyx_pool_by(p, l->told_at + VYX_RECALL_NS);
		return;
	}
	if (!put(p, q, &m, -1))
		return;
	if (!l->told_n) {
		l->recall_from = now;
		w->recalls++;
		vyx_pool_by(p, now + VYX_REVOKE_NS);
	}
	l->told_n = m.n;
	l->told_before = m.before;
	l->told_at = now;
}

/* It was asked for idle ones, said that it had them, and gave none. */
static int
withholds(const struct vyx_pworker *w, const struct vyx_ppeer *q, uint64_t now)
{
	const struct vyx_plink *l = w->link[q->slot];
	const struct vyx_pinst *i;
	uint32_t lows = 0;

	if (!l || !l->told_n || !l->low || l->waiting ||
	    now - l->recall_from < VYX_REVOKE_NS)
		return 0;
	for (i = w->insts; i; i = i->wnext) {
		if (!vyx_pinst_min(i))
			continue;
		if (i->lack[q->slot])
			return 0;
		lows++;
	}
	return lows != 0;
}

static void
revoke(struct vyx_pool *p, uint64_t now)
{
	struct vyx_pworker *w;
	struct vyx_ppeer *q;
	void *user;
	uint32_t k;

	for (k = 0; k < VYX_POOL_PEERS; k++) {
		for (w = p->workers; (q = p->peer[k]) && w; w = w->next) {
			if (w->link[k] && w->link[k]->told_n)
				vyx_pool_by(p, now + 100 * VYX_PMS);
			if (!withholds(w, q, now))
				continue;
			user = q->user;
			vyx_pool_peer_gone(p, q, now);
			p->ops->cut(p->arg, user, "gave nothing back");
		}
	}
}

/* ---- instances that go ---- */

/* Do the routers have what they should of those that stay? */
static int
filled(const struct vyx_pool *p, const struct vyx_pworker *w)
{
	const struct vyx_pinst *i;
	uint32_t k;

	for (i = w->insts; i; i = i->wnext)
		for (k = 0; k < VYX_POOL_PEERS && vyx_pinst_min(i); k++)
			if (p->peer[k] && w->link[k] &&
			    (i->lack[k] || (w->link[k]->low && !i->counted)))
				return 0;
	return 1;
}

static void
drain(struct vyx_pool *p, struct vyx_pinst *i, uint64_t now)
{
	if (!i->known || !i->conf.draining || i->drained)
		return;
	if (!i->voided) {
		if (now < i->drain_at && !filled(p, i->worker)) {
			vyx_pool_by(p, i->drain_at);
			return;
		}
		i->voided = 1;
		vyx_pinst_void(p, i, p->next);
	}
	if (i->counted + i->tunnels == 0) {
		i->drained = 1;
		p->ops->drained(p->arg, i->user);
	}
}

static void
put_voids(struct vyx_pool *p, struct vyx_pinst *i)
{
	struct vyx_pool_msg m = { .verb = VYX_V_VOID };
	uint32_t k;

	m.i = vyx_pinst_id(i);
	m.below = i->mark;
	for (k = 0; k < VYX_POOL_PEERS && i->void_for; k++)
		if (i->void_for >> k & 1 && p->peer[k] &&
		    put(p, p->peer[k], &m, -1))
			i->void_for &= ~(UINT64_C(1) << k);
}

/* ---- the turn ---- */

static void
scan(struct vyx_pool *p, uint64_t now)
{
	struct vyx_pinst *i;
	struct vyx_pconn *c, *next;

	p->scan_at = VYX_PNEVER;
	for (i = p->insts; i; i = i->next)
		for (c = i->conns; c; c = next) {
			next = c->next;
			if (c->place != VYX_POOL_FREE &&
			    c->place != VYX_POOL_LINGER)
				continue;
			if (c->until <= now) {
				i->stat.expired += c->place == VYX_POOL_FREE;
				vyx_pconn_end(p, c);
			} else if (c->until < p->scan_at)
				p->scan_at = c->until;
		}
}

static void
serve(struct vyx_pool *p, struct vyx_pworker *w, int n, uint64_t now)
{
	struct vyx_pinst *i;
	uint32_t k;

	if (p->settled || VYX_MUTANT == VYX_MUTANT_SETTLE) {
		serve_waiting(p, w, now);
		for (i = w->insts; i && !w->starved; i = i->wnext)
			serve_lack(p, i, n, now);
	}
	windows(p, w);
	for (k = 0; k < VYX_POOL_PEERS; k++)
		if (p->peer[k] && w->link[k] && !p->peer[k]->blocked &&
		    p->peer[k]->role == VYX_P_ROUTE)
			recall(p, w, p->peer[k], now);
}

static void
reap_worker(struct vyx_pool *p, struct vyx_pworker *w)
{
	struct vyx_pworker **at = &p->workers;
	uint32_t k;

	if (w->known || w->insts || w->dirty)
		return;
	for (k = 0; k < VYX_POOL_PEERS; k++)
		if (w->link[k] && (w->link[k]->waiting || w->link[k]->up))
			return;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	for (k = 0; k < VYX_POOL_PEERS; k++)
		free(w->link[k]);
	free(w);
}

/* A time until which something was held back: is it over? */
static int
ended(struct vyx_pool *p, uint64_t *until, uint64_t now)
{
	if (*until == 0)
		return 0;
	if (now < *until) {
		vyx_pool_by(p, *until);
		return 0;
	}
	*until = 0;
	return 1;
}

/* What time alone brings about. */
static void
timed(struct vyx_pool *p, uint64_t now)
{
	struct vyx_pworker *w;
	struct vyx_pinst *i;
	uint32_t k;
	int over;

	p->due = VYX_PNEVER;
	if (!p->settled && now >= p->settle_at)
		vyx_pool_settle(p, now);
	if (!p->settled)
		vyx_pool_by(p, p->settle_at);
	if (now >= p->scan_at)
		scan(p, now);
	for (i = p->insts; i; i = i->next) {
		vyx_pinst_class_turn(p, i, now);
		if (ended(p, &i->back_until, now))
			vyx_pinst_touch(i);
	}
	revoke(p, now);
	over = ended(p, &p->emfile_until, now);
	for (k = 0; k < VYX_POOL_PEERS; k++)
		over |= p->peer[k] && ended(p, &p->peer[k]->paused, now);
	for (w = p->workers; w && over; w = w->next)
		vyx_pworker_touch(w);
}

void
vyx_pool_turn(struct vyx_pool *p, uint64_t now)
{
	struct vyx_pworker *w, *list;
	struct vyx_pinst *i, *next;
	int n;

	if (!p->dirty && now < p->due)
		return;
	if (now >= p->due)
		timed(p, now);
	n = (int)routers(p);
	list = p->dirty;
	p->dirty = NULL;
	while ((w = list)) {
		list = w->dnext;
		w->dirty = 0;
		serve(p, w, n, now);
	}
	for (i = p->insts; i; i = next) {
		next = i->next;
		drain(p, i, now);
		put_voids(p, i);
		vyx_pinst_reap(p, i);
	}
	for (w = p->workers; w; w = list) {
		list = w->next;
		reap_worker(p, w);
	}
	vyx_pool_by(p, p->scan_at);
}

uint64_t
vyx_pool_due(const struct vyx_pool *p)
{
	return p->due;
}

void
vyx_pool_settle(struct vyx_pool *p, uint64_t now)
{
	struct vyx_pworker *w;

	if (p->settled)
		return;
	p->settled = 1;
	for (w = p->workers; w; w = w->next)
		vyx_pworker_touch(w);
	vyx_pool_by(p, now);
}

void
vyx_pool_writable(struct vyx_pool *p, struct vyx_ppeer *q)
{
	struct vyx_pworker *w;

	q->blocked = 0;
	for (w = p->workers; w; w = w->next)
		vyx_pworker_touch(w);
	vyx_pool_by(p, 0);
}
