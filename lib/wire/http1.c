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

void
vyx_http1_start(struct vyx_http1 *h, enum vyx_http1_kind kind,
    const struct vyx_http1_limits *lim)
{
	memset(h, 0, offsetof(struct vyx_http1, field));
	h->lim = lim ? *lim : VYX_HTTP1_LIMITS;
	if (h->lim.head > VYX_HTTP1_HEAD_MAX)
		h->lim.head = VYX_HTTP1_HEAD_MAX;
	if (h->lim.fields > VYX_HTTP1_FIELD_MAX)
		h->lim.fields = VYX_HTTP1_FIELD_MAX;
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

enum vyx_http1_got
vyx_http1_crlf(struct vyx_http1_line *l, const char *p)
{
	if (l->end - p >= 2 && p[0] == '\r' && p[1] == '\n') {
		l->p = p + 2;
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
no_name(struct vyx_http1_line *l)
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

/* A field seen before: what may not be repeated is refused. */
static enum vyx_http1_got
again(struct vyx_http1 *h, unsigned id)
{
	if (h->kind == VYX_HTTP1_TRAILER)
		return VYX_HTTP1_DONE;
	if (id == VYX_H_CONTENT_LENGTH)
		return vyx_http1_bad(h, 400, "repeated Content-Length");
	if (id == VYX_H_TRANSFER_ENCODING)
		return vyx_http1_bad(h, 400, "repeated Transfer-Encoding");
	if (id == VYX_H_HOST && h->kind == VYX_HTTP1_REQUEST)
		return vyx_http1_bad(h, 400, "repeated Host");
	return VYX_HTTP1_DONE;
}

static inline int
blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * RFC 9112 5: name ":" OWS value OWS CRLF, nothing folded. Most of a head is
 * read here, so no more is kept in memory than must be.
 */
static inline enum vyx_http1_got
field(struct vyx_http1_line *l)
{
	const char *base = l->base, *name = l->p, *end = l->end, *p, *stop;
	const char *colon = vyx_http1_colon(base, name, end);
	struct vyx_http1 *h = l->h;
	struct vyx_http1_field *f;
	uint8_t flags = 0;
	unsigned id;
	size_t n;

	if (!colon && end - name > 32)
		colon = memchr(name, ':', (size_t)(end - name));
	if (!colon)
		return no_name(l);
	n = (size_t)(colon - name);
	/* RFC 9112 5.1: a response's blanks before the colon are removed */
	if (h->kind == VYX_HTTP1_RESPONSE)
		while (n > 1 && blank(name[n - 1]))
			n--;
	id = vyx_http1_lookup_in(base, name, n, end);
	if (!id && !unknown_name((struct vyx_str){ name, n }, &flags))
		return no_name(l);
	p = colon + 1;
	if (p < end && *p == ' ')
		p++;
	while (p < end && blank(*p))
		p++;
	stop = vyx_http1_skip_value(base, p, end);
	if (end - stop < 2 || stop[0] != '\r' || stop[1] != '\n')
		return vyx_http1_crlf(l, stop);
	if (h->nfield >= h->lim.fields)
		return vyx_http1_bad(h, 431, "too many fields");
	l->p = stop + 2;
	while (stop > p && blank(stop[-1]))
		stop--;
	f = &h->field[h->nfield++];
	f->name_at = (uint32_t)(name - base);
	f->name_n = (uint16_t)n;
	f->id = (uint8_t)id;
	f->flags = (uint8_t)(flags | (vyx_http1_props[id] & l->props));
	f->value.at = (uint32_t)(p - base);
	f->value.n = (uint32_t)(stop - p);
	if (h->first[id])
		return again(h, id);
	h->first[id] = (uint8_t)h->nfield;
	return VYX_HTTP1_DONE;
}

/* What comes before the fields. */
static enum vyx_http1_got
first_line(struct vyx_http1_line *l)
{
	struct vyx_http1 *h = l->h;
	enum vyx_http1_got got;

	if (h->stage == S_EMPTY) {
		if (l->p == l->end)
			return VYX_HTTP1_MORE;
		if (*l->p == '\r' &&
		    (got = vyx_http1_crlf(l, l->p)) != VYX_HTTP1_DONE)
			return got;
		h->stage = S_FIRST;
		h->at = vyx_http1_at(l, l->p);
	}
	got = vyx_http1_first(l);
	if (got == VYX_HTTP1_DONE) {
		h->stage = S_FIELDS;
		h->at = vyx_http1_at(l, l->p);
	}
	return got;
}

/* All fields and the empty line behind them. */
static enum vyx_http1_got
fields(struct vyx_http1_line *l)
{
	enum vyx_http1_got got;
	const char *start;

	do {
		start = l->p;
		if (start == l->end)
			got = VYX_HTTP1_MORE;
		else if (*start != '\r')
			got = field(l);
		else if ((got = vyx_http1_crlf(l, start)) == VYX_HTTP1_DONE) {
			l->h->len = vyx_http1_at(l, l->p);
			return VYX_HTTP1_DONE;
		}
	} while (got == VYX_HTTP1_DONE);
	l->h->at = vyx_http1_at(l, start);
	return got;
}

/* All of what there is has been read: is more to come, or was it too much? */
static enum vyx_http1_got
more(struct vyx_http1 *h, size_t n)
{
	h->seen = (uint32_t)n;
	if (n < h->lim.head)
		return VYX_HTTP1_MORE;
	return h->stage == S_FIELDS ? vyx_http1_bad(h, 431, "head too long")
	                            : vyx_http1_bad(h, 414, "target too long");
}

enum vyx_http1_got
vyx_http1_parse(struct vyx_http1 *h, const char *p, size_t n)
{
	size_t lim = n < h->lim.head ? n : h->lim.head;
	struct vyx_http1_line l = { h, p, p + h->at, p + lim,
		h->kind == VYX_HTTP1_TRAILER ? P_HOP | P_NO : P_HOP };
	enum vyx_http1_got got = VYX_HTTP1_DONE;

	h->base = p;
	if (h->seen > h->at && lim == n &&
	    !memchr(p + h->seen, '\n', n - h->seen))
		return more(h, n);
	if (h->stage != S_FIELDS)
		got = first_line(&l);
	if (got == VYX_HTTP1_DONE)
		got = fields(&l);
	return got == VYX_HTTP1_DONE ? vyx_http1_finish(h)
	    : got == VYX_HTTP1_MORE  ? more(h, lim)
	                             : got;
}
