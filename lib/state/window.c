/* SPDX-License-Identifier: ISC */
/* window - requests and the connections they run on. HOP 3 */
#include "state/window.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "state/window_i.h"

struct vyx_window *
vyx_window_new(const struct vyx_window_ops *ops, void *arg, enum vyx_proc role,
    const char *name, uint32_t pid)
{
	struct vyx_window *win = calloc(1, sizeof *win);
	size_t n = strlen(name);

	if (!win || n > sizeof win->name) {
		free(win);
		return NULL;
	}
	win->ops = ops;
	win->arg = arg;
	win->role = role;
	win->pid = pid;
	win->namen = (uint8_t)n;
	memcpy(win->name, name, n);
	win->redial_ns = VYX_REDIAL_MIN_NS;
	win->scan_at = VYX_NEVER;
	return win;
}

void
vyx_window_free(struct vyx_window *win)
{
	struct vyx_wworker *w;
	struct vyx_winst *i;

	vyx_window_down(win, 0);
	while (win->all)
		vyx_wconn_part(win->all, TELL_GIVE, 0, -1);
	while ((w = win->workers)) {
		while ((i = w->insts)) {
			w->insts = i->next;
			free(i->heap);
			free(i);
		}
		win->workers = w->next;
		free(w);
	}
	free(win);
}

/* Out of the state it is in; rest() or part() follow. */
static void
leave(struct vyx_wconn *c)
{
	struct vyx_winst *i = c->inst;

	vyx_wconn_unawait(c);
	if (c->state == VYX_S_IDLE)
		vyx_winst_pull(i, c);
	else if (c->state == VYX_S_BUSY)
		i->busy--;
	else if (c->state == VYX_S_TUNNEL)
		i->tunnels--;
	c->state = VYX_S_NONE;
	if (i->up && i->idle < i->worker->low)
		vyx_wworker_touch(i->worker);
}

static void
begin(struct vyx_wconn *c)
{
	c->state = VYX_S_BUSY;
	c->inst->busy++;
	if (c->uses)
		c->inst->worker->stat.reuses++;
	if (c->uses < UINT8_MAX)
		c->uses++;
}

void
vyx_wconn_part(struct vyx_wconn *c, unsigned tell, unsigned why, int how)
{
	struct vyx_wworker *w = c->inst->worker;
	struct vyx_window *win = w->win;

	leave(c);
	if (c->fd >= 0)
		win->ops->let(win->arg, c, how);
	if (tell == TELL_DROP)
		w->stat.drops[why]++;
	*(c->next ? &c->next->prev : &c->prev) = c->prev;
	*(c->prev ? &c->prev->next : &win->all) = c->next;
	win->held--;
	c->fd = -1;
	c->why = (uint8_t)why;
	vyx_wconn_tell(c, tell);
}

static void
unlink_waiter(struct vyx_waiter *q)
{
	struct vyx_wworker *w = q->worker;

	*(q->next ? &q->next->prev : &w->tail) = q->prev;
	*(q->prev ? &q->prev->next : &w->head) = q->next;
	w->waiting--;
	q->worker = NULL;
	vyx_wworker_touch(w);
}

/* The oldest waiter's, unless that would pass an older one elsewhere. */
static int
own_turn(const struct vyx_wworker *w)
{
	return w->head &&
	    (!w->before || w->head->since <= w->before + VYX_FAIR_NS ||
	        VYX_MUTANT == VYX_MUTANT_FIFO);
}

static void
give(struct vyx_wconn *c)
{
	struct vyx_wworker *w = c->inst->worker;

	if (w->recall) {
		w->recall--;
		w->stat.recalls++;
	}
	vyx_wconn_part(c, TELL_GIVE, 0, -1);
}

/* Without poold there is nobody to give to. */
static void
give_or_drop(struct vyx_wconn *c)
{
	if (c->inst->worker->win->edge == EDGE_DOWN)
		vyx_wconn_part(c, TELL_DROP, VYX_POOL_IDLE, SHUT_RDWR);
	else
		give(c);
}

void
vyx_wconn_rest(struct vyx_wconn *c, uint64_t now)
{
	struct vyx_winst *i = c->inst;
	struct vyx_wworker *w = i->worker;
	struct vyx_window *win = w->win;
	struct vyx_waiter *q;

	if (c->c < i->mark)
		vyx_wconn_part(c, TELL_DROP, VYX_POOL_VOID, SHUT_RDWR);
	else if (own_turn(w)) {
		q = w->head;
		unlink_waiter(q);
		begin(c);
		win->ops->serve(win->arg, q, c);
	} else if (w->head || w->recall || win->draining || w->gone)
		give_or_drop(c); /* head: an older one waits elsewhere */
	else if (!vyx_winst_push(i, c))
		vyx_wconn_part(c, TELL_DROP, VYX_POOL_ERROR, SHUT_RDWR);
	else {
		c->state = VYX_S_IDLE;
		c->since = now;
		if (i->told_lack || i->asked)
			vyx_wworker_touch(w);
		if (win->scan_at == VYX_NEVER && w->idle_ns) {
			win->scan_at = now + VYX_MS;
			vyx_window_by(win, win->scan_at);
		}
	}
}

uint32_t
vyx_wworker_give(struct vyx_wworker *w, uint32_t n)
{
	struct vyx_winst *i, *low;
	uint32_t went;

	for (went = 0; went < n && w->ring; went++) {
		low = w->ring;
		for (i = low->rnext; i != w->ring; i = i->rnext)
			if (i->heap[0]->c < low->heap[0]->c)
				low = i;
		give_or_drop(low->heap[0]);
	}
	return went;
}

