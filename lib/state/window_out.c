/* SPDX-License-Identifier: ISC */
/* window_out - what poold must be told: states, derived when it can be sent. */

#include "state/window_i.h"

void
vyx_wconn_tell(struct vyx_wconn *c, unsigned tell)
{
	struct vyx_window *win = c->inst->worker->win;

	if (tell & TELL_END) {
		/* what poold never heard of needs no end; but a sibling may
		 * have said that an inherited one is ours now */
		if (win->edge == EDGE_DOWN || !(c->told || c->inherited)) {
			c->tell = 0;
			if (!c->listed)
				vyx_wconn_free(c);
			return;
		}
		c->tell = (uint8_t)((c->tell & TELL_HOLD) | tell);
	} else {
		if (win->edge == EDGE_DOWN || c->tell & TELL_HOLD)
			return; /* `hold` says it all */
		c->tell |= (uint8_t)tell;
	}
	if (c->listed)
		return;
	c->listed = 1;
	c->onext = NULL;
	if (win->out)
		win->out_last->onext = c;
	else
		win->out = c;
	win->out_last = c;
}

static int
say(struct vyx_window *win, const struct vyx_pool_msg *m, int fd)
{
	if (!win->blocked && !win->ops->send(win->arg, m, fd))
		win->blocked = 1;
	return !win->blocked;
}

static int
put_hold(struct vyx_window *win, struct vyx_wconn *c)
{
	struct vyx_pool_msg m = { .verb = VYX_V_HOLD, .c = c->c };

	m.i = vyx_winst_id(c->inst);
	m.state = c->state == VYX_S_NONE ? VYX_S_BUSY : c->state;
	if (!say(win, &m, c->fd))
		return 0;
	c->told = 1;
	c->tell &= (uint8_t)~TELL_HOLD;
	if (win->edge == EDGE_HOLDING)
		win->holds++;
	return 1;
}

/* All that poold must hear of one connection. */
static int
put_conn(struct vyx_window *win, struct vyx_wconn *c)
{
	static const struct {
		unsigned tell;
		enum vyx_verb verb;
	} words[] = {
		{ TELL_TUNNEL, VYX_V_TUNNEL },
		{ TELL_STUCK, VYX_V_STUCK },
		{ TELL_GIVE, VYX_V_GIVE },
		{ TELL_DROP, VYX_V_DROP },
		{ TELL_LOST, VYX_V_LOST },
		{ TELL_MOVED, VYX_V_MOVED },
	};
	struct vyx_pool_msg m = { .c = c->c };
	size_t k;

	if (c->tell & TELL_HOLD && !put_hold(win, c))
		return 0;
	m.why = (enum vyx_pool_why)c->why;
	m.byte = !c->stuck;
	if (c->to)
		m.to = VYX_STRZ(c->to);
	for (k = 0; k < VYX_COUNT(words); k++) {
		if (!(c->tell & words[k].tell))
			continue;
		m.verb = words[k].verb;
		if (!say(win, &m, -1))
			return 0;
		c->tell &= (uint8_t)~words[k].tell;
	}
	return 1;
}

static int
put_conns(struct vyx_window *win)
{
	struct vyx_wconn *c;

	while ((c = win->out)) {
		if (!put_conn(win, c))
			return 0;
		win->out = c->onext;
		c->listed = 0;
		if (c->fd < 0)
			vyx_wconn_free(c);
	}
	return 1;
}

/* Greeting, connections, the end of the list of what is held, bye. */
static int
put_edge(struct vyx_window *win)
{
	struct vyx_pool_msg m = { .verb = VYX_V_HELLO, .proto = VYX_PROTO };

	m.role = win->role;
	m.pid = win->pid;
	m.name = (struct vyx_str){ win->name, win->namen };
	if (!win->greeted && !say(win, &m, -1))
		return 0;
	win->greeted = 1;
	if (!put_conns(win))
		return 0;
	m = (struct vyx_pool_msg){ .verb = VYX_V_HELD, .n = win->holds };
	if (win->edge == EDGE_HOLDING) {
		if (!say(win, &m, -1))
			return 0;
		win->edge = EDGE_UP;
	}
	m = (struct vyx_pool_msg){ .verb = VYX_V_BYE };
	if (win->draining && !win->byed) {
		if (!say(win, &m, -1))
			return 0;
		win->byed = 1;
	}
	return 1;
}

static int
put_says(struct vyx_wworker *w)
{
	struct vyx_pool_msg m = { .verb = VYX_V_SAYS };
	struct vyx_winst *i;

	for (i = w->insts; i; i = i->next) {
		if (!i->say)
			continue;
		m.i = vyx_winst_id(i);
		m.keeps = i->says == 2;
		if (!say(w->win, &m, -1))
			return 0;
		i->say = 0;
		i->said++;
	}
	return 1;
}

/* What of the worker's state is not as poold knows it. */
static int
differs(const struct vyx_wworker *w, uint64_t since)
{
	const struct vyx_winst *i;
	int any = w->waiting != 0, changed;

	changed = w->waiting != w->told_waiting || since != w->told_since;
	for (i = w->insts; i && !changed; i = i->next) {
		any |= vyx_winst_lack(i) != 0;
		changed = vyx_winst_lack(i) != i->told_lack;
	}
	return changed || (w->again && any && VYX_MUTANT != VYX_MUTANT_REPORT);
}

/* 1: poold knows the worker's state. 0: it must be told later. */
static int
put_need(struct vyx_wworker *w, uint64_t now)
{
	struct vyx_pool_msg m = { .verb = VYX_V_NEED };
	struct vyx_winst *i;
	uint64_t since = w->head ? w->head->since : 0;

	if (!differs(w, since)) {
		w->again = 0;
		return 1;
	}
	if (!w->waiting == !w->told_waiting && now - w->need_at < VYX_NEED_NS) {
		vyx_window_by(w->win, w->need_at + VYX_NEED_NS);
		return 0;
	}
	m.w = vyx_wworker_id(w);
	m.waiting = w->waiting;
	m.since = since;
	for (i = w->insts; i; i = i->next)
		if (m.lacks < VYX_POOL_LACKS && vyx_winst_lack(i)) {
			m.lack[m.lacks].i = vyx_winst_id(i);
			m.lack[m.lacks++].n = vyx_winst_lack(i);
		}
	if (!say(w->win, &m, -1))
		return 0;
	for (i = w->insts; i; i = i->next)
		i->told_lack = vyx_winst_lack(i);
	w->told_waiting = w->waiting;
	w->told_since = since;
	w->need_at = now;
	w->again = 0;
	return 1;
}

void
vyx_window_flush(struct vyx_window *win, uint64_t now)
{
	struct vyx_wworker *w, *list;
	int can = win->edge != EDGE_DOWN && put_edge(win);

	list = win->dirty;
	win->dirty = NULL;
	while ((w = list)) {
		list = w->dnext;
		w->dirty = 0;
		vyx_wworker_serve(w, now);
		if (!can || !put_says(w) || !put_need(w, now))
			vyx_wworker_touch(w);
		vyx_wworker_reap(w);
	}
	if (can && win->out) /* let go of while serving */
		put_edge(win);
}
