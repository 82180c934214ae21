/* SPDX-License-Identifier: ISC */
/*
 * pool_class - what kind of server an instance is, from how it answers.
 *
 * A server that reads one connection at a time is told from a slow one by a
 * trial. A router reports a request without an answer that an older connection
 * may be to blame for (window_stuck.c); poold voids the older connections, and
 * a first byte within 50 ms of that is a hit. A slow server may answer just
 * then by chance, so each trial waits 100 ms longer before its void than the
 * last: an answer during that wait came of itself. Three hits in a row, and it
 * is serial; three misses, and it is slow: no trial for a while.
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

static int
blocks(const struct vyx_pconn *c)
{
	return c->counts == 1 && c->c >= c->inst->mark;
}

/*
 * An answer came on wide_c beside older ones: as many block no other. What a
 * router compares is what it holds itself; here it is all of them. One whose
 * end made room for the answer may be known as open still: those count that
 * are so a little later.
 */
static void
widen(struct vyx_pinst *i)
{
	const struct vyx_pconn *o;
	uint32_t n = 0;

	for (o = i->conns; o && o->c < i->wide_c; o = o->next)
		n += (uint32_t)blocks(o);
	if (n > i->width)
		i->width = n;
	i->wide_c = i->wide_at = 0;
}

static void
trial_ends(struct vyx_pinst *i)
{
	i->stuck_c = 0;
	i->void_at = i->proof_by = 0;
}

/* No void helped, or none was needed. */
static void
miss(struct vyx_pinst *i, uint64_t now)
{
	trial_ends(i);
	i->hits = 0;
	if (++i->misses < 3)
		return;
	i->misses = 0;
	i->ignore_until = now + VYX_IGNORE_NS;
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

/* A trial, when one may begin: by the oldest of those that are stuck. */
static void
trial_begins(struct vyx_pool *p, struct vyx_pinst *i, uint64_t now)
{
	uint64_t gap = i->hits ? VYX_TRIAL_AGAIN : VYX_TRIAL_NS;
	uint64_t from = i->trial_at ? i->trial_at + gap : 0;
	uint32_t older = 0;
	struct vyx_pconn *c;

	if (i->stuck_c || !i->stucks)
		return;
	if (from < i->ignore_until)
		from = i->ignore_until;
	if (now < from) {
		vyx_pool_by(p, from);
		return;
	}
	for (c = i->conns; c && !(c->stuck && older > i->width); c = c->next)
		older += (uint32_t)blocks(c);
	if (!c)
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
vyx_pinst_stuck(struct vyx_pool *p, struct vyx_pconn *c, int byte, uint64_t now)
{
	struct vyx_pinst *i = c->inst;

	if (VYX_MUTANT == VYX_MUTANT_STUCK)
		return;
	if (!byte && c->place == VYX_POOL_LENT && !c->stuck) {
		c->stuck = 1;
		i->stucks++;
		trial_begins(p, i, now);
	} else if (byte) {
		if (c->c > i->wide_c) {
			i->wide_c = c->c;
			i->wide_at = now + VYX_PROOF_NS;
			vyx_pool_by(p, i->wide_at);
		}
		if (i->stuck_c == c->c && !i->proof_by)
			miss(i, now);
		else if (i->stuck_c == c->c && now <= i->proof_by)
			hit(p, i, now);
		vyx_pinst_unstuck(c);
	}
}

void
vyx_pinst_unstuck(struct vyx_pconn *c)
{
	if (c->stuck)
		c->inst->stucks--;
	c->stuck = 0;
	if (c->inst->stuck_c == c->c)
		trial_ends(c->inst);
}

void
vyx_pinst_class_turn(struct vyx_pool *p, struct vyx_pinst *i, uint64_t now)
{
	if (i->wide_at && now >= i->wide_at)
		widen(i);
	if (i->void_at && now >= i->void_at)
		trial_void(p, i, now);
	if (i->proof_by && now > i->proof_by)
		miss(i, now);
	trial_begins(p, i, now);
	if (i->serial_until && now >= i->serial_until) {
		i->serial_until = 0;
		if (i->known)
			p->ops->serial(p->arg, i->user, 0);
		vyx_pinst_touch(i);
	}
	if (i->wide_at)
		vyx_pool_by(p, i->wide_at);
	if (i->void_at)
		vyx_pool_by(p, i->void_at);
	if (i->proof_by)
		vyx_pool_by(p, i->proof_by + 1);
	if (i->serial_until)
		vyx_pool_by(p, i->serial_until);
}
