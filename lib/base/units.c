/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "base/units.h"

/* ISO C has no name for it. */
__extension__ typedef __int128 wide;

struct unit {
	const char *name;
	int64_t ns;
};

/* Longer names before those they start with; both letters that look like a
 * mu (U+00B5, U+03BC) are in use. */
static const struct unit units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\302\265s", 1000 },
	{ "\316\274s", 1000 },
	{ "ms", VYX_NS_MS },
	{ "s", VYX_NS_S },
	{ "m", 60 * VYX_NS_S },
	{ "h", 3600 * VYX_NS_S },
};

/* Digits off the front of *s: 1, 0 when there is none, -1 when too many. */
static int
whole(struct vyx_str *s, uint64_t *v)
{
	size_t i = 0;

	for (*v = 0; i < s->n; i++) {
		unsigned d = (unsigned char)s->p[i] - (unsigned)'0';

		if (d > 9)
			break;
		if (__builtin_mul_overflow(*v, 10, v) ||
		    __builtin_add_overflow(*v, d, v))
			return errno = ERANGE, -1;
	}
	s->p += i;
	s->n -= i;
	return i > 0;
}

/* The same behind a point: v / scale; digits past the 18th count nothing. */
static int
fraction(struct vyx_str *s, uint64_t *v, uint64_t *scale)
{
	size_t i = 0;

	for (*v = 0, *scale = 1; i < s->n; i++) {
		unsigned d = (unsigned char)s->p[i] - (unsigned)'0';

		if (d > 9)
			break;
		if (*scale == UINT64_C(1000000000000000000))
			continue;
		*v = *v * 10 + d;
		*scale *= 10;
	}
	s->p += i;
	s->n -= i;
	return i > 0;
}

/* One number with its unit off the front of *s, added to *sum. */
static int
part(struct vyx_str *s, int64_t *sum)
{
	uint64_t v, frac = 0, scale = 1;
	const struct unit *u = units;
	int r = whole(s, &v), f = 0;
	wide t;

	if (r < 0)
		return 0;
	if (s->n && *s->p == '.') {
		s->p++;
		s->n--;
		f = fraction(s, &frac, &scale);
	}
	if (!r && !f)
		return errno = EINVAL, 0;
	while (u < units + VYX_COUNT(units) &&
	    !vyx_str_starts(*s, VYX_STRZ(u->name)))
		u++;
	if (u == units + VYX_COUNT(units))
		return errno = EINVAL, 0;
	s->p += strlen(u->name);
	s->n -= strlen(u->name);
	t = (wide)v * u->ns + (wide)frac * u->ns / scale + *sum;
	if (t > INT64_MAX)
		return errno = ERANGE, 0;
	*sum = (int64_t)t;
	return 1;
}

int
vyx_dur_scan(struct vyx_str s, int64_t *ns)
{
	int64_t sum = 0;
	int minus = s.n && *s.p == '-';

	if (s.n && (*s.p == '-' || *s.p == '+')) {
		s.p++;
		s.n--;
	}
	if (!s.n)
		return errno = EINVAL, 0;
	if (s.n == 1 && *s.p == '0')
		return *ns = 0, 1;
	while (s.n)
		if (!part(&s, &sum))
			return 0;
	*ns = minus ? -sum : sum;
	return 1;
}

size_t
vyx_dur_fmt(char *out, int64_t ns)
{
	static const struct unit down[] = {
		{ "h", 3600 * VYX_NS_S },
		{ "m", 60 * VYX_NS_S },
		{ "s", VYX_NS_S },
		{ "ms", VYX_NS_MS },
		{ "us", 1000 },
		{ "ns", 1 },
	};
	uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	size_t n = 0;

	if (!ns)
		return memcpy(out, "0s", 2), 2;
	if (ns < 0)
		out[n++] = '-';
	for (size_t i = 0; i < VYX_COUNT(down); i++) {
		uint64_t k = left / (uint64_t)down[i].ns;

		if (!k)
			continue;
		left -= k * (uint64_t)down[i].ns;
		n += vyx_dec_fmt(out + n, k);
		memcpy(out + n, down[i].name, strlen(down[i].name));
		n += strlen(down[i].name);
	}
	return n;
}

int
vyx_size_scan(struct vyx_str s, uint64_t *bytes)
{
	static const char *const names[] = { "", "b", "k", "kb", "m", "mb", "g",
		"gb" };
	static const unsigned shift[] = { 0, 0, 10, 10, 20, 20, 30, 30 };
	struct vyx_str num = { s.p, 0 }, unit;
	uint64_t v;

	while (num.n < s.n && s.p[num.n] >= '0' && s.p[num.n] <= '9')
		num.n++;
	unit = (struct vyx_str){ s.p + num.n, s.n - num.n };
	for (size_t i = 0; i < VYX_COUNT(names); i++) {
		if (!vyx_str_caseeq(unit, VYX_STRZ(names[i])))
			continue;
		if (!vyx_dec_scan(num, (uint64_t)INT64_MAX >> shift[i], &v))
			return 0;
		return *bytes = v << shift[i], 1;
	}
	return errno = EINVAL, 0;
}

size_t
vyx_size_fmt(char *out, uint64_t bytes)
{
	static const char *const names[] = { "b", "kb", "mb", "gb" };
	unsigned i = 0;
	size_t n;

	while (bytes && i < 3 && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	n = vyx_dec_fmt(out, bytes);
	memcpy(out + n, names[i], strlen(names[i]));
	return n + strlen(names[i]);
}
