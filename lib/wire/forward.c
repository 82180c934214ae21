/* SPDX-License-Identifier: ISC */
#include "wire/forward.h"

#include "wire/pen.h"

/* COR: the gateway speaks of CORS; TRC: it begins the trace. */
enum { REQ = 1, ANS = 2, TRL = 4, COR = 8, TRC = 16 };

/* Fields that are not copied, because they are made anew or not believed. */
static const uint8_t drop[VYX_H_COUNT] = {
	[VYX_H_HOST] = REQ | TRL,
	[VYX_H_CONTENT_LENGTH] = REQ | ANS | TRL,
	[VYX_H_TRANSFER_ENCODING] = REQ | ANS | TRL,
	[VYX_H_EXPECT] = REQ | TRL,
	[VYX_H_FORWARDED] = REQ | TRL,
	[VYX_H_X_FORWARDED_FOR] = REQ | TRL,
	[VYX_H_X_FORWARDED_HOST] = REQ | TRL,
	[VYX_H_X_FORWARDED_PORT] = REQ | TRL,
	[VYX_H_X_FORWARDED_PROTO] = REQ | TRL,
	[VYX_H_X_REAL_IP] = REQ | TRL,
	[VYX_H_X_REQUEST_ID] = REQ | ANS | TRL,
	[VYX_H_MAX_FORWARDS] = REQ | TRL,
	[VYX_H_TRACEPARENT] = TRC,
	[VYX_H_TRACESTATE] = TRC,
};

#define HOP 1
#define END 0
static const uint8_t hop[VYX_H_COUNT] = {
#define X(id, name, of, trailer) [VYX_H_##id] = of,
	VYX_HTTP1_FIELDS(X)
#undef X
};
#undef HOP
#undef END

/* clang-format off */
#define SECURITY(X) \
	X(X_CONTENT_TYPE_OPTIONS,    "X-Content-Type-Options: nosniff\r\n") \
	X(X_FRAME_OPTIONS,	     "X-Frame-Options: DENY\r\n") \
	X(X_XSS_PROTECTION,	     "X-Xss-Protection: 1; mode=block\r\n") \
	X(STRICT_TRANSPORT_SECURITY, "Strict-Transport-Security: " \
				     "max-age=63072000; includeSubDomains\r\n") \
	X(REFERRER_POLICY,	     "Referrer-Policy: " \
				     "strict-origin-when-cross-origin\r\n") \
	X(CONTENT_SECURITY_POLICY,   "Content-Security-Policy: " \
				     "default-src 'self'\r\n")

#define REASONS(X) \
	X(200, "OK") X(204, "No Content") X(400, "Bad Request") \
	X(401, "Unauthorized") X(403, "Forbidden") X(404, "Not Found") \
	X(405, "Method Not Allowed") X(408, "Request Timeout") \
	X(413, "Content Too Large") X(414, "URI Too Long") \
	X(417, "Expectation Failed") X(426, "Upgrade Required") \
	X(429, "Too Many Requests") \
	X(431, "Request Header Fields Too Large") \
	X(500, "Internal Server Error") X(501, "Not Implemented") \
	X(502, "Bad Gateway") X(503, "Service Unavailable") \
	X(504, "Gateway Timeout") X(505, "HTTP Version Not Supported")
/* clang-format on */

const char *
vyx_forward_reason(unsigned status)
{
	switch (status) {
#define X(n, text) \
	case n:    \
		return text;
		REASONS(X)
#undef X
	}
	return "";
}

/* Whether a and b are one name, `_` read as `-`. */
static int
same_name(struct vyx_str a, struct vyx_str b)
{
	if (a.n != b.n)
		return 0;
	for (size_t i = 0; i < a.n; i++) {
		unsigned char x = (unsigned char)a.p[i],
		              y = (unsigned char)b.p[i];

		x = x == '_' ? '-' : x >= 'A' && x <= 'Z' ? x | 0x20 : x;
		y = y == '_' ? '-' : y >= 'A' && y <= 'Z' ? y | 0x20 : y;
		if (x != y)
			return 0;
	}
	return 1;
}

