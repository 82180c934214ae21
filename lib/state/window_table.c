/* SPDX-License-Identifier: ISC */
/* window_table - workers, instances and the heap of idle connections. */
#include <errno.h>
#include <stdlib.h>

#include "state/window_i.h"

struct vyx_wworker *
vyx_window_find(struct vyx_window *win, struct vyx_str id)
{
	struct vyx_wworker *w;

	for (w = win->workers; w; w = w->next)
		if (vyx_str_eq(vyx_wworker_id(w), id))
			return w;
	return NULL;
}

struct vyx_wworker *
vyx_window_worker(struct vyx_window *win, struct vyx_str id, int least,
    uint32_t max_waiting)
{
	struct vyx_wworker *w = vyx_window_find(win, id);

	if (id.n == 0 || id.n > VYX_POOL_W) {
		errno = EINVAL;
		return NULL;
	}
	if (!w) {
		if (!(w = calloc(1, sizeof *w)))
			return NULL;
		w->win = win;
		w->due = VYX_NEVER;
		memcpy(w->id, id.p, id.n);
		w->idn = (uint8_t)id.n;
		w->next = win->workers;
		win->workers = w;
	}
	w->least = least != 0;
	w->max_waiting = max_waiting;
	w->gone = 0;
	return w;
}

int
vyx_window_worker_del(struct vyx_window *win, struct vyx_wworker *worker,
    uint64_t now)
{
	struct vyx_winst *i;

	(void)now;
	if (worker->head) {
		errno = EBUSY;
		return 0;
	}
	worker->gone = 1;
	for (i = worker->insts; i; i = i->next)
		i->up = 0;
	vyx_wworker_give(worker, UINT32_MAX);
	vyx_wworker_touch(worker);
	vyx_window_by(win, 0);
	return 1;
}

struct vyx_winst *
vyx_winst_find(struct vyx_wworker *w, struct vyx_str id)
{
	struct vyx_winst *i;

	for (i = w->insts; i; i = i->next)
		if (vyx_str_eq(vyx_winst_id(i), id))
			return i;
	return NULL;
}

struct vyx_winst *
vyx_winst_make(struct vyx_wworker *w, struct vyx_str id)
{
	struct vyx_winst *i = vyx_winst_find(w, id);

	if (i)
		return i;
	if (id.n == 0 || id.n > VYX_POOL_I) {
		errno = EPROTO;
		return NULL;
	}
	if (!(i = calloc(1, sizeof *i)))
		return NULL;
	i->worker = w;
	memcpy(i->id, id.p, id.n);
	i->idn = (uint8_t)id.n;
	i->next = w->insts;
	w->insts = i;
	return i;
}

int
vyx_window_endpoint(struct vyx_window *win, struct vyx_wworker *worker,
    struct vyx_str id, int up, uint32_t max, uint64_t now)
{
	struct vyx_winst *i;

	(void)now;
	i = up ? vyx_winst_make(worker, id) : vyx_winst_find(worker, id);
	if (i) {
		i->up = up != 0;
		i->max = max;
		vyx_wworker_touch(worker);
		vyx_window_by(win, 0);
	}
	return i || !up;
}

void
vyx_wworker_reap(struct vyx_wworker *w)
{
	struct vyx_winst **at = &w->insts, *i;
	struct vyx_wworker **wat = &w->win->workers;

	while ((i = *at)) {
		if (i->up || i->conns || i->say) {
			at = &i->next;
			continue;
		}
		*at = i->next;
		free(i->heap);
		free(i);
	}
	if (!w->gone || w->insts || w->head || w->dirty)
		return;
	while (*wat != w)
		wat = &(*wat)->next;
	*wat = w->next;
	free(w);
}

/* The ring holds the instances with an idle connection; the turn is ring's. */
static void
ring_in(struct vyx_winst *i)
{
	struct vyx_wworker *w = i->worker;

	if (!w->ring) {
		i->rnext = i->rprev = w->ring = i;
		return;
	}
	i->rnext = w->ring;
	i->rprev = w->ring->rprev;
	i->rprev->rnext = i->rnext->rprev = i;
}

static void
ring_out(struct vyx_winst *i)
{
	struct vyx_wworker *w = i->worker;

	i->rprev->rnext = i->rnext;
	i->rnext->rprev = i->rprev;
	if (w->ring == i)
		w->ring = i->rnext == i ? NULL : i->rnext;
}

