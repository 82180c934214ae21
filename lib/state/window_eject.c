/* SPDX-License-Identifier: ISC */
/*
 * window_eject - which instance a request goes to while some are passed over
 * because they fail. HOP 3
 *
 *	state	event				becomes
 *	in	VYX_EJECT_FAILS failed in a row	out, if the bound allows it
 *	out	its time is over, one begins	probe: that one
 *	probe	it went well			in
 *	probe	it failed			out, for longer
 *	probe	nobody knows (its client left)	out, for what is left of 5 s
 *
 * Five in a row, because that is what opens the breaker of a route too: fewer
 * are met by a single bad request and its retries, and each one more is one
 * more client who sees it.
 *
 * An exchange counts by when it began. What began before an ejection and ends
 * behind it says nothing new. What an ejected instance does beside its probe
 * does not count either: else a flapping one that is used for want of others
 * would be in and out with each request.
 */
#include "state/window_i.h"

#define VYX_EJECT_FAILS 5
#define VYX_EJECT_NS (5000 * VYX_MS)      /* times the ejections in a row ... */
#define VYX_EJECT_ROW 12                  /* ... at most so many: 60 s */
#define VYX_EJECT_WAIT_NS (1000 * VYX_MS) /* for another that is busy */

static int
due(const struct vyx_winst *i, uint64_t now)
{
	return i->out && !i->probe && now >= i->out_until;
}

struct vyx_winst *
vyx_eject_choose(const struct vyx_wworker *w, uint64_t now)
{
	struct vyx_winst *best = w->ring, *i = w->ring;

	do {
		if (due(i, now))
			return i;
		if (i->out != best->out ? best->out
		                        : w->least && i->busy < best->busy)
			best = i;
	} while ((i = i->rnext) != w->ring);
	return best;
}

/*
 * It waits a little when all others are busy: a broken instance answers fast,
 * so under load it would have the more requests. Not for ever: what the others
 * cannot take at all still gets an answer, as good as there is.
 */
int
vyx_eject_spares(struct vyx_winst *i, uint64_t since, uint64_t now)
{
	const struct vyx_winst *o;

	if (!i->out || due(i, now) || now >= since + VYX_EJECT_WAIT_NS)
		return 0;
	for (o = i->worker->insts; o && (o->out || !o->up);)
		o = o->next;
	if (o)
		vyx_window_by(i->worker->win, since + VYX_EJECT_WAIT_NS);
	return o != NULL;
}

void
vyx_eject_begin(struct vyx_wconn *c, uint64_t now)
{
	struct vyx_winst *i = c->inst;

	if (!due(i, now))
		return;
	i->probe = c;
	/* if this one ends without a word, the next is not at once */
	i->out_until = now + VYX_EJECT_NS;
}

/*
 * At most half of those that are up, rounded down: so never the only one. One
 * that is not takes no share of that; but somebody must be left. When others
 * leave later nothing is taken back: what they hold is still better, and for
 * want of others what is out is used.
 */
static int
may(const struct vyx_winst *i)
{
	const struct vyx_winst *o;
	uint32_t up = 0, out = 0;

	for (o = i->worker->insts; o; o = o->next) {
		up += o->up;
		out += o->up && o->out;
	}
	return out < (i->up ? up / 2 : up);
}

static void
put_out(struct vyx_winst *i, uint64_t now)
{
	if (!i->out) {
		i->worker->out++;
		i->out_since = now;
	}
	i->out = 1;
	i->probe = NULL;
	i->epoch++; /* none lasts for 256 ejections */
	if (i->row < VYX_EJECT_ROW)
		i->row++;
	i->out_until = now + i->row * VYX_EJECT_NS;
	i->worker->stat.ejected++;
}

static void
put_in(struct vyx_winst *i)
{
	i->worker->out--;
	i->out = 0;
	i->probe = NULL;
	i->row = 0;
	vyx_wworker_touch(i->worker); /* for who waits */
}

int
vyx_window_result(struct vyx_window *win, struct vyx_wconn *c, int good,
    uint64_t now)
{
	struct vyx_winst *i = c->inst;

	(void)win;
	if (good && !(i->fails | i->out))
		return 0; /* nearly all */
	if (i->out ? i->probe != c : c->epoch != i->epoch)
		return 0;
	if (good) {
		i->fails = 0;
		if (!i->out)
			return 0;
		put_in(i);
		return 1;
	}
	if (!i->out) {
		if (i->fails < VYX_EJECT_FAILS)
			i->fails++;
		if (i->fails < VYX_EJECT_FAILS || !may(i))
			return 0;
	}
	put_out(i, now);
	return 1;
}

uint64_t
vyx_window_out(const struct vyx_wconn *c)
{
	return c->inst->out ? c->inst->out_until : 0;
}

const struct vyx_winst *
vyx_window_insts(const struct vyx_wworker *worker, const struct vyx_winst *prev,
    uint64_t now, struct vyx_wejection *e)
{
	const struct vyx_winst *i = prev ? prev->next : worker->insts;

	*e = (struct vyx_wejection){ 0 };
	if (!i)
		return NULL;
	e->id = i->id;
	e->state = i->probe ? "probe" : i->out ? "out" : "in";
	if (i->out)
		e->since = now - i->out_since;
	if (i->out && !i->probe && i->out_until > now)
		e->next = i->out_until - now;
	return i;
}
