/* SPDX-License-Identifier: ISC */
/* regex_parse - a pattern as a tree (ECMA-262 22.2.1, with the u flag). */
#include <errno.h>
#include <stdlib.h>

#include "regex_int.h"

int
vyx_regex_fail(struct vyx_regex_parse *p, const char *why)
{
	if (!p->why)
		p->why = why;
	return 0;
}

/* The byte at hand, 0 at the end; NUL in a pattern is no syntax either. */
static char
look(const struct vyx_regex_parse *p, size_t ahead)
{
	return p->in.n - p->at > ahead ? p->in.p[p->at + ahead] : '\0';
}

static int
eat(struct vyx_regex_parse *p, const char *z)
{
	size_t n = strlen(z);

	if (p->in.n - p->at < n || memcmp(p->in.p + p->at, z, n) != 0)
		return 0;
	p->at += n;
	return 1;
}

static uint32_t
code_point(struct vyx_regex_parse *p)
{
	const char *s = p->in.p + p->at;
	uint32_t c = vyx_regex_decode(&s, p->in.p + p->in.n);

	p->at = (size_t)(s - p->in.p);
	return c;
}

static uint32_t
node(struct vyx_regex_parse *p, enum vyx_regex_kind kind, uint32_t child)
{
	struct vyx_regex_node *v = p->node;
	size_t cap = p->cap ? 2 * p->cap : 32;

	if (p->nodes == p->cap) {
		v = reallocarray(v, cap, sizeof(*v));
		if (!v)
			return (uint32_t)vyx_regex_fail(p, "");
		p->node = v;
		p->cap = cap;
		p->nodes += !p->nodes; /* 0 is none */
	}
	v[p->nodes] = (struct vyx_regex_node){ .kind = kind, .child = child };
	return (uint32_t)p->nodes++;
}

static uint32_t
one(struct vyx_regex_parse *p, enum vyx_regex_op op, uint32_t x)
{
	uint32_t i = node(p, RE_ONE, 0);

	if (i)
		p->node[i].inst = (struct vyx_regex_inst){ x, 0, (uint16_t)op };
	return i;
}

static uint32_t
class_of(struct vyx_regex_parse *p, size_t from, int negated)
{
	uint32_t which;

	if (!vyx_regex_class_end(p, from, negated, &which))
		return 0;
	return one(p, RE_CLASS, which);
}

/* One member of a class; *single when it is a code point. */
static int
member(struct vyx_regex_parse *p, uint32_t *c, int *single)
{
	int got;

	*single = 1;
	if (!eat(p, "\\")) {
		*c = code_point(p);
		return 1;
	}
	if (eat(p, "b"))
		return *c = '\b', 1;
	got = vyx_regex_escape(p, c);
	*single = got == 1;
	return got;
}

static uint32_t class(struct vyx_regex_parse *p)
{
	size_t from = vyx_regex_class_begin(p);
	int negated = eat(p, "^"), first, last;
	uint32_t lo = 0, hi = 0;

	while (!eat(p, "]")) {
		if (p->at == p->in.n)
			return (uint32_t)vyx_regex_fail(p, "[ without ]");
		if (!member(p, &lo, &first))
			return 0;
		hi = lo;
		last = first;
		if (look(p, 0) == '-' && look(p, 1) != ']' &&
		    p->in.n - p->at > 1) {
			p->at++;
			if (!member(p, &hi, &last))
				return 0;
			if (!first || !last || lo > hi)
				return (uint32_t)vyx_regex_fail(p,
				    "a range in [ ] goes from one character to "
				    "a later one; a plain - stands last");
		}
		if (first && !vyx_regex_class_add(p, lo, hi))
			return 0;
	}
	return class_of(p, from, negated);
}

static uint32_t
escaped(struct vyx_regex_parse *p)
{
	size_t from = vyx_regex_class_begin(p);
	uint32_t c = 0;

	if (eat(p, "b"))
		return one(p, RE_EDGE, 0);
	if (eat(p, "B"))
		return one(p, RE_INSIDE, 0);
	if (look(p, 0) == 'k' || (look(p, 0) >= '1' && look(p, 0) <= '9'))
		return (uint32_t)vyx_regex_fail(p,
		    "back-references are not supported");
	switch (vyx_regex_escape(p, &c)) {
	case 1:
		return one(p, RE_CHAR, c);
	case 2:
		return class_of(p, from, 0);
	default:
		return 0;
	}
}

static int
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '$';
}

static uint32_t alternation(struct vyx_regex_parse *p);