static void
heap_set(struct vyx_winst *i, uint32_t at, struct vyx_wconn *c)
{
	i->heap[at] = c;
	c->at = at;
}

static void
heap_up(struct vyx_winst *i, uint32_t at, struct vyx_wconn *c)
{
	while (at && i->heap[(at - 1) / 2]->c > c->c) {
		heap_set(i, at, i->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_set(i, at, c);
}

static void
heap_down(struct vyx_winst *i, uint32_t at, struct vyx_wconn *c)
{
	uint32_t kid;

	while ((kid = 2 * at + 1) < i->idle) {
		if (kid + 1 < i->idle && i->heap[kid + 1]->c < i->heap[kid]->c)
			kid++;
		if (i->heap[kid]->c > c->c)
			break;
		heap_set(i, at, i->heap[kid]);
		at = kid;
	}
	heap_set(i, at, c);
}

int
vyx_winst_push(struct vyx_winst *i, struct vyx_wconn *c)
{
	struct vyx_wconn **grown;
	uint32_t cap;

	if (i->idle == i->cap) {
		cap = i->cap ? 2 * i->cap : 8;
		grown = reallocarray(i->heap, cap, sizeof(struct vyx_wconn *));
		if (!grown)
			return 0;
		i->heap = grown;
		i->cap = cap;
	}
	if (i->idle++ == 0)
		ring_in(i);
	heap_up(i, i->idle - 1, c);
	return 1;
}

void
vyx_winst_pull(struct vyx_winst *i, struct vyx_wconn *c)
{
	struct vyx_wconn *last = i->heap[--i->idle];

	if (last != c) {
		/* `last` may belong above or below the hole */
		if (c->at && i->heap[(c->at - 1) / 2]->c > last->c)
			heap_up(i, c->at, last);
		else
			heap_down(i, c->at, last);
	}
	if (i->idle == 0)
		ring_out(i);
}

uint32_t
vyx_winst_lack(const struct vyx_winst *i)
{
	const struct vyx_wworker *w = i->worker;
	uint32_t want = w->low + (w->low && i->asked != 0);

	if (!i->up || w->gone || w->win->draining || i->idle >= want)
		return 0;
	return want - i->idle;
}

uint64_t
vyx_wworker_room(const struct vyx_wworker *w)
{
	const struct vyx_winst *i;
	uint64_t n = 0;

	for (i = w->insts; i; i = i->next)
		if (i->up && i->max > i->busy)
			n += i->max - i->busy;
	return n;
}

void
vyx_wworker_touch(struct vyx_wworker *w)
{
	if (w->dirty)
		return;
	w->dirty = 1;
	w->dnext = w->win->dirty;
	w->win->dirty = w;
}

struct vyx_wconn *
vyx_wconn_new(struct vyx_winst *i, uint64_t number, int fd)
{
	struct vyx_window *win = i->worker->win;
	struct vyx_wconn *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->c = number;
	c->fd = fd;
	c->state = VYX_S_NONE;
	c->inst = i;
	i->conns++;
	c->next = win->all;
	if (c->next)
		c->next->prev = c;
	win->all = c;
	win->held++;
	return c;
}

void
vyx_wconn_free(struct vyx_wconn *c)
{
	struct vyx_wworker *w = c->inst->worker;

	if (--c->inst->conns == 0 && !c->inst->up)
		vyx_wworker_touch(w); /* where it is reaped */
	free(c->to);
	free(c);
}

int
vyx_window_up(const struct vyx_wworker *worker)
{
	const struct vyx_winst *i;

	if (worker->up)
		return 1;
	for (i = worker->insts; i; i = i->next)
		if (i->idle + i->busy)
			return 1;
	return 0;
}

struct vyx_str
vyx_window_inst(const struct vyx_wconn *c)
{
	return vyx_winst_id(c->inst);
}

struct vyx_wworker *
vyx_window_of(const struct vyx_wconn *c)
{
	return c->inst->worker;
}

uint32_t
vyx_window_held(const struct vyx_window *win)
{
	return win->held;
}

void
vyx_window_stat(const struct vyx_wworker *worker, struct vyx_wstat *out)
{
	const struct vyx_winst *i;

	*out = worker->stat;
	out->idle = out->busy = out->tunnels = 0;
	for (i = worker->insts; i; i = i->next) {
		out->idle += i->idle;
		out->busy += i->busy;
		out->tunnels += i->tunnels;
	}
	out->waiting = worker->waiting;
}