static int
dropped(const struct vyx_forward_rules *r, struct vyx_str name)
{
	for (size_t i = 0; r && i < r->n_drop; i++)
		if (same_name(r->drop[i], name))
			return 1;
	return 0;
}

int
vyx_forward_may(struct vyx_str name)
{
	for (size_t i = 1; i < VYX_H_COUNT; i++)
		if (same_name(vyx_http1_names[i], name))
			return !drop[i] && !hop[i];
	return 1;
}

static int
of_cors(struct vyx_str name)
{
	struct vyx_str head = { name.p, sizeof "access-control-" - 1 };

	return name.n > head.n && same_name(head, VYX_STR("access-control-"));
}

/* Copy the fields that pass in direction `way`. */
static void
fields(struct vyx_pen *w, const struct vyx_http1 *h, unsigned way, int chunked,
    const struct vyx_forward_rules *rules)
{
	for (uint32_t i = 0; i < h->nfield; i++) {
		const struct vyx_http1_field *f = &h->field[i];

		if (f->flags & VYX_FIELD_HOP || drop[f->id] & way ||
		    (way & REQ && f->flags & VYX_FIELD_ALIAS) ||
		    (way == TRL &&
		        f->flags & (VYX_FIELD_NOTRAILER | VYX_FIELD_ALIAS)) ||
		    (f->id == VYX_H_TRAILER && !chunked) ||
		    (way & COR && of_cors(vyx_http1_name(h, f))) ||
		    (rules && dropped(rules, vyx_http1_name(h, f))))
			continue;
		vyx_pen_str(w, vyx_http1_name(h, f));
		vyx_pen_lit(w, ": ");
		vyx_pen_str(w, vyx_http1_str(h, f->value));
		vyx_pen_lit(w, "\r\n");
	}
}

static void
line(struct vyx_pen *w, struct vyx_str name, struct vyx_str value)
{
	vyx_pen_str(w, name);
	vyx_pen_str(w, value);
	vyx_pen_lit(w, "\r\n");
}

/* RFC 7239 6: an IPv6 address is quoted and bracketed. */
static void
forwarded(struct vyx_pen *w, const struct vyx_http1 *h,
    const struct vyx_forward_request *f)
{
	struct vyx_str host = vyx_http1_str(h, h->authority);
	int six = f->peer.n && memchr(f->peer.p, ':', f->peer.n);

	vyx_pen_lit(w, "Forwarded: for=");
	if (!f->peer.n)
		vyx_pen_lit(w, "unknown");
	else if (six)
		vyx_pen_lit(w, "\"[");
	vyx_pen_str(w, f->peer);
	if (six)
		vyx_pen_lit(w, "]\"");
	if (host.n) {
		vyx_pen_lit(w, ";host=\"");
		vyx_pen_str(w, host);
		vyx_pen_lit(w, "\"");
	}
	if (f->tls)
		vyx_pen_lit(w, ";proto=https\r\nX-Forwarded-Proto: https\r\n");
	else
		vyx_pen_lit(w, ";proto=http\r\nX-Forwarded-Proto: http\r\n");
	if (f->peer.n)
		line(w, VYX_STR("X-Forwarded-For: "), f->peer);
	if (host.n)
		line(w, VYX_STR("X-Forwarded-Host: "), host);
}

static void
framing(struct vyx_pen *w, enum vyx_http1_framing how, int has, uint64_t length)
{
	if (how == VYX_BODY_CHUNKED)
		vyx_pen_lit(w, "Transfer-Encoding: chunked\r\n");
	else if (has) {
		vyx_pen_lit(w, "Content-Length: ");
		vyx_pen_dec(w, length);
		vyx_pen_lit(w, "\r\n");
	}
}

