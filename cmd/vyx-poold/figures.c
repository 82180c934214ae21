/* SPDX-License-Identifier: ISC */
/* figures - what `vyx status` and vyx-status show of the pool. */
#include "poold.h"

static void
of_worker(struct poold *d, const struct worker *w, struct vyx_chan *to)
{
	struct vyx_pool_stat s;

	if (!vyx_pool_stat_worker(d->pool, VYX_STRZ(w->id), &s))
		return;
	vyx_ctl_figure(to, "waiting", s.waiting, w->id, NULL);
	vyx_ctl_figure(to, "dials", s.dials, w->id, NULL);
	vyx_ctl_figure(to, "failed-dials", s.failed, w->id, NULL);
	vyx_ctl_figure(to, "lent", s.pushes, w->id, NULL);
	vyx_ctl_figure(to, "stale", s.stale, w->id, NULL);
	vyx_ctl_figure(to, "expired", s.expired, w->id, NULL);
	vyx_ctl_figure(to, "recalls", s.recalls, w->id, NULL);
}

static void
of_instance(const struct endpoint *e, struct vyx_chan *to)
{
	struct vyx_pool_stat s;

	if (!e->inst)
		return;
	vyx_pool_stat_inst(e->inst, &s);
	vyx_ctl_figure(to, "up", (uint64_t)vyx_pool_inst_up(e->inst), e->w,
	    e->i);
	vyx_ctl_word(to, "class", vyx_pool_inst_class(e->inst), e->w, e->i);
	vyx_ctl_figure(to, "idle-here", s.idle, e->w, e->i);
	vyx_ctl_figure(to, "on-loan", s.lent, e->w, e->i);
	vyx_ctl_figure(to, "lingering", s.linger, e->w, e->i);
	vyx_ctl_figure(to, "tunnels", s.tunnels, e->w, e->i);
	vyx_ctl_figure(to, "max", s.max, e->w, e->i);
}

void
figures(struct vyx_ctl *t, struct vyx_chan *to)
{
	struct poold *d = VYX_OF(t, struct poold, ctl);
	uint64_t peers = 0;

	for (const struct peer *p = d->peers; p; p = p->next)
		peers++;
	vyx_ctl_figure(to, "peers", peers, NULL, NULL);
	vyx_ctl_figure(to, "descriptors-may", d->fds_may, NULL, NULL);
	vyx_ctl_figure(to, "descriptors-wanted", d->fds_want, NULL, NULL);
	for (const struct worker *w = d->workers; w; w = w->next)
		of_worker(d, w, to);
	for (const struct endpoint *e = d->endpoints; e; e = e->next)
		of_instance(e, to);
}
