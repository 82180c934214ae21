/* SPDX-License-Identifier: ISC */
/* pool_tell - what the routers are told: windows, recalls, voids. */
#include "state/pool_i.h"

int
vyx_ppeer_put(struct vyx_pool *p, struct vyx_ppeer *q,
    const struct vyx_pool_msg *m, int fd)
{
	if (!q->blocked && !p->ops->send(p->arg, q->user, m, fd))
		q->blocked = 1;
	return !q->blocked;
}

uint32_t
vyx_pool_routers(const struct vyx_pool *p)
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
	if (!vyx_ppeer_put(p, q, &out, -1))
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
	uint32_t k, n = vyx_pool_routers(p), base = 0, low, given = 0,
	            max = UINT32_MAX;
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
    uint64_t now, uint64_t *before)
{
	const struct vyx_plink *l;
	uint32_t k, n = 0;

	*before = VYX_PNEVER;
	for (k = 0; k < VYX_POOL_PEERS; k++) {
		if (k == q || !(l = w->link[k]) || !l->owed ||
		    !vyx_ppeer_ready(p, k, now))
			continue; /* what it cannot be sent is not for it */
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
		m.n = owed_others(p, w, q->slot, now, &m.before);
	if (!m.n)
		m.before = 0;
	if (m.n == l->told_n && m.before == l->told_before)
		return;
	if (!m.n == !l->told_n && now - l->told_at < VYX_RECALL_NS) {
		vyx_pworker_touch(w);
		vyx_pool_by(p, l->told_at + VYX_RECALL_NS);
		return;
	}
	if (!vyx_ppeer_put(p, q, &m, -1))
		return;
	if (!l->told_n) {
		l->recall_from = now;
		vyx_pool_by(p, now + VYX_REVOKE_NS);
	}
	l->told_n = m.n;
	l->told_before = m.before;
	l->told_at = now;
}

void
vyx_pinst_tell(struct vyx_pool *p, struct vyx_pinst *i)
{
	struct vyx_pool_msg m = { .verb = VYX_V_VOID };
	uint32_t k;

	m.i = vyx_pinst_id(i);
	m.below = i->mark;
	for (k = 0; k < VYX_POOL_PEERS && i->void_for; k++)
		if (i->void_for >> k & 1 && p->peer[k] &&
		    vyx_ppeer_put(p, p->peer[k], &m, -1))
			i->void_for &= ~(UINT64_C(1) << k);
}

void
vyx_pworker_tell(struct vyx_pool *p, struct vyx_pworker *w, uint64_t now)
{
	uint32_t k;

	windows(p, w);
	for (k = 0; k < VYX_POOL_PEERS; k++)
		if (p->peer[k] && w->link[k] && !p->peer[k]->blocked &&
		    p->peer[k]->role == VYX_P_ROUTE)
			recall(p, w, p->peer[k], now);
}
