/* SPDX-License-Identifier: ISC */
/*
 * window_stuck - requests without an answer, and whether an older connection
 * is to blame.
 *
 * A server that reads some connections only, and those until they close, lets
 * a request on a newer one lie. A slow one lets it lie too, and must not lose
 * its other connections for that. So a silent request is reported when an
 * older connection lies idle, or answered what was sent later; unless a slow
 * answer came here before with as many older ones open, which a server that
 * they block could not have given; poold hears of each such record. What other
 * routers hold is not seen: after a second it is reported whatever is seen.
 */
#include "state/window_i.h"

void
vyx_wconn_unawait(struct vyx_wconn *c)
{
	struct vyx_window *win = c->inst->worker->win;

	if (!c->awaits)
		return;
	c->awaits = 0;
	*(c->anext ? &c->anext->aprev : &win->await_last) = c->aprev;
	*(c->aprev ? &c->aprev->anext : &win->await) = c->anext;
}

/* The list is in the order of its looks: each is as far ahead. */
void
vyx_wconn_await(struct vyx_wconn *c, uint64_t now)
{
	struct vyx_window *win = c->inst->worker->win;

	c->awaits = 1;
	c->look = now + VYX_STUCK_NS;
	c->anext = NULL;
	c->aprev = win->await_last;
	*(c->aprev ? &c->aprev->anext : &win->await) = c;
	win->await_last = c;
	vyx_window_by(win, win->await->look);
}

/* Connections to its instance that are open longer. */
static uint32_t
older(const struct vyx_window *win, const struct vyx_wconn *c)
{
	uint32_t n = 0;

	for (const struct vyx_wconn *o = win->all; o; o = o->next)
		n += o->inst == c->inst && o->c < c->c &&
		    o->state != VYX_S_TUNNEL;
	return n;
}

static int
blamed(const struct vyx_window *win, const struct vyx_wconn *c, uint64_t now)
{
	const struct vyx_winst *i = c->inst;

	if (now - c->since >= VYX_STUCK_LONG_NS)
		return 1;
	if (!(i->idle && i->heap[0]->c < c->c) &&
	    !(i->got < c->c && i->got_since > c->since))
		return 0;
	return older(win, c) > i->width;
}

void
vyx_window_sent(struct vyx_window *win, struct vyx_wconn *c, uint64_t now)
{
	(void)win;
	vyx_wconn_unawait(c);
	c->since = now;
	vyx_wconn_await(c, now);
}

void
vyx_window_byte(struct vyx_window *win, struct vyx_wconn *c)
{
	struct vyx_winst *i = c->inst;

	i->got = c->c;
	i->got_since = c->since;
	/* looked at once: it was slow */
	if (c->awaits && c->look > c->since + VYX_STUCK_NS &&
	    i->conns > i->width + 1) {
		uint32_t n = older(win, c);

		if (n > i->width) {
			i->width = n;
			vyx_wconn_tell(c, TELL_STUCK); /* byte=1 */
		}
	}
	vyx_wconn_unawait(c);
	if (c->stuck) {
		c->stuck = 0;
		vyx_wconn_tell(c, TELL_STUCK);
	}
}

void
vyx_window_look(struct vyx_window *win, uint64_t now)
{
	struct vyx_wconn *c;

	while ((c = win->await) && c->look <= now) {
		vyx_wconn_unawait(c);
		if (win->edge != EDGE_UP || !blamed(win, c, now)) {
			vyx_wconn_await(c, now);
			continue;
		}
		c->stuck = 1;
		vyx_wconn_tell(c, TELL_STUCK);
	}
}
