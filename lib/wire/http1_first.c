/* SPDX-License-Identifier: ISC */
#include "http1_int.h"

/* The line that a message begins with. */

static inline struct vyx_span
span(const struct vyx_http1_line *l, const char *p, const char *end)
{
	return (struct vyx_span){ vyx_http1_at(l, p), (uint32_t)(end - p) };
}

static int
in_other_case(struct vyx_str name)
{
	for (int m = 1; m < VYX_METHOD_COUNT; m++)
		if (vyx_str_caseeq(vyx_method_name((enum vyx_method)m), name))
			return 1;
	return vyx_str_caseeq(VYX_STR("CONNECT"), name);
}

/* RFC 9112 3: a method nobody knows may be some extension's; CONNECT is not
 * for a gateway. */
static enum vyx_http1_got
other_method(struct vyx_http1_line *l)
{
	const char *p = l->p;

	while (p < l->end && vyx_http1_is((unsigned char)*p, C_TOKEN))
		if (p++ - l->p >= VYX_HTTP1_METHOD_MAX)
			return vyx_http1_bad(l->h, 501, "method too long");
	if (p == l->end)
		return VYX_HTTP1_MORE;
	if (*p != ' ' || p == l->p)
		return vyx_http1_bad(l->h, 400, "invalid method");
	if (p - l->p == 7 && !memcmp(l->p, "CONNECT", 7))
		return vyx_http1_bad(l->h, 501, "CONNECT is not served");
	/* A worker that takes `get` for GET would pass by the roles of GET. */
	if (in_other_case((struct vyx_str){ l->p, (size_t)(p - l->p) }))
		return vyx_http1_bad(l->h, 501, "method not in capitals");
	l->h->method = VYX_METHOD_OTHER;
	l->h->method_name = span(l, l->p, p);
	l->p = p + 1;
	return VYX_HTTP1_DONE;
}

