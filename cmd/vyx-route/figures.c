/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "router.h"

static void
worker(struct vyx_chan *to, const struct vyx_plan_worker *w)
{
	struct vyx_wstat s;

	vyx_window_stat(w->window, &s);
#define FIGURE(member) vyx_ctl_figure(to, #member, s.member, w->id, NULL)
	FIGURE(idle);
	FIGURE(busy);
	FIGURE(tunnels);
	FIGURE(waiting);
	FIGURE(lent);
	FIGURE(reuses);
	FIGURE(stale);
	FIGURE(timeouts);
	FIGURE(full);
	FIGURE(recalls);
#undef FIGURE
	for (unsigned i = 0; i < VYX_POOL_WHY_COUNT; i++) {
		char name[48];

		snprintf(name, sizeof name, "drop-%s", vyx_pool_why_name(i));
		vyx_ctl_figure(to, name, s.drops[i], w->id, NULL);
	}
}

/* Those that are not closed. */
static void
breakers(struct vyx_chan *to, const struct vyx_plan_table *table)
{
	for (size_t i = 0; table && i < table->n; i++) {
		const struct vyx_policy *p = table->target[i].policy;

		if (p->breaker.state != VYX_BREAKER_CLOSED)
			vyx_ctl_row(to, "breaker",
			    vyx_breaker_word(&p->breaker), p->key);
	}
}

void
figures(struct vyx_ctl *t, struct vyx_chan *to)
{
	struct router *r = VYX_OF(t, struct router, ctl);
	const struct counts *c = &r->counts;
	static const char *const classes[] = { NULL, "answers-1xx",
		"answers-2xx", "answers-3xx", "answers-4xx", "answers-5xx" };

	vyx_ctl_word(to, "state",
	    vyx_rec_state_name(r->draining ? VYX_S_DRAINING
	            : r->ready             ? VYX_S_READY
	                                   : VYX_S_STARTING),
	    NULL, NULL);
	vyx_ctl_figure(to, "revision", r->reg.rev, NULL, NULL);
	vyx_ctl_figure(to, "clients", r->doors.clients, NULL, NULL);
	vyx_ctl_figure(to, "clients-max", r->doors.most, NULL, NULL);
	vyx_ctl_figure(to, "requests", c->requests, NULL, NULL);
	for (unsigned i = 1; i < VYX_COUNT(classes); i++)
		vyx_ctl_figure(to, classes[i], c->classes[i], NULL, NULL);
	vyx_ctl_figure(to, "aborted", c->aborted, NULL, NULL);
	vyx_ctl_figure(to, "retries", c->retries, NULL, NULL);
	vyx_ctl_figure(to, "refused", c->refused, NULL, NULL);
	vyx_ctl_figure(to, "limited", c->limited, NULL, NULL);
	vyx_ctl_figure(to, "unauthorized", c->unauthorized, NULL, NULL);
	vyx_ctl_figure(to, "forbidden", c->forbidden, NULL, NULL);
	vyx_ctl_figure(to, "invalid", c->invalid, NULL, NULL);
	vyx_ctl_figure(to, "shut", c->shut, NULL, NULL);
	vyx_ctl_figure(to, "upgrades", c->tunnels, NULL, NULL);
	vyx_ctl_figure(to, "buffers", r->slabs.out, NULL, NULL);
	vyx_ctl_figure(to, "log-dropped", r->log.dropped, NULL, NULL);
	breakers(to, r->plan.table);
	for (const struct vyx_plan_worker *w = r->plan.workers; w; w = w->next)
		worker(to, w);
}
