/* SPDX-License-Identifier: ISC */
#ifndef VYX_WIRE_HTTP1_INT_H
#define VYX_WIRE_HTTP1_INT_H

#include "wire/http1.h"

/*
 * http1_int - what the files of http1 share, and nobody else includes.
 *
 * The scanners take `base`, the start of readable bytes at or before `p`, and
 * `end`, behind the last. They read nothing outside.
 */

#define VYX_HTTP1_NAME_MAX 32 /* longest known name, at most */

enum {                /* of vyx_http1_class[] */
	C_TOKEN = 1,  /* RFC 9110 5.6.2 */
	C_HOST = 2,   /* letters, digits, -._~ */
	C_PATH = 4,   /* may stand in a path as it is, or as path.h says */
	C_ODD = 8,    /* it may, but the path is not canonical then */
	C_SLASH = 16, /* `/` */
	C_AFTER = 32, /* `/` and `.`: behind a `/` the path may not be either */
};

extern const uint8_t vyx_http1_class[256];
extern const uint8_t vyx_http1_props[VYX_H_COUNT]; /* P_*, by name */
extern const uint8_t vyx_http1_last[VYX_HTTP1_NAME_MAX + 1];
extern const char vyx_http1_text[VYX_H_COUNT][VYX_HTTP1_NAME_MAX];

enum { P_HOP = VYX_FIELD_HOP, P_END = 2, P_NO = VYX_FIELD_NOTRAILER };

static inline int
vyx_http1_is(unsigned char c, int class)
{
	return vyx_http1_class[c] & class;
}

/* Refuse the message: `status` for a request or trailer, 502 for a response. */
enum vyx_http1_got vyx_http1_bad(struct vyx_http1 *h, uint16_t status,
    const char *why);

/*
 * What reading lines is about: the bytes, no more than the limit allows, and
 * at `p` what comes next. A reader moves `p` behind what it took (DONE).
 */
struct vyx_http1_line {
	struct vyx_http1 *h;
	const char *base;
	const char *p;
	const char *end;
	uint8_t props; /* P_* that become flags */
};

static inline uint32_t
vyx_http1_at(const struct vyx_http1_line *l, const char *p)
{
	return (uint32_t)(p - l->base);
}

/* `p` is at the end of a line's content: take CRLF too. */
enum vyx_http1_got vyx_http1_crlf(struct vyx_http1_line *l, const char *p);

/* Read the request line or the status line. */
enum vyx_http1_got vyx_http1_first(struct vyx_http1_line *l);

/* All fields are in: framing, connection, host. DONE or BAD. */
enum vyx_http1_got vyx_http1_finish(struct vyx_http1 *h);

#ifdef __SSE2__
#include <emmintrin.h>

__m128i vyx_http1_tail(const char *base, const char *p, const char *end);

/* 16 bytes at `p`, those from `end` on read as zero. */
static inline __m128i
vyx_http1_load(const char *base, const char *p, const char *end)
{
	if (end - p >= 16)
		return _mm_loadu_si128((const __m128i *)(const void *)p);
	return vyx_http1_tail(base, p, end);
}

/* The first byte that no field value holds, or `end`. */
static inline const char *
vyx_http1_skip_value(const char *base, const char *p, const char *end)
{
	for (; p < end; p += 16) {
		__m128i x = vyx_http1_load(base, p, end);
		__m128i low =
		    _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
		__m128i tab = _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'));
		__m128i del = _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f));
		int m =
		    _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low),
		        del));

		if (m) /* a zero from behind `end` may be what stopped it */
			return p + __builtin_ctz((unsigned)m);
	}
	return end;
}

/* The first `:` in at most 32 bytes, or NULL. */
static inline const char *
vyx_http1_colon(const char *base, const char *p, const char *end)
{
	for (int i = 0; i < 2 && p < end; i++, p += 16) {
		int m = _mm_movemask_epi8(_mm_cmpeq_epi8(vyx_http1_load(base, p,
		                                             end),
		    _mm_set1_epi8(':')));

		if (m)
			return p + __builtin_ctz((unsigned)m);
	}
	return NULL;
}

/*
 * Setting bit 5 makes capitals small, and of all other bytes only controls
 * (and bytes above 5f, that stay apart) into something a known name holds:
 * those are masked out by themselves.
 */
static inline unsigned
vyx_http1_same(__m128i x, const char *text)
{
	__m128i t = _mm_loadu_si128((const __m128i *)(const void *)text);
	__m128i eq = _mm_cmpeq_epi8(_mm_or_si128(x, _mm_set1_epi8(0x20)), t);
	__m128i graph = _mm_cmpgt_epi8(x, _mm_set1_epi8(0x1f));

	return (unsigned)_mm_movemask_epi8(_mm_and_si128(eq, graph));
}

static inline enum vyx_http1_name
vyx_http1_lookup_in(const char *base, const char *p, size_t n, const char *end)
{
	unsigned id, m;
	__m128i x, y;

	if (n > VYX_HTTP1_NAME_MAX || (id = vyx_http1_last[n]) == 0)
		return VYX_H_OTHER;
	x = vyx_http1_load(base, p, end);
	y = n > 16 ? vyx_http1_load(base, p + n - 16, end) : x;
	m = n < 16 ? (1u << n) - 1 : 0xffff;
	for (; vyx_http1_names[id].n == n; id--)
		if ((vyx_http1_same(x, vyx_http1_text[id]) & m) == m &&
		    (n <= 16 ||
		        vyx_http1_same(y, vyx_http1_text[id] + n - 16) ==
		            0xffff))
			return (enum vyx_http1_name)id;
	return VYX_H_OTHER;
}

#else

static inline const char *
vyx_http1_skip_value(const char *base, const char *p, const char *end)
{
	(void)base;
	while (p < end && (unsigned char)*p != 0x7f &&
	    ((unsigned char)*p > 0x1f || *p == '\t'))
		p++;
	return p;
}

static inline const char *
vyx_http1_colon(const char *base, const char *p, const char *end)
{
	(void)base;
	return memchr(p, ':', end - p < 32 ? (size_t)(end - p) : 32);
}

static inline enum vyx_http1_name
vyx_http1_lookup_in(const char *base, const char *p, size_t n, const char *end)
{
	unsigned id;

	(void)base;
	(void)end;
	if (n > VYX_HTTP1_NAME_MAX || (id = vyx_http1_last[n]) == 0)
		return VYX_H_OTHER;
	for (; vyx_http1_names[id].n == n; id--)
		if (vyx_str_caseeq(vyx_http1_names[id],
		        (struct vyx_str){ p, n }))
			return (enum vyx_http1_name)id;
	return VYX_H_OTHER;
}

#endif
#endif