static struct vyx_winst *
choose(struct vyx_wworker *w)
{
	struct vyx_winst *best = w->ring, *i;

	if (w->least)
		for (i = best->rnext; i != w->ring; i = i->rnext)
			if (i->busy < best->busy)
				best = i;
	w->ring = best->rnext;
	return best;
}

struct vyx_wconn *
vyx_window_take(struct vyx_window *win, struct vyx_wworker *worker,
    uint64_t now)
{
	struct vyx_wconn *c;

	(void)win;
	(void)now;
	if (worker->head || !worker->ring) {
		errno = EAGAIN;
		return NULL;
	}
	c = choose(worker)->heap[0];
	leave(c);
	begin(c);
	return c;
}

void
vyx_wworker_serve(struct vyx_wworker *w, uint64_t now)
{
	struct vyx_wconn *c;

	while (w->ring && own_turn(w)) {
		c = choose(w)->heap[0];
		leave(c);
		vyx_wconn_rest(c, now);
	}
}

int
vyx_window_wait(struct vyx_window *win, struct vyx_wworker *worker,
    struct vyx_waiter *q, uint64_t now)
{
	struct vyx_waiter *p = worker->tail;

	if (q->since >= now &&
	    worker->waiting >= worker->max_waiting + vyx_wworker_room(worker)) {
		worker->stat.full++;
		errno = ENOSPC;
		return 0;
	}
	while (p && p->since > q->since) /* a retry, or one of priority */
		p = p->prev;
	q->worker = worker;
	q->prev = p;
	q->next = p ? p->next : worker->head;
	*(q->next ? &q->next->prev : &worker->tail) = q;
	*(p ? &p->next : &worker->head) = q;
	worker->waiting++;
	if (q->deadline < worker->due) {
		worker->due = q->deadline;
		vyx_window_by(win, worker->due);
	}
	vyx_wworker_touch(worker);
	return 1;
}

void
vyx_window_cancel(struct vyx_window *win, struct vyx_waiter *q)
{
	(void)win;
	if (q->worker)
		unlink_waiter(q);
}

void
vyx_wworker_expire(struct vyx_wworker *w, uint64_t now)
{
	struct vyx_window *win = w->win;
	struct vyx_waiter *q;

	if (w->due > now)
		return;
	/* from the head again each time: expire() may cancel others */
	for (;;) {
		w->due = VYX_NEVER;
		for (q = w->head; q && q->deadline > now; q = q->next)
			if (q->deadline < w->due)
				w->due = q->deadline;
		if (!q)
			return;
		w->stat.timeouts++;
		unlink_waiter(q);
		win->ops->expire(win->arg, q);
	}
}

void
vyx_window_says(struct vyx_window *win, struct vyx_wconn *c, int keeps)
{
	struct vyx_winst *i = c->inst;
	uint8_t says = keeps ? 2 : 1;

	(void)win;
	if (i->says != says) {
		i->says = says;
		i->said = 0;
	}
	if (i->said == 3) /* poold counts to three */
		return;
	i->say = 1;
	vyx_wworker_touch(i->worker);
}

void
vyx_window_done(struct vyx_window *win, struct vyx_wconn *c, uint64_t now)
{
	(void)win;
	leave(c);
	vyx_wconn_rest(c, now);
}

void
vyx_window_drop(struct vyx_window *win, struct vyx_wconn *c,
    enum vyx_pool_why why, uint64_t now)
{
	(void)win;
	(void)now;
	vyx_wconn_part(c, TELL_DROP, why, SHUT_RDWR);
}

void
vyx_window_hangup(struct vyx_window *win, struct vyx_wconn *c, int bytes,
    uint64_t now)
{
	c->inst->worker->stat.stale++;
	vyx_window_drop(win, c, bytes ? VYX_POOL_BYTES : VYX_POOL_EOF, now);
}

void
vyx_window_abort(struct vyx_window *win, struct vyx_wconn *c, uint64_t now)
{
	(void)win;
	(void)now;
	vyx_wconn_part(c, TELL_DROP, VYX_POOL_ABORT, SHUT_WR);
}

int
vyx_window_tunnel(struct vyx_window *win, struct vyx_wconn *c)
{
	struct vyx_winst *i = c->inst;

	(void)win;
	if (i->tunnels >= i->worker->tunnels) {
		errno = EDQUOT;
		return 0;
	}
	leave(c);
	c->state = VYX_S_TUNNEL;
	i->tunnels++;
	vyx_wconn_tell(c, TELL_TUNNEL);
	return 1;
}

int
vyx_window_move(struct vyx_window *win, struct vyx_wconn *c, struct vyx_str to,
    uint64_t now)
{
	(void)win;
	(void)now;
	if (!(c->to = vyx_str_dup(to)))
		return 0;
	vyx_wconn_part(c, TELL_MOVED, 0, -1);
	return 1;
}

struct vyx_wconn *
vyx_window_inherit(struct vyx_window *win, struct vyx_wworker *worker,
    struct vyx_str id, uint64_t number, int fd, enum vyx_state state,
    uint64_t now)
{
	struct vyx_winst *i = vyx_winst_make(worker, id);
	struct vyx_wconn *c = i ? vyx_wconn_new(i, number, fd) : NULL;

	if (!c || !win->ops->adopt(win->arg, c)) {
		if (c)
			vyx_wconn_part(c, TELL_DROP, VYX_POOL_ERROR, -1);
		return NULL;
	}
	c->inherited = 1;
	c->uses = 1;
	if (state == VYX_S_TUNNEL) {
		c->state = VYX_S_TUNNEL;
		i->tunnels++;
	} else if (state == VYX_S_BUSY)
		begin(c);
	vyx_wconn_tell(c, TELL_HOLD);
	if (state == VYX_S_IDLE)
		vyx_wconn_rest(c, now);
	return c;
}
