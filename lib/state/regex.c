/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "regex_int.h"

uint32_t
vyx_regex_decode(const char **s, const char *end)
{
	const unsigned char *p = (const unsigned char *)*s;
	size_t left = (size_t)(end - *s), n;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = *p;

	n = c < 0x80   ? 1
	    : c < 0xc2 ? 0
	    : c < 0xe0 ? 2
	    : c < 0xf0 ? 3
	    : c < 0xf5 ? 4
	               : 0;
	++*s;
	if (n == 1)
		return c;
	if (!n || n > left)
		return 0xfffd;
	c &= 0xffu >> (n + 1);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > VYX_REGEX_LAST || (c >= 0xd800 && c < 0xe000))
		return 0xfffd;
	*s += n - 1;
	return c;
}

#define NOTHING UINT32_MAX /* beyond either end of the text */

static int
is_word(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

static int
in_class(const struct vyx_regex *re, uint32_t which, uint32_t c)
{
	const struct vyx_regex_class *k = &re->class[which];
	size_t lo = k->from, hi = k->from + k->n, mid;

	if (c < 128)
		return (int)(k->ascii[c >> 6] >> (c & 63) & 1);
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (re->range[mid].hi < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < k->from + k->n && re->range[lo].lo <= c;
}

static int
takes(const struct vyx_regex *re, const struct vyx_regex_inst *i, uint32_t c)
{
	switch (i->op) {
	case RE_CHAR:
		return i->x == c;
	case RE_ANY:
		return c != '\n' && c != '\r' && c != 0x2028 && c != 0x2029;
	default:
		return in_class(re, i->x, c);
	}
}

static int
holds(unsigned op, uint32_t before, uint32_t c)
{
	switch (op) {
	case RE_BEGIN:
		return before == NOTHING;
	case RE_END:
		return c == NOTHING;
	case RE_EDGE:
		return is_word(before) != is_word(c);
	default:
		return is_word(before) == is_word(c);
	}
}

struct place {
	uint32_t before, c; /* the code points on either side */
	size_t n;           /* states in re->now */
	int found;
	uint64_t steps; /* taken */
};

static void
push(struct vyx_regex *re, size_t *n, size_t pc)
{
	if (re->mark[pc] == re->turn)
		return;
	re->mark[pc] = re->turn;
	re->stack[(*n)++] = (uint16_t)pc;
}

/* Into re->now with all that is reached from `pc` without taking a code
 * point. Each is marked when it is pushed, so the stack has room. */
static void
reach(struct vyx_regex *re, struct place *at, size_t pc)
{
	const struct vyx_regex_inst *i;
	size_t n = 0;

	push(re, &n, pc);
	while (n) {
		pc = re->stack[--n];
		i = &re->prog[pc];
		at->steps++;
		switch (i->op) {
		case RE_MATCH:
			at->found = 1;
			return;
		case RE_SPLIT:
			push(re, &n, i->x);
			push(re, &n, i->y);
			break;
		case RE_JUMP:
			push(re, &n, i->x);
			break;
		case RE_BEGIN:
		case RE_END:
		case RE_EDGE:
		case RE_INSIDE:
			if (holds(i->op, at->before, at->c))
				push(re, &n, pc + 1);
			break;
		default:
			re->now[at->n++] = (uint16_t)pc;
		}
	}
}

int
vyx_regex_match(struct vyx_regex *re, struct vyx_str text, uint64_t *steps)
{
	struct place at = { NOTHING, NOTHING, 0, 0, 0 };
	const char *p = text.p, *end = text.n ? text.p + text.n : text.p;
	int anchored = re->prog[0].op == RE_BEGIN;
	size_t next = 0; /* states in re->next */

	for (;;) {
		at.c = p < end ? vyx_regex_decode(&p, end) : NOTHING;
		re->turn++;
		at.n = 0;
		for (size_t i = 0; i < next && !at.found; i++)
			reach(re, &at, re->next[i]);
		if (!at.found && (!anchored || at.before == NOTHING))
			reach(re, &at, 0);
		if (at.steps > *steps) {
			*steps = 0;
			return -1;
		}
		if (at.found || at.c == NOTHING || (anchored && !at.n))
			break;
		next = 0;
		for (size_t i = 0; i < at.n; i++)
			if (takes(re, &re->prog[re->now[i]], at.c))
				re->next[next++] = (uint16_t)(re->now[i] + 1);
		at.steps += 1;
		at.before = at.c;
	}
	*steps -= at.steps;
	return at.found;
}

static struct vyx_regex *
finish(struct vyx_regex *re)
{
	re->mark = calloc(re->n, sizeof(*re->mark));
	re->now = calloc(re->n, sizeof(*re->now));
	re->next = calloc(re->n, sizeof(*re->next));
	re->stack = calloc(re->n, sizeof(*re->stack));
	if (re->mark && re->now && re->next && re->stack)
		return re;
	vyx_regex_free(re);
	return errno = ENOMEM, NULL;
}

struct vyx_regex *
vyx_regex_compile(struct vyx_str pattern, struct vyx_regex_error *err)
{
	struct vyx_regex_parse p = { .in = pattern, .cap = 0 };
	uint32_t tree;

	p.re = calloc(1, sizeof(*p.re));
	if (!p.re)
		return errno = ENOMEM, NULL;
	if (pattern.n > VYX_REGEX_TEXT)
		vyx_regex_fail(&p, "the pattern is too long");
	else if ((tree = vyx_regex_tree(&p)) != 0)
		vyx_regex_write(&p, tree);
	free(p.node);
	if (!p.why)
		return finish(p.re);
	vyx_regex_free(p.re);
	*err = (struct vyx_regex_error){ p.why, p.at };
	/* memory has no words of its own here */
	errno = *p.why ? EINVAL : ENOMEM;
	return NULL;
}

size_t
vyx_regex_size(const struct vyx_regex *re)
{
	return re->n + re->ranges;
}

void
vyx_regex_free(struct vyx_regex *re)
{
	if (!re)
		return;
	free(re->prog);
	free(re->class);
	free(re->range);
	free(re->mark);
	free(re->now);
	free(re->next);
	free(re->stack);
	free(re);
}
