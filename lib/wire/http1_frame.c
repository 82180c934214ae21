/* SPDX-License-Identifier: ISC */
#include "http1_int.h"

/*
 * What the fields of a head say together: where the message ends, whether the
 * connection goes on, for whom it is.
 */

/* What Connection lists, of the options that mean something here. */
enum { O_CLOSE = 1, O_KEEP_ALIVE = 2, O_UPGRADE = 4 };

/*
 * The next member of a list (RFC 9110 5.6.1), without blanks around it; empty
 * members are passed over. 0: no more.
 */
static int
member(struct vyx_str *list, struct vyx_str *out)
{
	while (list->p) {
		struct vyx_str m = vyx_str_cut(list, ',');

		while (m.n && (*m.p == ' ' || *m.p == '\t'))
			m.p++, m.n--;
		while (m.n && (m.p[m.n - 1] == ' ' || m.p[m.n - 1] == '\t'))
			m.n--;
		if (m.n)
			return *out = m, 1;
	}
	return 0;
}

/* Whether a field of that name lists `want`. */
static int
lists(const struct vyx_http1 *h, enum vyx_http1_name id, struct vyx_str want)
{
	struct vyx_str v, m;

	if (!h->first[id])
		return 0;
	for (uint32_t i = h->first[id] - 1u; i < h->nfield; i++) {
		if (h->field[i].id != id)
			continue;
		v = vyx_http1_str(h, h->field[i].value);
		while (member(&v, &m))
			if (vyx_str_caseeq(m, want))
				return 1;
	}
	return 0;
}

/* Mark the fields that a connection option names. */
static void
mark(struct vyx_http1 *h, enum vyx_http1_name id, struct vyx_str name)
{
	if (id && (!h->first[id] || vyx_http1_props[id] & P_END))
		return;
	for (uint32_t i = 0; i < h->nfield; i++) {
		struct vyx_http1_field *f = &h->field[i];

		if (f->id == id &&
		    (id || vyx_str_caseeq(vyx_http1_name(h, f), name)))
			f->flags |= VYX_FIELD_HOP;
	}
}

/* RFC 9110 7.6.1. *options: O_*. */
static enum vyx_http1_got
connection(struct vyx_http1 *h, unsigned *options)
{
	unsigned n = 0;
	struct vyx_str v, m;
	enum vyx_http1_name id;

	*options = 0;
	if (!h->first[VYX_H_CONNECTION])
		return VYX_HTTP1_DONE;
	for (uint32_t i = h->first[VYX_H_CONNECTION] - 1u; i < h->nfield; i++) {
		if (h->field[i].id != VYX_H_CONNECTION)
			continue;
		v = vyx_http1_str(h, h->field[i].value);
		while (member(&v, &m)) {
			if (++n > VYX_HTTP1_OPTION_MAX)
				return vyx_http1_bad(h, 431,
				    "too many connection options");
			if (!vyx_http1_token(m))
				return vyx_http1_bad(h, 400,
				    "invalid Connection");
			id = vyx_http1_lookup(m);
			if (id == VYX_H_KEEP_ALIVE)
				*options |= O_KEEP_ALIVE;
			else if (id == VYX_H_UPGRADE)
				*options |= O_UPGRADE;
			else if (vyx_str_caseeq(m, VYX_STR("close")))
				*options |= O_CLOSE;
			else
				mark(h, id, m);
		}
	}
	return VYX_HTTP1_DONE;
}

/*
 * RFC 9112 6.1: one coding is known here. A list that ends in it is one that
 * somebody else might serve, all else has no end to be found.
 */
