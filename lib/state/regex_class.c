/* SPDX-License-Identifier: ISC */
/* regex_class - escapes, and sets of code points. */
#include <stdlib.h>

#include "regex_int.h"

size_t
vyx_regex_class_begin(const struct vyx_regex_parse *p)
{
	return p->re->ranges;
}

int
vyx_regex_class_add(struct vyx_regex_parse *p, uint32_t lo, uint32_t hi)
{
	struct vyx_regex *re = p->re;
	size_t cap = p->ranges_cap ? 2 * p->ranges_cap : 32;
	struct vyx_regex_range *v = re->range;

	if (re->ranges == VYX_REGEX_RANGE)
		return vyx_regex_fail(p, "the classes are too large");
	if (re->ranges == p->ranges_cap) {
		v = reallocarray(v, cap, sizeof(*v));
		if (!v)
			return vyx_regex_fail(p, "");
		re->range = v;
		p->ranges_cap = cap;
	}
	v[re->ranges++] = (struct vyx_regex_range){ lo, hi };
	return 1;
}

static int
by_lo(const void *a, const void *b)
{
	const struct vyx_regex_range *x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

/* Sort those behind `from`, and melt what overlaps or touches. */
static void
tidy(struct vyx_regex *re, size_t from)
{
	struct vyx_regex_range *v = re->range;
	size_t n = from;

	if (re->ranges == from)
		return;
	qsort(v + from, re->ranges - from, sizeof(*v), by_lo);
	for (size_t i = from + 1; i < re->ranges; i++)
		if (v[i].lo <= v[n].hi + 1)
			v[n].hi = v[i].hi > v[n].hi ? v[i].hi : v[n].hi;
		else
			v[++n] = v[i];
	re->ranges = n + 1;
}

int
vyx_regex_class_invert(struct vyx_regex_parse *p, size_t from)
{
	struct vyx_regex *re = p->re;
	uint32_t lo = 0, hi;
	size_t n = from;

	tidy(re, from);
	for (size_t i = from; i < re->ranges; i++) {
		hi = re->range[i].hi;
		if (re->range[i].lo > lo)
			re->range[n++] =
			    (struct vyx_regex_range){ lo, re->range[i].lo - 1 };
		lo = hi + 1;
	}
	re->ranges = n;
	return lo > VYX_REGEX_LAST ||
	    vyx_regex_class_add(p, lo, VYX_REGEX_LAST);
}

int
vyx_regex_class_end(struct vyx_regex_parse *p, size_t from, int negated,
    uint32_t *which)
{
	struct vyx_regex *re = p->re;
	struct vyx_regex_class *v = re->class, *k;
	size_t cap = p->classes_cap ? 2 * p->classes_cap : 8;

	if (negated && !vyx_regex_class_invert(p, from))
		return 0;
	tidy(re, from);
	if (re->classes == p->classes_cap) {
		v = reallocarray(v, cap, sizeof(*v));
		if (!v)
			return vyx_regex_fail(p, "");
		re->class = v;
		p->classes_cap = cap;
	}
	k = &v[re->classes];
	*k = (struct vyx_regex_class){ (uint32_t)from,
		(uint32_t)(re->ranges - from), { 0, 0 } };
	for (size_t i = from; i < re->ranges; i++)
		for (uint32_t c = re->range[i].lo;
		     c < 128 && c <= re->range[i].hi; c++)
			k->ascii[c >> 6] |= UINT64_C(1) << (c & 63);
	*which = (uint32_t)re->classes++;
	return 1;
}

int
vyx_regex_class_letter(struct vyx_regex_parse *p, char letter)
{
	static const struct vyx_regex_range
	    digit[] = { { '0', '9' } },
	    word[] = { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } },
	    space[] = { { 0x9, 0xd }, { ' ', ' ' }, { 0xa0, 0xa0 },
		    { 0x1680, 0x1680 }, { 0x2000, 0x200a }, { 0x2028, 0x2029 },
		    { 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
		    { 0xfeff, 0xfeff } };
	const struct vyx_regex_range *v = digit;
	size_t from = vyx_regex_class_begin(p), n = VYX_COUNT(digit);
	char lower = (char)(letter | 0x20);

	if (lower == 'w') {
		v = word;
		n = VYX_COUNT(word);
	} else if (lower == 's') {
		v = space;
		n = VYX_COUNT(space);
	}
	for (size_t i = 0; i < n; i++)
		if (!vyx_regex_class_add(p, v[i].lo, v[i].hi))
			return 0;
	return letter == lower || vyx_regex_class_invert(p, from);
}

/* `n` hex digits. */
static int
hex(struct vyx_regex_parse *p, size_t n, uint32_t *c)
{
	uint64_t v;

	if (p->in.n - p->at < n ||
	    !vyx_hex_scan((struct vyx_str){ p->in.p + p->at, n },
	        VYX_REGEX_LAST, &v))
		return vyx_regex_fail(p, "wrong hex digits behind \\");
	p->at += n;
	*c = (uint32_t)v;
	return 1;
}

/* What stands in { }, the brace at hand. */
static int
braced(struct vyx_regex_parse *p, struct vyx_str *in)
{
	const char *from = p->in.p + p->at, *end;

	if (p->at == p->in.n || *from != '{' ||
	    !(end = memchr(from, '}', p->in.n - p->at)))
		return vyx_regex_fail(p, "{ } is missing behind \\u or \\p");
	*in = (struct vyx_str){ from + 1, (size_t)(end - from - 1) };
	p->at += in->n + 2;
	return 1;
}

/* \uHHHH, a pair of them, or \u{H...}. */
static int
unicode(struct vyx_regex_parse *p, uint32_t *c)
{
	struct vyx_str in;
	uint64_t v;
	uint32_t low;

	if (p->at < p->in.n && p->in.p[p->at] == '{') {
		if (!braced(p, &in))
			return 0;
		if (!vyx_hex_scan(in, VYX_REGEX_LAST, &v))
			return vyx_regex_fail(p, "wrong hex digits in \\u{ }");
		*c = (uint32_t)v;
		return 1;
	}
	if (!hex(p, 4, c))
		return 0;
	if (*c >= 0xd800 && *c < 0xdc00 && p->in.n - p->at >= 6 &&
	    !memcmp(p->in.p + p->at, "\\u", 2) &&
	    vyx_hex_scan((struct vyx_str){ p->in.p + p->at + 2, 4 }, 0xffff,
	        &v) &&
	    v >= 0xdc00 && v < 0xe000) {
		low = (uint32_t)v;
		p->at += 6;
		*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
	}
	return 1;
}

static int
property(struct vyx_regex_parse *p, int negated)
{
	struct vyx_str name;

	return braced(p, &name) && vyx_regex_property(p, name, negated) ? 2 : 0;
}

static int
control(struct vyx_regex_parse *p, uint32_t *c)
{
	char letter = p->at < p->in.n ? (char)(p->in.p[p->at] | 0x20) : 0;

	if (letter < 'a' || letter > 'z')
		return vyx_regex_fail(p, "no letter behind \\c");
	p->at++;
	*c = (uint32_t)letter & 31;
	return 1;
}

int
vyx_regex_escape(struct vyx_regex_parse *p, uint32_t *c)
{
	static const char plain[] = "t\tn\nv\vf\fr\r";
	char e = p->at < p->in.n ? p->in.p[p->at] : '\0';
	const char *as;

	if (!e)
		return vyx_regex_fail(p, "nothing behind \\");
	p->at++;
	if (strchr("dDwWsS", e))
		return vyx_regex_class_letter(p, e) ? 2 : 0;
	if (e == 'p' || e == 'P')
		return property(p, e == 'P');
	if (e == 'u')
		return unicode(p, c);
	if (e == 'x')
		return hex(p, 2, c);
	if (e == 'c')
		return control(p, c);
	if (e == '0' &&
	    (p->at == p->in.n || p->in.p[p->at] < '0' || p->in.p[p->at] > '9'))
		return *c = 0, 1;
	if ((as = strchr(plain, e)) != NULL && e >= 'a')
		return *c = (unsigned char)as[1], 1;
	if ((unsigned char)e < 128 && e > ' ' && e != 127 &&
	    !((e | 0x20) >= 'a' && (e | 0x20) <= 'z') &&
	    !(e >= '0' && e <= '9'))
		return *c = (unsigned char)e, 1;
	p->at--;
	return vyx_regex_fail(p, "this is no escape");
}
