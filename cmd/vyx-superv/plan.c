/* SPDX-License-Identifier: ISC */
/* plan - wanted against there. Run after each change of either; it makes and
 * retires what differs and keeps nothing in mind. */
#include <stdio.h>

#include "superv.h"

static uint64_t
wanted(const struct work *w)
{
	return w->remote || w->drain ? 0 : w->replicas;
}

static struct inst *
current(struct superv *s, const struct work *w, uint64_t index)
{
	for (struct inst *n = s->insts; n; n = n->next)
		if (n->phase == WANTED && n->index == index &&
		    !strcmp(n->worker, w->id) && !strcmp(n->spec, w->spec))
			return n;
	return NULL;
}

/* What vyx-poold needs to know changes without a new process. */
static void
adjust(struct inst *n, const struct work *w)
{
	n->shutdown_ms = w->shutdown_ms;
	if (n->max == w->max && n->tunnels == w->tunnels && n->warm == w->warm)
		return;
	n->max = w->max;
	n->tunnels = w->tunnels;
	n->warm = w->warm;
	tell_soon(n);
}

static void
begin(struct superv *s, const struct work *w, uint64_t index)
{
	struct inst *n = inst_new(s, w->id, index, w->replicas == 1);
	char *why;

	if (!n) {
		vyx_log_sys(VYX_ERROR, "cannot make an instance", NULL);
		return;
	}
	memcpy(n->spec, w->spec, sizeof n->spec);
	n->fd = strstr(w->command, "{fd}") != NULL;
	adjust(n, w);
	why = make_inst(s, n, w);
	inst_prune_logs(n);
	if (why)
		inst_fail(n, why);
	else if (w->startup_ms)
		vyx_loop_timer(&s->loop, &n->limit,
		    s->loop.now + w->startup_ms * VYX_MS);
	tell_soon(n);
}

/* An instance of an older row serves until its successor does. */
static int
obsolete(struct superv *s, const struct inst *n)
{
	struct work *w = work_find(s, n->worker);
	struct inst *to;

	if (!w || n->index >= wanted(w))
		return 1;
	if (!strcmp(n->spec, w->spec))
		return 0;
	to = current(s, w, n->index);
	return n->state != VYX_S_READY || (to && to->state == VYX_S_READY);
}

void
plan_run(struct vyx_task *t)
{
	struct superv *s = VYX_OF(t, struct superv, plan);

	if (!s->known)
		return;
	for (struct work *w = s->works; w; w = w->next)
		for (uint64_t i = 0; i < wanted(w); i++) {
			struct inst *n = current(s, w, i);

			if (n)
				adjust(n, w);
			else
				begin(s, w, i);
		}
	for (struct inst *n = s->insts; n; n = n->next)
		if (n->phase == WANTED && obsolete(s, n))
			inst_retire(n);
}

void
plan_soon(struct superv *s)
{
	vyx_loop_defer(&s->loop, &s->plan);
}
