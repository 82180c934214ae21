/* SPDX-License-Identifier: ISC */
#include "router.h"

/*
 * Content that is passed on while it comes holds a worker's connection at its
 * client's pace. So half of a worker's connections, shared by the routers, are
 * all that such requests may have: the others wait here, in their order, and
 * take no place among those who wait for a connection. One whose content is
 * all in needs no place.
 */

static unsigned
most(const struct router *r, const struct vyx_plan_worker *w)
{
	uint64_t n = w->connections / 2 / (r->routers ? r->routers : 1);

	return n ? (unsigned)n : 1;
}

/* May it go for a connection? 0: it stands in the line, stream_turn calls it. */
int
stream_enter(struct exchange *x)
{
	struct vyx_plan_worker *w = x->worker;

	if (x->in_end || x->placed)
		return 1;
	if (!w->line && w->placed < most(x->r, w)) {
		w->placed++;
		x->placed = 1;
		return 1;
	}
	x->line.next = NULL;
	x->line.prev = w->line ? w->line_end : &w->line;
	*x->line.prev = &x->line;
	w->line_end = &x->line.next;
	return 0;
}

static void
step_out(struct exchange *x)
{
	struct vyx_plan_place *l = &x->line;

	*l->prev = l->next;
	if (l->next)
		l->next->prev = l->prev;
	else
		x->worker->line_end = l->prev;
	l->prev = NULL;
}

/* It needs no place any more. 1: it stood in the line. */
int
stream_leave(struct exchange *x)
{
	int stood = x->line.prev != NULL;

	if (stood)
		step_out(x);
	if (x->placed) {
		x->placed = 0;
		x->worker->placed--;
		if (x->worker->line)
			vyx_loop_defer(&x->r->loop, &x->r->places);
	}
	return stood;
}

/* Places became free in this turn. */
void
stream_turn(struct vyx_task *t)
{
	struct router *r = VYX_OF(t, struct router, places);

	for (struct vyx_plan_worker *w = r->plan.workers, *next; w; w = next) {
		w->refs++; /* it may lose its last request here */
		while (w->line && w->placed < most(r, w)) {
			struct exchange *x =
			    VYX_OF(w->line, struct exchange, line);

			step_out(x);
			w->placed++;
			x->placed = 1;
			decide_enter(x);
		}
		next = w->next;
		vyx_plan_worker_left(&r->plan, w);
	}
}
