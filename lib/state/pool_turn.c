/* SPDX-License-Identifier: ISC */
/* pool_turn - what time brings about, and the end of each turn of the loop. */
#include <stdlib.h>

#include "state/pool_i.h"

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
			    c->place != VYX_POOL_LINGER && !c->moved)
				continue;
			if (c->until <= now) {
				i->stat.expired += c->place == VYX_POOL_FREE;
				vyx_pconn_end(p, c);
			} else if (c->until < p->scan_at)
				p->scan_at = c->until;
		}
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

	if (!p->dirty && now < p->due)
		return;
	if (now >= p->due)
		timed(p, now);
	list = p->dirty;
	p->dirty = NULL;
	while ((w = list)) {
		list = w->dnext;
		w->dirty = 0;
		vyx_pworker_serve(p, w, now);
		vyx_pworker_tell(p, w, now);
	}
	for (i = p->insts; i; i = next) {
		next = i->next;
		drain(p, i, now);
		vyx_pinst_tell(p, i);
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
