/* SPDX-License-Identifier: ISC */
#include "http1_int.h"

/*
 * A head is read line by line. A line that has not come to its end is read
 * again from its start, but only once an LF is there, so that bytes that
 * arrive one by one cost one pass more at most.
 *
 *	S_EMPTY	  an empty line may come first (requests)
 *	S_FIRST	  the request line or status line
 *	S_FIELDS  fields, then the empty line
 */
enum { S_EMPTY, S_FIRST, S_FIELDS };

/* What reading one line is about: its bytes, no more than the limit allows. */
struct line {
	struct vyx_http1 *h;
	const char *p;
	const char *end;
};

void
vyx_http1_start(struct vyx_http1 *h, enum vyx_http1_kind kind,
    const struct vyx_http1_limits *lim)
{
	memset(h, 0, offsetof(struct vyx_http1, field));
	h->lim = lim ? *lim : VYX_HTTP1_LIMITS;
	h->kind = (uint8_t)kind;
	h->port = -1;
	h->max_forwards = -1;
	h->stage = kind == VYX_HTTP1_REQUEST ? S_EMPTY
	    : kind == VYX_HTTP1_RESPONSE     ? S_FIRST
	                                     : S_FIELDS;
}

enum vyx_http1_got
vyx_http1_bad(struct vyx_http1 *h, uint16_t status, const char *why)
{
	h->status = h->kind == VYX_HTTP1_RESPONSE ? 502 : status;
	h->why = why;
	return VYX_HTTP1_BAD;
}

static inline uint32_t
at(const struct line *l, const char *p)
{
	return (uint32_t)(p - l->h->base);
}

static inline struct vyx_span
span(const struct line *l, const char *p, const char *end)
{
	return (struct vyx_span){ at(l, p), (uint32_t)(end - p) };
}

/* `p` is at the end of a line's content: eat CRLF. */
static inline enum vyx_http1_got
crlf(struct line *l, const char *p)
{
	if (l->end - p >= 2 && p[0] == '\r' && p[1] == '\n') {
		l->h->at = l->h->seen = at(l, p + 2);
		return VYX_HTTP1_DONE;
	}
	if (p >= l->end || (*p == '\r' && p + 1 == l->end))
		return VYX_HTTP1_MORE;
	return vyx_http1_bad(l->h, 400,
	    *p == '\n'       ? "bare LF"
	        : *p == '\r' ? "bare CR"
	        : *p == '\0' ? "NUL byte"
	                     : "unexpected byte in line");
}

/* RFC 9112 3: a method nobody knows may be some extension's; CONNECT is not
 * for a gateway. */
static enum vyx_http1_got
other_method(struct line *l)
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
	l->h->method = VYX_METHOD_OTHER;
	l->h->method_name = span(l, l->p, p);
	l->p = p + 1;
	return VYX_HTTP1_DONE;
}

