/* SPDX-License-Identifier: ISC */
#include "state/breaker.h"
#include "base/units.h"

static uint32_t
number(int64_t v, uint32_t unset)
{
	if (v <= 0)
		return unset;
	return v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

struct vyx_breaker_conf
vyx_breaker_conf(int64_t failures, int64_t cooldown, int64_t half_open_max)
{
	return (struct vyx_breaker_conf){
		.failures = number(failures, 5),
		.half_open_max = number(half_open_max, 1),
		.cooldown = (uint64_t)(cooldown > 0 ? cooldown : 30 * VYX_NS_S),
	};
}

static void
become(struct vyx_breaker *b, enum vyx_breaker_state state)
{
	b->state = state;
	b->generation++;
	b->failed = b->trials = b->passed = 0;
}

static void
open_at(struct vyx_breaker *b, uint64_t now)
{
	become(b, VYX_BREAKER_OPEN);
	b->opened = now;
}

/* ns until it may be tried; 0: it may. */
static uint64_t
left(const struct vyx_breaker *b, uint64_t cooldown, uint64_t now)
{
	uint64_t gone = now > b->opened ? now - b->opened : 0;

	return gone < cooldown ? cooldown - gone : 0;
}

static uint32_t
seconds(uint64_t ns)
{
	uint64_t s = ns / VYX_NS_S + (ns % VYX_NS_S != 0);

	return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

uint32_t
vyx_breaker_shut(const struct vyx_breaker *b, const struct vyx_breaker_conf *c,
    uint64_t now)
{
	if (b->state == VYX_BREAKER_OPEN)
		return seconds(left(b, c->cooldown, now));
	return b->state == VYX_BREAKER_HALF_OPEN &&
	    b->trials >= c->half_open_max;
}

int
vyx_breaker_enter(struct vyx_breaker *b, const struct vyx_breaker_conf *c,
    uint64_t now, struct vyx_breaker_permit *p, uint32_t *retry_s)
{
	*p = (struct vyx_breaker_permit){ 0 };
	if ((*retry_s = vyx_breaker_shut(b, c, now)) != 0)
		return 0;
	if (b->state == VYX_BREAKER_OPEN)
		become(b, VYX_BREAKER_HALF_OPEN);
	if (b->state == VYX_BREAKER_HALF_OPEN) {
		b->trials++;
		p->trial = 1;
	}
	p->generation = b->generation;
	p->held = 1;
	return 1;
}

int
vyx_breaker_leave(struct vyx_breaker *b, const struct vyx_breaker_conf *c,
    uint64_t now, struct vyx_breaker_permit *p, enum vyx_breaker_end end)
{
	int held = p->held;

	p->held = 0;
	if (!held || p->generation != b->generation)
		return 0;
	if (p->trial)
		b->trials--;
	switch (end) {
	case VYX_BREAKER_NEUTRAL:
		return 0;
	case VYX_BREAKER_GOOD:
		b->failed = 0;
		if (!p->trial || ++b->passed < c->half_open_max)
			return 0;
		become(b, VYX_BREAKER_CLOSED);
		return 1;
	case VYX_BREAKER_BAD:
		break;
	}
	if (!p->trial && ++b->failed < c->failures)
		return 0;
	open_at(b, now);
	return 1;
}

void
vyx_breaker_adopt(struct vyx_breaker *b, const struct vyx_breaker *old)
{
	*b = *old;
	b->generation++;
	if (b->state != VYX_BREAKER_HALF_OPEN)
		return;
	/* its trials end elsewhere; the cooldown is over, so ask again */
	open_at(b, old->opened);
}

const char *
vyx_breaker_word(const struct vyx_breaker *b)
{
	static const char *const word[] = { "closed", "open", "half-open" };

	return word[b->state];
}
