/* SPDX-License-Identifier: ISC */
/* pool - the life of a connection. HOP 4 */
#include "state/pool.h"

#include <stdlib.h>

#include "state/pool_i.h"

/* ---- who has it, what it counts in ---- */

void
vyx_pconn_count(struct vyx_pconn *c, uint8_t counts)
{
	struct vyx_pinst *i = c->inst;

	i->counted -= c->counts == 1;
	i->tunnels -= c->counts == 2;
	c->counts = counts;
	i->counted += counts == 1;
	i->tunnels += counts == 2;
}

void
vyx_pinst_assort(struct vyx_pinst *i)
{
	struct vyx_pconn *c;

	for (c = i->conns; c; c = c->next) {
		if (c->place != VYX_POOL_TUNNEL)
			continue;
		if (i->known && i->tunnels > i->conf.tunnels && c->counts == 2)
			vyx_pconn_count(c, 1);
		else if (c->counts == 1 &&
		    (!i->known || i->tunnels < i->conf.tunnels))
			vyx_pconn_count(c, 2);
	}
}

struct vyx_plink *
vyx_pconn_link(const struct vyx_pconn *c)
{
	struct vyx_pworker *w = c->inst->worker;

	return w && c->peer ? w->link[c->peer->slot] : NULL;
}

void
vyx_pconn_own(struct vyx_pconn *c, struct vyx_ppeer *q)
{
	struct vyx_plink *l;

	c->peer = q;
	c->pprev = NULL;
	c->pnext = q->conns;
	if (q->conns)
		q->conns->pprev = c;
	q->conns = c;
	q->loans++;
	if (c->inst->worker && (l = vyx_plink_make(c->inst->worker, q)))
		l->loans++;
}

void
vyx_pconn_disown(struct vyx_pconn *c)
{
	struct vyx_ppeer *q = c->peer;
	struct vyx_plink *l = vyx_pconn_link(c);

	if (!q)
		return;
	vyx_pinst_unstuck(c);
	if (l && l->loans)
		l->loans--;
	if (c->pnext)
		c->pnext->pprev = c->pprev;
	*(c->pprev ? &c->pprev->pnext : &q->conns) = c->pnext;
	q->loans--;
	c->peer = NULL;
	c->moved = 0;
}

int
vyx_pconn_watch(struct vyx_pool *p, struct vyx_pconn *c, int how)
{
	if (c->watched == how)
		return 1;
	if (how && !p->ops->watch(p->arg, c, how))
		return 0;
	if (!how)
		p->ops->watch(p->arg, c, 0);
	c->watched = (uint8_t)how;
	return 1;
}

void
vyx_pconn_end(struct vyx_pool *p, struct vyx_pconn *c)
{
	struct vyx_pinst *i = c->inst;
	int tunnel;

	vyx_pconn_watch(p, c, 0);
	i->idle -= c->place == VYX_POOL_FREE;
	vyx_pconn_disown(c);
	tunnel = c->counts == 2;
	vyx_pconn_count(c, 0);
	vyx_pconn_unlink(p, c);
	if (tunnel)
		vyx_pinst_assort(i);
	if (c->fd >= 0)
		p->ops->end(p->arg, c);
	free(c);
	vyx_pinst_touch(i);
	vyx_pool_by(p, 0);
}

void
vyx_pconn_lent(struct vyx_pool *p, struct vyx_pconn *c)
{
	vyx_pconn_watch(p, c, 0);
	c->inst->idle -= c->place == VYX_POOL_FREE;
	c->place = VYX_POOL_LENT;
}

/* Below its instance's mark: a void that crossed its give still holds. */
static int
is_void(const struct vyx_pconn *c)
{
	return c->c < c->inst->mark && VYX_MUTANT != VYX_MUTANT_MARK;
}

void
vyx_pconn_ends_at(struct vyx_pool *p, struct vyx_pconn *c, uint64_t until)
{
	c->until = until;
	if (until < p->scan_at) {
		p->scan_at = until;
		vyx_pool_by(p, until);
	}
}

int
vyx_pconn_rest(struct vyx_pool *p, struct vyx_pconn *c, uint64_t now)
{
	struct vyx_pinst *i = c->inst;
	uint64_t idle_ms = i->worker ? i->worker->idle_ms : 0;

	vyx_pconn_disown(c);
	if (is_void(c) || !vyx_pinst_usable(i) || c->fd < 0 || c->counts != 1 ||
	    !vyx_pconn_watch(p, c, 1)) {
		vyx_pconn_end(p, c);
		return 0;
	}
	c->place = VYX_POOL_FREE;
	i->idle++;
	vyx_pconn_ends_at(p, c, idle_ms ? now + idle_ms * VYX_PMS : VYX_PNEVER);
	vyx_pinst_touch(i);
	return 1;
}