static inline enum vyx_http1_got
method(struct vyx_http1_line *l)
{
	size_t n = (size_t)(l->end - l->p);

#define X(m)                                                                  \
	if (n >= sizeof(#m) && !memcmp(l->p, #m " ", sizeof(#m))) {           \
		l->h->method = VYX_METHOD_##m;                                \
		l->h->method_name = (struct vyx_span){ vyx_http1_at(l, l->p), \
			sizeof(#m) - 1 };                                     \
		l->p += sizeof(#m);                                           \
		return VYX_HTTP1_DONE;                                        \
	}
	VYX_METHODS(X)
#undef X
	return other_method(l);
}

/*
 * The target from its path on. Everything above SP but DEL, `#` and bytes
 * above 7e may stand in a query; path.h says what becomes of a path.
 */
static inline enum vyx_http1_got
path(struct vyx_http1_line *l, const char *p)
{
	struct vyx_http1 *h = l->h;
	const char *start = p;
	unsigned c, before = 0, odd = 0;

	for (; p < l->end; p++, before = c) {
		c = vyx_http1_class[(unsigned char)*p];
		if (!(c & C_PATH))
			break;
		odd |= (c & C_ODD) | ((before << 1) & c & C_AFTER);
	}
	h->path = span(l, start, p);
	h->plain = !odd && p > start;
	if (p < l->end && *p == '?') {
		start = ++p;
		while (p<l->end && * p> ' ' && *p < 0x7f && *p != '#')
			p++;
		h->has_query = 1;
		h->query = span(l, start, p);
	}
	if (p - l->p > (ptrdiff_t)h->lim.target)
		return vyx_http1_bad(h, 414, "target too long");
	if (p == l->end)
		return VYX_HTTP1_MORE;
	if (*p != ' ')
		return vyx_http1_bad(h, 400,
		    *p == '#' ? "fragment in target"
		              : "invalid byte in target");
	h->target = span(l, l->p, p);
	l->p = p + 1;
	return VYX_HTTP1_DONE;
}

/* RFC 9112 3.2.2: http://authority[/path][?query]. */
static enum vyx_http1_got
absolute(struct vyx_http1_line *l)
{
	static const struct vyx_str scheme[] = { { "http://", 7 },
		{ "https://", 8 } };
	size_t n = (size_t)(l->end - l->p), most = 0;
	const char *p;

	for (size_t i = 0; i < VYX_COUNT(scheme) && !most; i++) {
		struct vyx_str s = scheme[i];

		s.n = n < s.n ? n : s.n;
		if (!vyx_str_caseeq(s, (struct vyx_str){ l->p, s.n }))
			continue;
		if (s.n < scheme[i].n)
			return VYX_HTTP1_MORE;
		most = s.n;
	}
	if (!most)
		return vyx_http1_bad(l->h, 400, "invalid target");
	for (p = l->p + most; p < l->end; p++)
		if (!vyx_http1_is((unsigned char)*p, C_HOST) && *p != ':' &&
		    *p != '[' && *p != ']')
			break;
	if (p < l->end && *p != '/' && *p != '?' && *p != ' ')
		return vyx_http1_bad(l->h, 400, "invalid authority");
	l->h->form = VYX_HTTP1_ABSOLUTE;
	l->h->authority = span(l, l->p + most, p);
	return path(l, p);
}

static inline enum vyx_http1_got
target(struct vyx_http1_line *l)
{
	if (l->p == l->end)
		return VYX_HTTP1_MORE;
	if (*l->p == '/')
		return path(l, l->p);
	if (*l->p != '*')
		return absolute(l);
	if (l->end - l->p < 2)
		return VYX_HTTP1_MORE;
	if (l->p[1] != ' ' || l->h->method != VYX_METHOD_OPTIONS)
		return vyx_http1_bad(l->h, 400, "invalid target");
	l->h->form = VYX_HTTP1_ASTERISK;
	l->h->target = span(l, l->p, l->p + 1);
	l->p += 2;
	return VYX_HTTP1_DONE;
}

/*
 * HTTP/1.digit. RFC 9110 2.5: a higher minor version is read as the highest
 * one known.
 */
static inline enum vyx_http1_got
version(struct vyx_http1_line *l)
{
	static const char form[] = "HTTP/0.0"; /* 0: any digit */
	const char *p = l->p;
	size_t n = (size_t)(l->end - p);

	if (n >= 8 && !memcmp(p, "HTTP/1.1", 8)) {
		l->h->minor = 1;
		l->p += 8;
		return VYX_HTTP1_DONE;
	}
	for (size_t i = 0; i < n && i < 8; i++)
		if (form[i] == '0' ? p[i] < '0' || p[i] > '9' : p[i] != form[i])
			return vyx_http1_bad(l->h, 400, "invalid version");
	if (n < 8)
		return VYX_HTTP1_MORE;
	if (p[5] != '1')
		return vyx_http1_bad(l->h, 505, "version not served");
	l->h->minor = p[7] != '0';
	l->p += 8;
	return VYX_HTTP1_DONE;
}

static enum vyx_http1_got
request_line(struct vyx_http1_line *l)
{
	enum vyx_http1_got got;

	if ((got = method(l)) != VYX_HTTP1_DONE ||
	    (got = target(l)) != VYX_HTTP1_DONE ||
	    (got = version(l)) != VYX_HTTP1_DONE)
		return got;
	return vyx_http1_crlf(l, l->p);
}

/* RFC 9112 4: version SP 3DIGIT SP [reason]. */
static enum vyx_http1_got
status_line(struct vyx_http1_line *l)
{
	enum vyx_http1_got got = version(l);
	struct vyx_http1 *h = l->h;
	const char *p = l->p, *end;

	if (got != VYX_HTTP1_DONE)
		return got;
	h->code = 0;
	for (int i = 0; i < 5; i++, p++) {
		if (p == l->end)
			return VYX_HTTP1_MORE;
		if (i == 0 || i == 4 ? *p != ' ' : *p < '0' || *p > '9')
			return vyx_http1_bad(h, 502, "invalid status line");
		if (i > 0 && i < 4)
			h->code = (uint16_t)(h->code * 10 + (*p - '0'));
	}
	if (h->code < 100 || h->code > 599)
		return vyx_http1_bad(h, 502, "invalid status");
	end = vyx_http1_skip_value(h->base, p, l->end);
	h->reason = span(l, p, end);
	return vyx_http1_crlf(l, end);
}

enum vyx_http1_got
vyx_http1_first(struct vyx_http1_line *l)
{
	return l->h->kind == VYX_HTTP1_REQUEST ? request_line(l)
	                                       : status_line(l);
}