static void
via(struct vyx_pen *w, int minor)
{
	if (minor)
		vyx_pen_lit(w, "Via: 1.1 " VYX_FORWARD_VIA "\r\n");
	else
		vyx_pen_lit(w, "Via: 1.0 " VYX_FORWARD_VIA "\r\n");
}

size_t
vyx_forward_request(char *out, size_t cap, const struct vyx_http1 *h,
    const struct vyx_forward_request *f)
{
	struct vyx_pen w = { out, out + cap, 0 };

	vyx_pen_str(&w, f->method);
	vyx_pen_lit(&w, " ");
	vyx_pen_str(&w, f->path);
	if (h->has_query) {
		vyx_pen_lit(&w, "?");
		vyx_pen_str(&w, vyx_http1_str(h, h->query));
	}
	vyx_pen_lit(&w, " HTTP/1.1\r\n");
	line(&w, VYX_STR("Host: "), vyx_http1_str(h, h->authority));
	fields(&w, h, f->trace.n ? REQ | TRC : REQ,
	    h->framing == VYX_BODY_CHUNKED, f->rules);
	framing(&w, h->framing, h->framing == VYX_BODY_LENGTH, h->length);
	if (f->trailers && f->websocket)
		vyx_pen_lit(&w,
		    "TE: trailers\r\nConnection: TE, Upgrade\r\n"
		    "Upgrade: websocket\r\n");
	else if (f->trailers)
		vyx_pen_lit(&w, "TE: trailers\r\nConnection: TE\r\n");
	else if (f->websocket)
		vyx_pen_lit(&w,
		    "Connection: Upgrade\r\n"
		    "Upgrade: websocket\r\n");
	if (h->expect)
		vyx_pen_lit(&w, "Expect: 100-continue\r\n");
	if (f->max_forwards >= 0) {
		vyx_pen_lit(&w, "Max-Forwards: ");
		vyx_pen_dec(&w, (uint64_t)f->max_forwards);
		vyx_pen_lit(&w, "\r\n");
	}
	via(&w, h->minor);
	forwarded(&w, h, f);
	line(&w, VYX_STR("X-Request-Id: "), f->id);
	if (f->trace.n)
		line(&w, VYX_STR("traceparent: "), f->trace);
	if (f->rules)
		vyx_pen_str(&w, f->rules->lines);
	vyx_pen_lit(&w, "\r\n");
	return vyx_pen_end(&w, out);
}