static inline enum vyx_http1_got
method(struct line *l)
{
	size_t n = (size_t)(l->end - l->p);

#define X(m)                                                          \
	if (n >= sizeof(#m) && !memcmp(l->p, #m " ", sizeof(#m))) {   \
		l->h->method = VYX_METHOD_##m;                        \
		l->h->method_name =                                   \
		    (struct vyx_span){ at(l, l->p), sizeof(#m) - 1 }; \
		l->p += sizeof(#m);                                   \
		return VYX_HTTP1_DONE;                                \
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
path(struct line *l, const char *p)
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
absolute(struct line *l)
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
target(struct line *l)
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
version(struct line *l)
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
request_line(struct line *l)
{
	enum vyx_http1_got got;

	if ((got = method(l)) != VYX_HTTP1_DONE ||
	    (got = target(l)) != VYX_HTTP1_DONE ||
	    (got = version(l)) != VYX_HTTP1_DONE)
		return got;
	return crlf(l, l->p);
}

/* RFC 9112 4: version SP 3DIGIT SP [reason]. */
static enum vyx_http1_got
status_line(struct line *l)
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
	return crlf(l, end);
}

/* A name not known by number, `n` bytes: token and no alias of a known one. */
static int
unknown_name(struct vyx_str name, uint8_t *flags)
{
	char buf[VYX_HTTP1_NAME_MAX];

	if (!vyx_http1_token(name))
		return 0;
	if (name.n > sizeof(buf) || !memchr(name.p, '_', name.n))
		return 1;
	for (size_t i = 0; i < name.n; i++)
		buf[i] = name.p[i] == '_' ? '-' : name.p[i];
	if (vyx_http1_lookup((struct vyx_str){ buf, name.n }))
		*flags |= VYX_FIELD_ALIAS;
	return 1;
}

/* No colon so far, or not a name before it. */
static enum vyx_http1_got
no_name(struct line *l)
{
	const char *p = l->p;

	while (p < l->end && vyx_http1_is((unsigned char)*p, C_TOKEN))
		p++;
	if (l->h->kind == VYX_HTTP1_RESPONSE && p > l->p)
		while (p < l->end && (*p == ' ' || *p == '\t'))
			p++;
	if (p == l->end)
		return VYX_HTTP1_MORE;
	return vyx_http1_bad(l->h, 400,
	    p == l->p && (*p == ' ' || *p == '\t') ? "folded line"
	        : *p == ' ' || *p == '\t' ? "blank in or behind field name"
	        : p == l->p && *p == ':'  ? "empty field name"
	                                  : "invalid field name");
}

/* Append the field; what may not be repeated is refused here. */
static inline enum vyx_http1_got
add(struct line *l, struct vyx_http1_field f)
{
	struct vyx_http1 *h = l->h;

	if (h->nfield >= h->lim.fields || h->nfield >= VYX_HTTP1_FIELD_MAX)
		return vyx_http1_bad(h, 431, "too many fields");
	f.flags |= vyx_http1_props[f.id] &
	    (h->kind == VYX_HTTP1_TRAILER ? P_HOP | P_NO : P_HOP);
	h->field[h->nfield++] = f;
	if (!h->first[f.id])
		h->first[f.id] = (uint8_t)h->nfield;
	else if (h->kind == VYX_HTTP1_TRAILER)
		return VYX_HTTP1_DONE;
	else if (f.id == VYX_H_CONTENT_LENGTH)
		return vyx_http1_bad(h, 400, "repeated Content-Length");
	else if (f.id == VYX_H_TRANSFER_ENCODING)
		return vyx_http1_bad(h, 400, "repeated Transfer-Encoding");
	else if (f.id == VYX_H_HOST && h->kind == VYX_HTTP1_REQUEST)
		return vyx_http1_bad(h, 400, "repeated Host");
	return VYX_HTTP1_DONE;
}

/* RFC 9112 5: name ":" OWS value OWS CRLF, nothing folded. */
static inline enum vyx_http1_got
field(struct line *l)
{
	const char *base = l->h->base, *p = l->p, *end = l->end;
	const char *colon = vyx_http1_colon(base, p, end), *stop, *name = p;
	struct vyx_http1_field f = { .flags = 0 };
	enum vyx_http1_got got;
	size_t n;

	if (!colon &&
	    (end - p <= 32 || !(colon = memchr(p, ':', (size_t)(end - p)))))
		return no_name(l);
	n = (size_t)(colon - p);
	/* RFC 9112 5.1: a response's blanks before the colon are removed */
	if (l->h->kind == VYX_HTTP1_RESPONSE)
		while (n > 1 && (name[n - 1] == ' ' || name[n - 1] == '\t'))
			n--;
	f.id = (uint8_t)vyx_http1_lookup_in(base, name, n, end);
	if (!f.id && !unknown_name((struct vyx_str){ name, n }, &f.flags))
		return no_name(l);
	f.name_at = at(l, name);
	f.name_n = (uint16_t)n;
	for (p = colon + 1; p < end && (*p == ' ' || *p == '\t');)
		p++;
	stop = vyx_http1_skip_value(base, p, end);
	if ((got = crlf(l, stop)) != VYX_HTTP1_DONE)
		return got;
	while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	f.value = span(l, p, stop);
	return add(l, f);
}

/* One line, at h->at. */
static inline enum vyx_http1_got
line(struct line *l)
{
	struct vyx_http1 *h = l->h;
	enum vyx_http1_got got;

	if (h->stage == S_FIELDS) {
		if (l->p == l->end)
			return VYX_HTTP1_MORE;
		if (*l->p != '\r')
			return field(l);
		if ((got = crlf(l, l->p)) != VYX_HTTP1_DONE)
			return got;
		h->len = h->at;
		return VYX_HTTP1_DONE;
	}
	if (h->stage == S_EMPTY) {
		if (l->p == l->end)
			return VYX_HTTP1_MORE;
		if (*l->p == '\r' && (got = crlf(l, l->p)) != VYX_HTTP1_DONE)
			return got;
		h->stage = S_FIRST;
		return VYX_HTTP1_DONE;
	}
	got = h->kind == VYX_HTTP1_REQUEST ? request_line(l) : status_line(l);
	if (got == VYX_HTTP1_DONE)
		h->stage = S_FIELDS;
	return got;
}

enum vyx_http1_got
vyx_http1_parse(struct vyx_http1 *h, const char *p, size_t n)
{
	size_t lim = h->lim.head;
	struct line l = { .h = h };
	enum vyx_http1_got got;

	if (lim > VYX_HTTP1_HEAD_MAX)
		lim = VYX_HTTP1_HEAD_MAX;
	if (lim > n)
		lim = n;
	h->base = p;
	l.end = p + lim;
	if (h->seen > h->at && lim == n &&
	    !memchr(p + h->seen, '\n', n - h->seen)) {
		h->seen = (uint32_t)n;
		return VYX_HTTP1_MORE;
	}
	do {
		l.p = p + h->at;
		got = line(&l);
	} while (got == VYX_HTTP1_DONE && !h->len);
	if (got == VYX_HTTP1_DONE)
		return vyx_http1_finish(h);
	if (got == VYX_HTTP1_MORE) {
		h->seen = (uint32_t)lim;
		if (lim == h->lim.head || lim == VYX_HTTP1_HEAD_MAX)
			return h->stage == S_FIELDS
			    ? vyx_http1_bad(h, 431, "head too long")
			    : vyx_http1_bad(h, 414, "target too long");
	}
	return got;
}
