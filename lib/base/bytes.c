/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

static unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

int
vyx_str_caseeq(struct vyx_str a, struct vyx_str b)
{
	if (a.n != b.n)
		return 0;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return 0;
	return 1;
}

int
vyx_str_cmp(struct vyx_str a, struct vyx_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.p, b.p, n) : 0;

	if (d)
		return d;
	return (a.n > b.n) - (a.n < b.n);
}

int
vyx_str_starts(struct vyx_str s, struct vyx_str prefix)
{
	return s.n >= prefix.n &&
	    (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

struct vyx_str
vyx_str_cut(struct vyx_str *s, char sep)
{
	struct vyx_str head = *s;
	const char *at = s->n ? memchr(s->p, sep, s->n) : NULL;

	if (!at) {
		*s = (struct vyx_str){ NULL, 0 };
		return head;
	}
	head.n = (size_t)(at - s->p);
	s->p = at + 1;
	s->n -= head.n + 1;
	return head;
}

char *
vyx_str_dup(struct vyx_str s)
{
	char *p = malloc(s.n + 1);

	if (!p)
		return NULL;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return p;
}

int
vyx_hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
scan(struct vyx_str s, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	int over = 0;

	if (!s.n)
		return errno = EINVAL, 0;
	for (size_t i = 0; i < s.n; i++) {
		int d = vyx_hex_digit((unsigned char)s.p[i]);

		if (d < 0 || (unsigned)d >= base)
			return errno = EINVAL, 0;
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (unsigned)d, &v))
			over = 1;
	}
	if (over || v > max)
		return errno = ERANGE, 0;
	*out = v;
	return 1;
}

int
vyx_dec_scan(struct vyx_str s, uint64_t max, uint64_t *out)
{
	return scan(s, 10, max, out);
}

int
vyx_hex_scan(struct vyx_str s, uint64_t max, uint64_t *out)
{
	return scan(s, 16, max, out);
}

static size_t
fmt(char *out, uint64_t v, unsigned base)
{
	char t[VYX_DEC];
	size_t i = sizeof t;

	do
		t[--i] = "0123456789abcdef"[v % base];
	while ((v /= base) != 0);
	memcpy(out, t + i, sizeof t - i);
	return sizeof t - i;
}

size_t
vyx_dec_fmt(char *out, uint64_t v)
{
	return fmt(out, v, 10);
}

size_t
vyx_hex_fmt(char *out, uint64_t v)
{
	return fmt(out, v, 16);
}

void
vyx_buf_free(struct vyx_buf *b)
{
	free(b->p);
	b->p = NULL;
	b->n = b->cap = 0;
}

int
vyx_buf_room(struct vyx_buf *b, size_t n)
{
	size_t want, cap;
	char *p;

	if (n <= b->cap - b->n)
		return 1;
	if (__builtin_add_overflow(b->n, n, &want) || (b->max && want > b->max))
		return errno = EMSGSIZE, 0;
	cap = b->cap ? b->cap : 64;
	while (cap < want)
		if (__builtin_mul_overflow(cap, 2, &cap))
			return errno = ENOMEM, 0;
	if (b->max && cap > b->max)
		cap = b->max;
	if (!(p = realloc(b->p, cap)))
		return 0;
	b->p = p;
	b->cap = cap;
	return 1;
}

int
vyx_buf_put(struct vyx_buf *b, const void *p, size_t n)
{
	if (!vyx_buf_room(b, n))
		return 0;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	return 1;
}

int
vyx_buf_puts(struct vyx_buf *b, const char *z)
{
	return vyx_buf_put(b, z, strlen(z));
}

int
vyx_buf_putc(struct vyx_buf *b, char c)
{
	return vyx_buf_put(b, &c, 1);
}

int
vyx_buf_putu(struct vyx_buf *b, uint64_t v)
{
	char t[VYX_DEC];

	return vyx_buf_put(b, t, vyx_dec_fmt(t, v));
}

int
vyx_buf_putstr(struct vyx_buf *b, struct vyx_str s)
{
	return vyx_buf_put(b, s.p, s.n);
}

int
vyx_buf_fmt(struct vyx_buf *b, const char *f, ...)
{
	va_list ap;
	int n;

	va_start(ap, f);
	n = vsnprintf(NULL, 0, f, ap);
	va_end(ap);
	if (n < 0 || !vyx_buf_room(b, (size_t)n + 1))
		return 0;
	va_start(ap, f);
	vsnprintf(b->p + b->n, (size_t)n + 1, f, ap);
	va_end(ap);
	b->n += (size_t)n;
	return 1;
}

/* The length of the UTF-8 sequence at p (RFC 3629), 0 when it is none. */
static size_t
utf8(const unsigned char *p, size_t n)
{
	size_t k = *p < 0xc2 ? 0
	    : *p < 0xe0      ? 2
	    : *p < 0xf0      ? 3
	    : *p < 0xf5      ? 4
	                     : 0;

	if (*p < 0x80)
		return 1;
	if (!k || k > n)
		return 0;
	for (size_t i = 1; i < k; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return k;
}

/* How many bytes at p stand for themselves in a JSON string. */
static size_t
plain(const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' &&
	    p[i] != '\\')
		i++;
	return i;
}

/* One that does not, or a sequence of UTF-8; *k is its length. */
static int
escaped(struct vyx_buf *b, const unsigned char *p, size_t n, size_t *k)
{
	char esc[8];

	*k = utf8(p, n);
	if (*k == 0) {
		*k = 1;
		return vyx_buf_puts(b, "\\ufffd");
	}
	if (*k > 1)
		return vyx_buf_put(b, p, *k);
	if (*p == '"' || *p == '\\')
		return vyx_buf_putc(b, '\\') && vyx_buf_putc(b, (char)*p);
	snprintf(esc, sizeof esc, "\\u%04x", *p);
	return vyx_buf_puts(b, esc);
}

int
vyx_buf_json(struct vyx_buf *b, struct vyx_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t start = b->n, k;

	for (size_t i = 0; i < s.n; i += k) {
		int ok = (k = plain(p + i, s.n - i)) > 0
		    ? vyx_buf_put(b, p + i, k)
		    : escaped(b, p + i, s.n - i, &k);

		if (!ok)
			return b->n = start, 0;
	}
	return 1;
}

void
vyx_buf_shift(struct vyx_buf *b, size_t n)
{
	if (n && n < b->n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}
