/* SPDX-License-Identifier: ISC */
/* window_edge - what poold says, and what time brings about. */
#include <errno.h>
#include <sys/socket.h>

#include "state/window_i.h"

static void
edge_up(struct vyx_window *win)
{
	struct vyx_wworker *w;
	struct vyx_winst *i;
	struct vyx_wconn *c;

	win->edge = EDGE_HOLDING;
	win->holds = 0;
	for (c = win->all; c; c = c->next)
		vyx_wconn_tell(c, TELL_HOLD);
	for (w = win->workers; w; w = w->next) {
		w->told_waiting = 0;
		w->told_since = 0;
		w->need_at = 0;
		for (i = w->insts; i; i = i->next) {
			i->told_lack = 0;
			i->say = i->says != 0;
			i->said = 0;
		}
		vyx_wworker_touch(w);
	}
}

static void
redial_later(struct vyx_window *win, uint64_t now)
{
	win->redial_at = now + win->redial_ns;
	win->redial_ns *= 2;
	if (win->redial_ns > VYX_REDIAL_MAX_NS)
		win->redial_ns = VYX_REDIAL_MAX_NS;
	vyx_window_by(win, win->redial_at);
}

void
vyx_window_down(struct vyx_window *win, uint64_t now)
{
	struct vyx_wworker *w;
	struct vyx_wconn *c;

	if (win->edge == EDGE_DOWN)
		return;
	win->edge = EDGE_DOWN;
	win->greeted = win->heard = win->blocked = win->byed = 0;
	while ((c = win->out)) {
		win->out = c->onext;
		c->listed = 0;
		c->tell = 0;
		if (c->fd < 0)
			vyx_wconn_free(c);
	}
	for (c = win->all; c; c = c->next) {
		c->told = c->inherited = 0;
		if (c->stuck) /* the next poold has not heard of it */
			vyx_wconn_await(c, now);
		c->stuck = 0;
	}
	for (w = win->workers; w; w = w->next) {
		w->recall = 0;
		w->before = 0;
	}
	redial_later(win, now);
}

void
vyx_window_writable(struct vyx_window *win)
{
	win->blocked = 0;
	vyx_window_by(win, 0);
}

void
vyx_window_bye(struct vyx_window *win, uint64_t now)
{
	struct vyx_wworker *w;

	(void)now;
	win->draining = 1;
	for (w = win->workers; w; w = w->next) {
		vyx_wworker_give(w, UINT32_MAX);
		vyx_wworker_touch(w);
	}
	vyx_window_by(win, 0);
}

static void
redial(struct vyx_window *win, uint64_t now)
{
	if (win->edge != EDGE_DOWN || now < win->redial_at)
		return;
	redial_later(win, now);
	if (win->ops->dial(win->arg))
		edge_up(win);
}

/* The one that may go now of those idle for too long. */
static struct vyx_wconn *
overdue(struct vyx_winst *i, uint64_t now)
{
	struct vyx_wworker *w = i->worker;
	uint32_t k;

	for (k = 0; k < i->idle; k++)
		if (i->heap[k]->since + w->idle_ns <= now)
			break;
	if (k == i->idle) {
		i->asked = 0;
		return NULL;
	}
	if (i->idle > w->low || !i->up)
		return i->heap[k];
	/* its replacement first; at max none can come until it is gone */
	if (!i->asked) {
		i->asked = now;
		vyx_wworker_touch(w);
	}
	return now - i->asked >= VYX_REPLACE_NS ? i->heap[k] : NULL;
}

static void
scan_worker(struct vyx_window *win, struct vyx_wworker *w, uint64_t now)
{
	uint64_t every = w->idle_ns / 4 + VYX_MS;
	struct vyx_wconn *c;
	struct vyx_winst *i;

	for (i = w->insts; i; i = i->next) {
		if (i->idle == 0)
			continue;
		while (i->idle && (c = overdue(i, now))) {
			i->asked = 0;
			vyx_wconn_part(c, TELL_DROP, VYX_POOL_IDLE, SHUT_RDWR);
		}
		if (now + every < win->scan_at)
			win->scan_at = now + every;
		if (now + VYX_SCAN_NS < win->scan_at)
			win->scan_at = now + VYX_SCAN_NS;
	}
}

static void
scan_idle(struct vyx_window *win, uint64_t now)
{
	struct vyx_wworker *w;

	if (now < win->scan_at)
		return;
	win->scan_at = VYX_NEVER;
	for (w = win->workers; w; w = w->next)
		if (w->idle_ns)
			scan_worker(win, w, now);
}