static enum vyx_http1_got
transfer_encoding(struct vyx_http1 *h)
{
	struct vyx_str v =
	    vyx_http1_str(h, vyx_http1_find(h, VYX_H_TRANSFER_ENCODING)->value);
	struct vyx_str list = v, m, last = VYX_STR("");
	unsigned chunked = 0;

	if (h->first[VYX_H_CONTENT_LENGTH])
		return vyx_http1_bad(h, 400,
		    "Content-Length with Transfer-Encoding");
	if (!h->minor)
		return vyx_http1_bad(h, 400, "Transfer-Encoding in HTTP/1.0");
	if (vyx_str_caseeq(v, VYX_STR("chunked"))) {
		h->framing = VYX_BODY_CHUNKED;
		return VYX_HTTP1_DONE;
	}
	while (member(&list, &m)) {
		last = m;
		chunked += (unsigned)vyx_str_caseeq(m, VYX_STR("chunked"));
	}
	if (chunked == 1 && last.n > 0 && last.p + last.n == v.p + v.n &&
	    last.p > v.p && vyx_str_caseeq(last, VYX_STR("chunked")))
		return vyx_http1_bad(h, 501, "unknown transfer coding");
	return vyx_http1_bad(h, 400, "invalid Transfer-Encoding");
}

static enum vyx_http1_got
framing(struct vyx_http1 *h)
{
	const struct vyx_http1_field *f;

	if (h->first[VYX_H_TRANSFER_ENCODING])
		return transfer_encoding(h);
	if ((f = vyx_http1_find(h, VYX_H_CONTENT_LENGTH)) == NULL)
		return VYX_HTTP1_DONE;
	if (!vyx_dec_scan(vyx_http1_str(h, f->value), INT64_MAX, &h->length))
		return vyx_http1_bad(h, 400, "invalid Content-Length");
	h->has_length = 1;
	h->framing = VYX_BODY_LENGTH;
	return VYX_HTTP1_DONE;
}

/* An address in brackets, at s.p: its length, 0 when it is none. */
static size_t
literal(struct vyx_str s)
{
	size_t i = 1;

	while (i < s.n &&
	    (s.p[i] == ':' || s.p[i] == '.' ||
	        vyx_hex_digit((unsigned char)s.p[i]) >= 0))
		i++;
	return i > 2 && i < s.n && s.p[i] == ']' ? i + 1 : 0;
}

int
vyx_http1_authority(struct vyx_str s, struct vyx_span *host, int32_t *port)
{
	size_t i = 0;
	uint64_t v;

	*port = -1;
	host->at = 0;
	if (s.n && s.p[0] == '[') {
		if ((i = literal(s)) == 0)
			return 0;
	} else
		while (i < s.n && vyx_http1_is((unsigned char)s.p[i], C_HOST))
			i++;
	host->n = (uint32_t)i;
	if (i == s.n)
		return 1;
	if (s.p[i] != ':' || i == 0)
		return 0;
	if (++i == s.n) /* RFC 3986 3.2.3: the port may be empty */
		return 1;
	if (!vyx_dec_scan((struct vyx_str){ s.p + i, s.n - i }, 65535, &v))
		return 0;
	*port = (int32_t)v;
	return 1;
}

/* Take host and port from the authority at `v`. */
static int
authority(struct vyx_http1 *h, struct vyx_span v)
{
	h->authority = v;
	if (!vyx_http1_authority(vyx_http1_str(h, v), &h->host, &h->port))
		return 0;
	h->host.at += v.at;
	return 1;
}

/*
 * RFC 9112 3.2: one Host in HTTP/1.1, and valid, also where the target has
 * an authority of its own, which wins (3.2.2).
 */
static enum vyx_http1_got
host(struct vyx_http1 *h)
{
	const struct vyx_http1_field *f = vyx_http1_find(h, VYX_H_HOST);
	struct vyx_span target = h->authority;

	if (!f && h->minor)
		return vyx_http1_bad(h, 400, "no Host");
	if (f && !authority(h, f->value))
		return vyx_http1_bad(h, 400, "invalid Host");
	if (h->form != VYX_HTTP1_ABSOLUTE)
		return VYX_HTTP1_DONE;
	if (!authority(h, target) || !h->host.n)
		return vyx_http1_bad(h, 400, "invalid authority");
	/* RFC 9112 3.2.4 */
	if (h->method == VYX_METHOD_OPTIONS && !h->path.n && !h->has_query)
		h->form = VYX_HTTP1_ASTERISK;
	return VYX_HTTP1_DONE;
}

