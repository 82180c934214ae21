/* SPDX-License-Identifier: ISC */
/* regex_write - a tree as a program; {m,n} is written out. */
#include <errno.h>
#include <stdlib.h>

#include "regex_int.h"

static int
put(struct vyx_regex_parse *p, enum vyx_regex_op op, uint32_t x, uint32_t y)
{
	struct vyx_regex *re = p->re;

	if (re->n == VYX_REGEX_PROG)
		return vyx_regex_fail(p,
		    "the pattern is too large once its counts are written "
		    "out");
	re->prog[re->n++] =
	    (struct vyx_regex_inst){ x, (uint16_t)y, (uint16_t)op };
	return 1;
}

static int write_node(struct vyx_regex_parse *p, uint32_t i);

static int
write_alt(struct vyx_regex_parse *p, uint32_t first)
{
	struct vyx_regex *re = p->re;
	uint32_t jumps = UINT32_MAX, at, next;

	for (uint32_t i = first; i; i = p->node[i].next) {
		if (!p->node[i].next) {
			if (!write_node(p, i))
				return 0;
			break;
		}
		at = (uint32_t)re->n;
		if (!put(p, RE_SPLIT, at + 1, 0) || !write_node(p, i))
			return 0;
		/* jumps to the end are chained until it is known */
		if (!put(p, RE_JUMP, jumps, 0))
			return 0;
		jumps = (uint32_t)re->n - 1;
		re->prog[at].y = (uint16_t)re->n;
	}
	for (; jumps != UINT32_MAX; jumps = next) {
		next = re->prog[jumps].x;
		re->prog[jumps].x = (uint32_t)re->n;
	}
	return 1;
}

/* min times, then `*`, or the rest each with a way out to the end. */
static int
write_repeat(struct vyx_regex_parse *p, const struct vyx_regex_node *rep)
{
	struct vyx_regex *re = p->re;
	uint32_t child = rep->child, min = rep->min, max = rep->max;
	uint32_t at = UINT32_MAX, outs = UINT32_MAX;

	for (uint32_t i = 0; i < min; i++)
		if (!write_node(p, child))
			return 0;
	if (max == UINT32_MAX) {
		at = (uint32_t)re->n;
		if (!put(p, RE_SPLIT, at + 1, 0) || !write_node(p, child) ||
		    !put(p, RE_JUMP, at, 0))
			return 0;
		re->prog[at].y = (uint16_t)re->n;
		return 1;
	}
	for (uint32_t i = min; i < max; i++) {
		at = (uint32_t)re->n;
		/* chained by y, which has room for a place and no more */
		if (!put(p, RE_SPLIT, at + 1,
		        outs == UINT32_MAX ? UINT16_MAX : outs) ||
		    !write_node(p, child))
			return 0;
		outs = at;
	}
	while (outs != UINT32_MAX) {
		at = re->prog[outs].y;
		re->prog[outs].y = (uint16_t)re->n;
		outs = at == UINT16_MAX ? UINT32_MAX : at;
	}
	return 1;
}

static int
write_node(struct vyx_regex_parse *p, uint32_t i)
{
	const struct vyx_regex_node *n = &p->node[i];

	/* repeats of nothing write nothing, and would go on for ever */
	if (++p->visits > 8 * (size_t)VYX_REGEX_PROG)
		return vyx_regex_fail(p, "the pattern has too many repeats");
	switch (n->kind) {
	case RE_SEQ:
		for (i = n->child; i; i = p->node[i].next)
			if (!write_node(p, i))
				return 0;
		return 1;
	case RE_ALT:
		return write_alt(p, n->child);
	case RE_REPEAT:
		return write_repeat(p, n);
	default:
		return put(p, n->inst.op, n->inst.x, 0);
	}
}

int
vyx_regex_write(struct vyx_regex_parse *p, uint32_t tree)
{
	struct vyx_regex_inst *fit;

	p->re->prog = calloc(VYX_REGEX_PROG, sizeof(*p->re->prog));
	if (!p->re->prog)
		return vyx_regex_fail(p, "");
	if (!write_node(p, tree) || !put(p, RE_MATCH, 0, 0))
		return 0;
	/* most are short */
	fit = reallocarray(p->re->prog, p->re->n, sizeof(*fit));
	if (fit)
		p->re->prog = fit;
	return 1;
}