void
vyx_window_turn(struct vyx_window *win, uint64_t now)
{
	struct vyx_wworker *w;
	int timed = now >= win->due;

	if (timed) {
		redial(win, now);
		vyx_window_look(win, now);
		scan_idle(win, now);
		for (w = win->workers; w; w = w->next)
			vyx_wworker_expire(w, now);
		win->due = VYX_NEVER;
	}
	if (win->dirty || win->out || timed)
		vyx_window_flush(win, now);
	if (!timed)
		return;
	if (win->edge == EDGE_DOWN)
		vyx_window_by(win, win->redial_at);
	if (win->await)
		vyx_window_by(win, win->await->look);
	vyx_window_by(win, win->scan_at);
	for (w = win->workers; w; w = w->next)
		vyx_window_by(win, w->due);
}

uint64_t
vyx_window_due(const struct vyx_window *win)
{
	return win->due;
}

/* ---- what poold says ---- */

static int
bad(int error)
{
	errno = error;
	return 0;
}

static struct vyx_wworker *
worker_of(struct vyx_window *win, struct vyx_str id)
{
	struct vyx_wworker *w = vyx_window_find(win, id);

	/* poold may know of a worker before we do */
	return w ? w : vyx_window_worker(win, id, 0, 1024);
}

static int
on_lent(struct vyx_window *win, const struct vyx_pool_msg *m, int fd,
    uint64_t now)
{
	struct vyx_wworker *w = worker_of(win, m->w);
	struct vyx_winst *i = w ? vyx_winst_make(w, m->i) : NULL;
	struct vyx_wconn *c = i ? vyx_wconn_new(i, m->c, fd) : NULL;

	if (!c)
		return 0;
	c->told = 1;
	w->stat.lent++;
	w->again = 1;
	vyx_wworker_touch(w);
	if (fd < 0)
		vyx_wconn_part(c, TELL_LOST, 0, -1);
	else if (!win->ops->adopt(win->arg, c))
		vyx_wconn_part(c, TELL_DROP, VYX_POOL_ERROR, SHUT_RDWR);
	else
		vyx_wconn_rest(c, now);
	return 1;
}

static int
on_window(struct vyx_window *win, const struct vyx_pool_msg *m, uint64_t now)
{
	struct vyx_wworker *w = vyx_window_find(win, m->w);

	if (!w && !m->up && !m->low)
		return 1;
	if (!w && !(w = worker_of(win, m->w)))
		return 0;
	w->up = m->up;
	w->low = m->low;
	w->tunnels = m->tunnels;
	w->idle_ns = m->idle_ms * VYX_MS;
	win->scan_at = now;
	vyx_window_by(win, now);
	vyx_wworker_touch(w);
	return 1;
}

static int
on_recall(struct vyx_window *win, const struct vyx_pool_msg *m)
{
	struct vyx_wworker *w = vyx_window_find(win, m->w);

	if (!w)
		return 1;
	w->recall = m->n;
	w->before = m->before;
	if (w->recall)
		vyx_wworker_give(w, w->recall);
	vyx_wworker_touch(w);
	return 1;
}

static int
on_void(struct vyx_window *win, const struct vyx_pool_msg *m)
{
	struct vyx_wworker *w;
	struct vyx_winst *i = NULL;

	for (w = win->workers; w && !i; w = w->next)
		i = vyx_winst_find(w, m->i);
	if (!i)
		return 1;
	if (m->below > i->mark && VYX_MUTANT != VYX_MUTANT_MARK)
		i->mark = m->below;
	while (i->idle && i->heap[0]->c < m->below)
		vyx_wconn_part(i->heap[0], TELL_DROP, VYX_POOL_VOID, SHUT_RDWR);
	return 1;
}

int
vyx_window_record(struct vyx_window *win, const struct vyx_pool_msg *m, int fd,
    uint64_t now)
{
	if (win->edge == EDGE_DOWN)
		return bad(EPROTO);
	if (m->verb == VYX_V_HELLO && !win->heard) {
		if (m->proto < VYX_PROTO_MIN)
			return bad(EPROTONOSUPPORT);
		win->heard = 1;
		win->redial_ns = VYX_REDIAL_MIN_NS;
		return 1;
	}
	if (!win->heard)
		return bad(EPROTO);
	switch (m->verb) {
	case VYX_V_CONN:
		return on_lent(win, m, fd, now);
	case VYX_V_WINDOW:
		return on_window(win, m, now);
	case VYX_V_RECALL:
		return on_recall(win, m);
	case VYX_V_VOID:
		return on_void(win, m);
	default:
		return bad(EPROTO);
	}
}