/* RFC 9110 10.1.1 and 7.6.2. */
static enum vyx_http1_got
expectations(struct vyx_http1 *h)
{
	const struct vyx_http1_field *f;
	struct vyx_str v, m;
	uint64_t n;

	for (uint32_t i = 0; h->first[VYX_H_EXPECT] && i < h->nfield; i++) {
		if (h->field[i].id != VYX_H_EXPECT || !h->minor)
			continue;
		v = vyx_http1_str(h, h->field[i].value);
		while (member(&v, &m))
			if (!vyx_str_caseeq(m, VYX_STR("100-continue")))
				return vyx_http1_bad(h, 417,
				    "unknown expectation");
		h->expect = h->framing == VYX_BODY_CHUNKED || h->length > 0;
	}
	f = vyx_http1_find(h, VYX_H_MAX_FORWARDS);
	if (f &&
	    (h->method == VYX_METHOD_OPTIONS ||
	        h->method == VYX_METHOD_TRACE)) {
		if (!vyx_dec_scan(vyx_http1_str(h, f->value), INT32_MAX, &n))
			return vyx_http1_bad(h, 400, "invalid Max-Forwards");
		h->max_forwards = (int32_t)n;
	}
	return VYX_HTTP1_DONE;
}

static enum vyx_http1_got
request(struct vyx_http1 *h, unsigned options)
{
	enum vyx_http1_got got;

	if ((got = framing(h)) != VYX_HTTP1_DONE ||
	    (got = host(h)) != VYX_HTTP1_DONE ||
	    (got = expectations(h)) != VYX_HTTP1_DONE)
		return got;
	h->trailers = h->minor && h->first[VYX_H_TE] &&
	    lists(h, VYX_H_TE, VYX_STR("trailers"));
	h->websocket = options & O_UPGRADE && h->minor &&
	    h->method == VYX_METHOD_GET && h->framing != VYX_BODY_CHUNKED &&
	    !h->length && lists(h, VYX_H_UPGRADE, VYX_STR("websocket"));
	return VYX_HTTP1_DONE;
}

/* RFC 9112 6.3. */
static enum vyx_http1_got
response(struct vyx_http1 *h, unsigned options)
{
	if (framing(h) != VYX_HTTP1_DONE)
		return VYX_HTTP1_BAD;
	if (h->code < 200 || h->code == 204)
		h->has_length = 0; /* RFC 9110 8.6: it must not be there */
	if (h->code < 200 || h->code == 204 || h->code == 304 || h->to_head)
		h->framing = VYX_BODY_NONE;
	else if (h->framing == VYX_BODY_NONE) {
		h->framing = VYX_BODY_CLOSE;
		h->keep = 0;
	}
	h->websocket = h->code == 101 && options & O_UPGRADE && h->minor &&
	    lists(h, VYX_H_UPGRADE, VYX_STR("websocket"));
	return VYX_HTTP1_DONE;
}

enum vyx_http1_got
vyx_http1_finish(struct vyx_http1 *h)
{
	enum vyx_http1_got got;
	unsigned options;

	if (h->kind == VYX_HTTP1_TRAILER)
		return VYX_HTTP1_DONE;
	if ((got = connection(h, &options)) != VYX_HTTP1_DONE)
		return got;
	/* RFC 9112 9.3 */
	h->keep = !(options & O_CLOSE) && (h->minor || options & O_KEEP_ALIVE);
	return h->kind == VYX_HTTP1_REQUEST ? request(h, options)
	                                    : response(h, options);
}