void
vyx_pool_event(struct vyx_pool *p, struct vyx_pconn *c, uint64_t now)
{
	(void)now;
	c->inst->stat.stale += c->place == VYX_POOL_FREE;
	vyx_pconn_end(p, c);
}

void
vyx_pinst_void(struct vyx_pool *p, struct vyx_pinst *i, uint64_t mark)
{
	struct vyx_pconn *c, *next;
	uint32_t k;

	if (mark > i->mark)
		i->mark = mark;
	i->stat.voids++;
	for (k = 0; k < VYX_POOL_PEERS; k++)
		if (p->peer[k] && p->peer[k]->role == VYX_P_ROUTE)
			i->void_for |= UINT64_C(1) << k;
	for (c = i->conns; c && c->c < mark; c = next) {
		next = c->next;
		if (c->place == VYX_POOL_FREE)
			vyx_pconn_end(p, c);
	}
	vyx_pinst_touch(i);
	vyx_pool_by(p, 0);
}

void
vyx_pinst_trim(struct vyx_pool *p, struct vyx_pinst *i)
{
	uint32_t over, max = vyx_pinst_max(i);
	struct vyx_pconn *c;

	if (!i->known || i->counted <= max)
		return;
	over = i->counted - max;
	for (c = i->conns; c; c = c->next)
		if (c->counts == 1 && --over == 0)
			break;
	if (c && c->c >= i->mark)
		vyx_pinst_void(p, i, c->c + 1);
}

void
vyx_pool_peer_gone(struct vyx_pool *p, struct vyx_ppeer *q, uint64_t now)
{
	struct vyx_pworker *w;
	struct vyx_pinst *i, *next;
	struct vyx_pconn *c;

	(void)now;
	while ((c = q->conns)) {
		if (VYX_MUTANT == VYX_MUTANT_SHUTDOWN)
			vyx_pconn_disown(c);
		else if (c->claim && c->claim != q) {
			/* it was handed on; `moved` died with q */
			vyx_pconn_disown(c);
			vyx_pconn_own(c, c->claim);
			c->claim = NULL;
		} else
			vyx_pconn_end(p, c);
	}
	p->peer[q->slot] = NULL;
	for (w = p->workers; w; w = w->next) {
		free(w->link[q->slot]);
		w->link[q->slot] = NULL;
		vyx_pworker_touch(w); /* shares change */
	}
	for (i = p->insts; i; i = next) {
		next = i->next;
		i->lack[q->slot] = 0;
		i->void_for &= ~(UINT64_C(1) << q->slot);
		for (c = i->conns; c; c = c->next)
			if (c->claim == q)
				c->claim = NULL;
		vyx_pinst_reap(p, i);
	}
	free(q);
	vyx_pool_by(p, 0);
}

/* ---- rows of endpoints ---- */

struct vyx_pinst *
vyx_pool_endpoint(struct vyx_pool *p, struct vyx_str wid, struct vyx_str id,
    const struct vyx_pool_conf *conf, void *user, uint64_t now)
{
	struct vyx_pworker *w = vyx_pworker_make(p, wid);
	struct vyx_pinst *i = w ? vyx_pinst_make(p, id) : NULL;
	struct vyx_pconn *c, *next;

	if (!i)
		return NULL;
	vyx_pinst_bind(i, w);
	if (conf->draining && !(i->known && i->conf.draining)) {
		i->voided = i->drained = 0;
		i->drain_at = now + VYX_DRAIN_NS;
	}
	if (i->down)
		i->back_until = 0; /* its row was put again: try at once */
	i->known = 1;
	i->conf = *conf;
	i->user = user;
	if (conf->draining)
		for (c = i->conns; c; c = next) {
			next = c->next;
			if (c->place == VYX_POOL_FREE)
				vyx_pconn_end(p, c);
		}
	vyx_pinst_assort(i);
	vyx_pinst_trim(p, i);
	vyx_pworker_touch(w);
	vyx_pool_by(p, now);
	return i;
}

void
vyx_pool_endpoint_del(struct vyx_pool *p, struct vyx_str id, uint64_t now)
{
	struct vyx_pinst *i = vyx_pinst_find(p, id);

	if (!i || !i->known)
		return;
	i->known = 0;
	i->user = NULL;
	vyx_pinst_void(p, i, p->next);
	vyx_pool_by(p, now);
}