static uint32_t
group(struct vyx_regex_parse *p)
{
	uint32_t i;

	if (eat(p, "?=") || eat(p, "?!"))
		return (uint32_t)vyx_regex_fail(p,
		    "lookahead is not supported: use allOf or not with "
		    "patterns of their own");
	if (eat(p, "?<=") || eat(p, "?<!"))
		return (uint32_t)vyx_regex_fail(p,
		    "lookbehind is not supported");
	if (eat(p, "?<")) {
		while (is_name(look(p, 0)))
			p->at++;
		if (p->in.p[p->at - 1] == '<' || !eat(p, ">"))
			return (uint32_t)vyx_regex_fail(p,
			    "the name of a group is not plain");
	} else if (!eat(p, "?:") && look(p, 0) == '?')
		return (uint32_t)vyx_regex_fail(p,
		    "this sort of group is not supported");
	if (p->nest == VYX_REGEX_NEST)
		return (uint32_t)vyx_regex_fail(p, "groups nested too deep");
	p->nest++;
	i = alternation(p);
	p->nest--;
	if (i && !eat(p, ")"))
		return (uint32_t)vyx_regex_fail(p, "( without )");
	return i;
}

static uint32_t
atom(struct vyx_regex_parse *p)
{
	if (eat(p, "("))
		return group(p);
	if (eat(p, "["))
		return class(p);
	if (eat(p, "\\"))
		return escaped(p);
	if (eat(p, "."))
		return one(p, RE_ANY, 0);
	if (eat(p, "^"))
		return one(p, RE_BEGIN, 0);
	if (eat(p, "$"))
		return one(p, RE_END, 0);
	if (look(p, 0) && strchr("*+?", look(p, 0)))
		return (uint32_t)vyx_regex_fail(p, "nothing to repeat");
	if (look(p, 0) && strchr("{}]", look(p, 0)))
		return (uint32_t)vyx_regex_fail(p,
		    "a lone { } or ] is written with \\ before it");
	return one(p, RE_CHAR, code_point(p));
}

/* Digits; more than a program could hold is as good as that. */
static int
number(struct vyx_regex_parse *p, uint32_t *v)
{
	size_t from = p->at;

	for (*v = 0; look(p, 0) >= '0' && look(p, 0) <= '9'; p->at++)
		if (*v <= VYX_REGEX_PROG)
			*v = *v * 10 + (uint32_t)(look(p, 0) - '0');
	return p->at > from;
}

/* What stands behind an atom: 1 with how often, 2 none, 0 wrong. */
static int
quantifier(struct vyx_regex_parse *p, uint32_t *min, uint32_t *max)
{
	*min = look(p, 0) == '+';
	*max = look(p, 0) == '?' ? 1 : UINT32_MAX;
	if (!eat(p, "*") && !eat(p, "+") && !eat(p, "?")) {
		if (!eat(p, "{"))
			return 2;
		if (!number(p, min))
			return vyx_regex_fail(p, "{ without a number");
		*max = *min;
		if (eat(p, ",") && !number(p, max))
			*max = UINT32_MAX;
		if (!eat(p, "}"))
			return vyx_regex_fail(p, "{ without }");
		if (*max < *min)
			return vyx_regex_fail(p, "{m,n} with m over n");
	}
	eat(p, "?"); /* which match it is does not matter here */
	return 1;
}

static uint32_t
piece(struct vyx_regex_parse *p)
{
	uint32_t i = atom(p), min, max;
	int got;

	if (!i || (got = quantifier(p, &min, &max)) == 0)
		return 0;
	if (got == 2)
		return i;
	if (p->node[i].kind == RE_ONE && p->node[i].inst.op >= RE_BEGIN)
		return (uint32_t)vyx_regex_fail(p, "nothing to repeat");
	if ((i = node(p, RE_REPEAT, i)) != 0) {
		p->node[i].min = min;
		p->node[i].max = max;
	}
	return i;
}

static uint32_t
sequence(struct vyx_regex_parse *p)
{
	uint32_t seq = node(p, RE_SEQ, 0), last = 0, i;

	while (seq && p->at < p->in.n && look(p, 0) != '|' &&
	    look(p, 0) != ')') {
		if ((i = piece(p)) == 0)
			return 0;
		if (last)
			p->node[last].next = i;
		else
			p->node[seq].child = i;
		last = i;
	}
	return seq;
}

static uint32_t
alternation(struct vyx_regex_parse *p)
{
	uint32_t first = sequence(p), last = first, i;

	if (!first)
		return 0;
	while (eat(p, "|")) {
		if ((i = sequence(p)) == 0)
			return 0;
		p->node[last].next = i;
		last = i;
	}
	return node(p, RE_ALT, first);
}

uint32_t
vyx_regex_tree(struct vyx_regex_parse *p)
{
	uint32_t i = alternation(p);

	if (i && p->at < p->in.n)
		return (uint32_t)vyx_regex_fail(p, ") without (");
	return i;
}
