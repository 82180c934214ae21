/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "path.h"

/* What stands for itself: RFC 3986 pchar but `%`; `;` is refused raw. */
static int
stands(unsigned char c)
{
	static const char other[] = "-._~!$&'()*+,=:@";

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c && memchr(other, c, sizeof(other) - 1));
}

/* Raw bytes that have only one meaning, and are written encoded. */
static int
loose(unsigned char c)
{
	return c && memchr("\"<>[]^`{|}", c, 10);
}

/* A byte that must not come out of any decoding. */
static int
never(int c)
{
	return c < 0x20 || c == 0x7f || c == '/' || c == '\\' || c == 0xc0 ||
	    c == 0xc1;
}

/* The byte of %XX at p, -1: it is none. */
static int
decode(const char *p, const char *end)
{
	int hi, lo;

	if (end - p < 3 || *p != '%')
		return -1;
	hi = vyx_hex_digit((unsigned char)p[1]);
	lo = vyx_hex_digit((unsigned char)p[2]);
	return hi < 0 || lo < 0 ? -1 : hi << 4 | lo;
}

struct out {
	char *p;
	size_t n;
	size_t cap;
};

static int
put(struct out *o, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";

	if (o->cap - o->n < (stands(c) || c == '/' ? 1 : 3))
		return errno = ENAMETOOLONG, 0;
	if (stands(c) || c == '/')
		o->p[o->n++] = (char)c;
	else {
		o->p[o->n++] = '%';
		o->p[o->n++] = hex[c >> 4];
		o->p[o->n++] = hex[c & 15];
	}
	return 1;
}

/* The segment at o->p + from: 1 for `.`, 2 for `..`, else 0. */
static size_t
dots(const struct out *o, size_t from)
{
	size_t n = o->n - from;

	return n && n <= 2 && !memcmp(o->p + from, "..", n) ? n : 0;
}

/* The output has a segment behind its last `/`: undo it if it is dots, and
 * the one before it for `..`. */
static void
undot(struct out *o, size_t from)
{
	size_t n = dots(o, from);

	if (!n)
		return;
	o->n = from;
	if (n == 2 && from > 1)
		for (o->n--; o->p[o->n - 1] != '/';)
			o->n--;
}

/* Whether a second decoding of the form would make something of it. */
static int
twice(const struct out *o)
{
	const char *end = o->p + o->n;

	for (const char *p = o->p; end - p >= 5; p++) {
		char again[3] = { '%', p[3], p[4] };
		int c;

		if (memcmp(p, "%25", 3) != 0)
			continue;
		c = decode(again, again + 3);
		if (c >= 0 && (never(c) || c == '.' || c == ';' || c == '%'))
			return 1;
	}
	return 0;
}

/* One byte of input, raw or encoded, `*p` moved behind it. -1: refused. */
static int
take(const char **p, const char *end, int pattern)
{
	unsigned char c = (unsigned char)**p;
	int v;

	if (c == '%') {
		v = decode(*p, end);
		*p += 3;
		return v < 0 || never(v) ? -1 : v;
	}
	++*p;
	if (stands(c) || loose(c) || (pattern && (c == ' ' || c > 0x7e)))
		return never(c) ? -1 : c;
	return -1;
}

/* Whether every byte stands and no segment is empty or begins with a dot. */
static int
canonical(struct vyx_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '/' ? i + 1 < s.n &&
		            (s.p[i + 1] == '/' || s.p[i + 1] == '.')
		                  : !stands((unsigned char)s.p[i]))
			return 0;
	return s.n && s.p[0] == '/';
}

int
vyx_path_canon(struct vyx_str in, char *buf, size_t cap, struct vyx_str *out)
{
	struct out o = { buf, 0, cap };
	const char *p = in.p, *end = in.p + in.n;
	size_t from = 1; /* of the segment being written */
	int c;

	if (!in.n)
		in = VYX_STR("/");
	if (canonical(in))
		return *out = in, 1;
	if (*in.p != '/')
		return errno = EINVAL, 0;
	if (!put(&o, '/'))
		return 0;
	for (p++; p < end;) {
		if (*p != '/') {
			if ((c = take(&p, end, 0)) < 0)
				return errno = EINVAL, 0;
			if (!put(&o, (unsigned char)c))
				return 0;
			continue;
		}
		p++;
		undot(&o, from);
		if (o.p[o.n - 1] != '/' && !put(&o, '/'))
			return 0;
		from = o.n;
	}
	undot(&o, from);
	if (twice(&o))
		return errno = EINVAL, 0;
	*out = (struct vyx_str){ o.p, o.n };
	return 1;
}

int
vyx_path_segment(struct vyx_str in, char *buf, size_t cap, struct vyx_str *out)
{
	struct out o = { buf, 0, cap };
	const char *p = in.p, *end = in.p + in.n;
	int c;

	while (p < end) {
		if ((c = take(&p, end, 1)) < 0)
			return errno = EINVAL, 0;
		if (!put(&o, (unsigned char)c))
			return 0;
	}
	if (dots(&o, 0) || twice(&o))
		return errno = EINVAL, 0;
	*out = (struct vyx_str){ o.p, o.n };
	return 1;
}