/* Security headers that neither the worker nor a rule has a say in. */
static void
security(struct vyx_pen *w, const struct vyx_http1 *h,
    const struct vyx_forward_rules *rules)
{
#define X(id, text)                                       \
	if ((!h || !h->first[VYX_H_##id]) &&              \
	    !dropped(rules, vyx_http1_names[VYX_H_##id])) \
		vyx_pen_lit(w, text);
	SECURITY(X)
#undef X
}

static void
connection(struct vyx_pen *w, int keep, int old)
{
	if (!keep)
		vyx_pen_lit(w, "Connection: close\r\n");
	else if (old)
		vyx_pen_lit(w, "Connection: keep-alive\r\n");
}

size_t
vyx_forward_answer(char *out, size_t cap, const struct vyx_http1 *h,
    const struct vyx_forward_answer *f)
{
	struct vyx_pen w = { out, out + cap, 0 };
	int final = h->code >= 200;

	vyx_pen_lit(&w, "HTTP/1.1 ");
	vyx_pen_dec(&w, h->code);
	vyx_pen_lit(&w, " ");
	vyx_pen_str(&w, vyx_http1_str(h, h->reason));
	vyx_pen_lit(&w, "\r\n");
	fields(&w, h, f->cors ? ANS | COR : ANS,
	    f->framing == VYX_BODY_CHUNKED && f->trailers, f->rules);
	via(&w, h->minor);
	if (h->code == 101)
		vyx_pen_lit(&w,
		    "Connection: Upgrade\r\n"
		    "Upgrade: websocket\r\n");
	if (final) {
		framing(&w, f->framing,
		    h->has_length && f->framing != VYX_BODY_CLOSE, h->length);
		if (!f->bare)
			security(&w, h, f->rules);
		connection(&w, f->keep, f->old);
		if (!h->first[VYX_H_DATE] &&
		    !dropped(f->rules, vyx_http1_names[VYX_H_DATE]))
			line(&w, VYX_STR("Date: "), f->date);
		vyx_pen_str(&w, f->more);
		if (f->rules)
			vyx_pen_str(&w, f->rules->lines);
	}
	if (final || h->code == 101)
		line(&w, VYX_STR("X-Request-Id: "), f->id);
	vyx_pen_lit(&w, "\r\n");
	return vyx_pen_end(&w, out);
}

size_t
vyx_forward_trailers(char *out, size_t cap, const struct vyx_http1 *h,
    const struct vyx_forward_rules *rules)
{
	struct vyx_pen w = { out, out + cap, 0 };

	if (h)
		fields(&w, h, TRL, 0, rules);
	vyx_pen_lit(&w, "\r\n");
	return vyx_pen_end(&w, out);
}

size_t
vyx_forward_own_content(const struct vyx_forward_own *f)
{
	return f->text ? sizeof("{\"error\":\"\"}\n") - 1 + strlen(f->text)
	               : f->json.n;
}

size_t
vyx_forward_own(char *out, size_t cap, const struct vyx_forward_own *f)
{
	struct vyx_pen w = { out, out + cap, 0 };
	size_t n = vyx_forward_own_content(f);

	vyx_pen_lit(&w, "HTTP/1.1 ");
	vyx_pen_dec(&w, f->status);
	vyx_pen_lit(&w, " ");
	vyx_pen_str(&w, VYX_STRZ(vyx_forward_reason(f->status)));
	line(&w, VYX_STR("\r\nDate: "), f->date);
	if (n)
		vyx_pen_lit(&w, "Content-Type: application/json\r\n");
	if (f->status != 204)
		framing(&w, VYX_BODY_LENGTH, 1, n);
	vyx_pen_str(&w, f->more);
	if (!f->bare)
		security(&w, NULL, NULL);
	connection(&w, f->keep, f->old);
	line(&w, VYX_STR("X-Request-Id: "), f->id);
	vyx_pen_lit(&w, "\r\n");
	if (f->text && !f->head) {
		vyx_pen_lit(&w, "{\"error\":\"");
		vyx_pen_str(&w, VYX_STRZ(f->text));
		vyx_pen_lit(&w, "\"}\n");
	} else if (!f->head)
		vyx_pen_str(&w, f->json);
	return vyx_pen_end(&w, out);
}

int
vyx_forward_id(struct vyx_str id)
{
	if (!id.n || id.n > 128)
		return 0;
	for (size_t i = 0; i < id.n; i++) {
		unsigned char c = (unsigned char)id.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		        (c >= 'a' && c <= 'z') || (c && strchr("._:/+=@-", c))))
			return 0;
	}
	return 1;
}

/* `n` lower-case hexadecimal digits, not all of them 0. */
static int
hex(const char *p, size_t n, int zero)
{
	int all = 0;

	for (size_t i = 0; i < n; i++) {
		if (!((p[i] >= '0' && p[i] <= '9') ||
		        (p[i] >= 'a' && p[i] <= 'f')))
			return 0;
		all |= p[i] != '0';
	}
	return all || zero;
}

int
vyx_forward_trace(struct vyx_str s)
{
	const char *p = s.p;

	if (s.n < VYX_FORWARD_TRACE || !hex(p, 2, 1) || p[2] != '-' ||
	    !hex(p + 3, 32, 0) || p[35] != '-' || !hex(p + 36, 16, 0) ||
	    p[52] != '-' || !hex(p + 53, 2, 1) || !memcmp(p, "ff", 2))
		return 0;
	return s.n == VYX_FORWARD_TRACE || (memcmp(p, "00", 2) && p[55] == '-');
}
