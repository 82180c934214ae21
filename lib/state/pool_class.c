/* SPDX-License-Identifier: ISC */
/*
 * pool_class - what kind of server an instance is, from how it answers.
 *
 * A server that reads one connection at a time is told from a slow one by a
 * trial. A router reports a request without an answer for 100 ms; poold voids
 * the older connections, and a first byte within 50 ms of that is a hit. A
 * slow server may answer just then by chance, so each trial waits 100 ms
 * longer before its void than the last: an answer during that wait came of
 * itself, and acquits. Three hits in a row, and it is serial.
 */
#include "state/pool_i.h"

static void
class_is(struct vyx_pinst *i, uint8_t class)
{
	if (i->class == class)
		return;
	i->class = class;
	vyx_pinst_touch(i);
}

void
vyx_pinst_says(struct vyx_pool *p, struct vyx_pinst *i, int keeps)
{
	vyx_pool_by(p, 0);
	if (keeps) {
		i->no = 0;
		if (i->yes < 3)
			i->yes++;
		if (i->class == CLASS_UNPROVEN || i->yes == 3)
			class_is(i, CLASS_KEEPS);
		return;
	}
	i->yes = 0;
	if (i->no < 2)
		i->no++;
	if (i->no == 2)
		class_is(i, CLASS_ONESHOT);
}

/* Is one older than c open, that the worker may be reading instead? */
static int
older(const struct vyx_pconn *c)
{
	const struct vyx_pconn *o;

	for (o = c->prev; o; o = o->prev)
		if (o->counts == 1 && o->c >= c->inst->mark)
			return 1;
	return 0;
}

static void
trial_ends(struct vyx_pinst *i)
{
	i->stuck_c = 0;
	i->void_at = i->proof_by = 0;
}

static void
acquit(struct vyx_pinst *i, uint64_t now)
{
	i->hits = i->misses = 0;
	i->ignore_until = now + VYX_IGNORE_NS;
	trial_ends(i);
}

static void
hit(struct vyx_pool *p, struct vyx_pinst *i, uint64_t now)
{
	trial_ends(i);
	i->misses = 0;
	if (++i->hits < 3)
		return;
	i->hits = 0;
	i->serial_until = now + VYX_SERIAL_NS;
	if (i->known)
		p->ops->serial(p->arg, i->user, 1);
	vyx_pinst_trim(p, i);
	vyx_pinst_touch(i);
	vyx_pool_by(p, i->serial_until);
}

static void
trial_void(struct vyx_pool *p, struct vyx_pinst *i, uint64_t now)
{
	i->proof_by = now + VYX_PROOF_NS;
	i->void_at = 0;
	vyx_pool_by(p, i->proof_by);
	vyx_pinst_void(p, i, i->stuck_c);
}

void
vyx_pinst_stuck(struct vyx_pool *p, struct vyx_pconn *c, int byte, uint64_t now)
{
	struct vyx_pinst *i = c->inst;

	if (byte) {
		if (i->stuck_c != c->c)
			return;
		if (!i->proof_by)
			acquit(i, now);
		else if (now <= i->proof_by)
			hit(p, i, now);
		return;
	}
	if (i->stuck_c || now < i->ignore_until || c->place != VYX_POOL_LENT ||
	    (i->trial_at && now - i->trial_at < VYX_TRIAL_NS) || !older(c))
		return;
	i->stuck_c = c->c;
	i->trial_at = now;
	i->void_at = now + i->hits * VYX_TRIAL_STEP;
	if (i->hits == 0)
		trial_void(p, i, now);
	else
		vyx_pool_by(p, i->void_at);
}

void
vyx_pinst_unstuck(struct vyx_pconn *c)
{
	if (c->inst->stuck_c == c->c)
		trial_ends(c->inst);
}

void
vyx_pinst_class_turn(struct vyx_pool *p, struct vyx_pinst *i, uint64_t now)
{
	if (i->void_at && now >= i->void_at)
		trial_void(p, i, now);
	if (i->proof_by && now > i->proof_by) {
		trial_ends(i);
		i->hits = 0;
		if (++i->misses == 3)
			acquit(i, now);
	}
	if (i->serial_until && now >= i->serial_until) {
		i->serial_until = 0;
		if (i->known)
			p->ops->serial(p->arg, i->user, 0);
		vyx_pinst_touch(i);
	}
	if (i->void_at)
		vyx_pool_by(p, i->void_at);
	if (i->proof_by)
		vyx_pool_by(p, i->proof_by + 1);
	if (i->serial_until)
		vyx_pool_by(p, i->serial_until);
}
