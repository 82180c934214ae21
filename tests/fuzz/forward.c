/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/policy.h"
#include "wire/forward.h"

/*
 * A head passed on under a route's rules must be one again, with the same
 * framing said once, what passes in its order, and none of what does not. A
 * byte of flags, one of the kind, `headers` of a route, an empty line, a head.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())
#define COUNT 64 /* fields that come in; those that are added fit as well */

static const struct vyx_http1_limits wide = { VYX_HTTP1_HEAD_MAX,
	VYX_HTTP1_HEAD_MAX, VYX_HTTP1_FIELD_MAX };
static struct vyx_http1 in, out;
static char buf[2 * VYX_HTTP1_HEAD_MAX];

static int
same(struct vyx_str a, struct vyx_str b)
{
	size_t i = 0;

	while (i < a.n && a.n == b.n &&
	    vyx_str_caseeq((struct vyx_str){ a.p[i] == '_' ? "-" : a.p + i, 1 },
	        (struct vyx_str){ b.p[i] == '_' ? "-" : b.p + i, 1 }))
		i++;
	return a.n == b.n && i == a.n;
}

static int
ruled(const struct vyx_forward_rules *r, struct vyx_str name)
{
	for (size_t i = 0; i < r->n_drop; i++)
		if (same(r->drop[i], name))
			return 1;
	return 0;
}

/* How many fields of that name have come out. */
static unsigned
count(const char *name)
{
	unsigned c = 0;

	for (uint32_t i = 0; i < out.nfield; i++)
		c += (unsigned)vyx_str_caseeq(vyx_http1_name(&out,
		                                  &out.field[i]),
		    VYX_STRZ(name));
	return c;
}

/* Whether any of the names, each with a blank behind, is `name`. */
static int
among(const char *names, struct vyx_str name)
{
	struct vyx_str left = VYX_STRZ(names);

	while (left.n)
		if (same(vyx_str_cut(&left, ' '), name))
			return 1;
	return 0;
}

/* Names that a gateway never takes over, by kind; `_` as `-` in the first. */
static const char *const never[] = {
	"host content-length transfer-encoding expect forwarded "
	"x-forwarded-for "
	"x-forwarded-host x-forwarded-port x-forwarded-proto x-real-ip "
	"x-request-id max-forwards ",
	"content-length transfer-encoding x-request-id ",
	"host content-length transfer-encoding expect forwarded "
	"x-forwarded-for "
	"x-forwarded-host x-forwarded-port x-forwarded-proto x-real-ip "
	"x-request-id max-forwards trailer te authorization set-cookie ",
};

#define HOPS                                                                \
	"te upgrade keep-alive connection proxy-connection http2-settings " \
	"transfer-encoding proxy-authenticate proxy-authorization "

static int
passes(const struct vyx_http1_field *f, int trace, int cors, int trailer,
    const struct vyx_forward_rules *rules)
{
	struct vyx_str name = vyx_http1_name(&in, f);

	if (f->flags & VYX_FIELD_HOP || ruled(rules, name))
		return 0;
	if (in.kind == VYX_HTTP1_RESPONSE ? f->id && among(never[in.kind], name)
	                                  : among(never[in.kind], name) ||
	            (f->flags &
	                (VYX_FIELD_ALIAS |
	                    (in.kind ? VYX_FIELD_NOTRAILER : 0))))
		return 0;
	if (vyx_str_caseeq(name, VYX_STR("trailer")) && !trailer)
		return 0;
	if (trace && (f->id == VYX_H_TRACEPARENT || f->id == VYX_H_TRACESTATE))
		return 0;
	return !cors || name.n < 16 ||
	    !same((struct vyx_str){ name.p, 15 }, VYX_STR("access-control-"));
}

/* What passes stands at `at` and behind, in order; then what is of no one. */
static void
check_fields(uint32_t at, int trace, int cors, int trailer,
    const struct vyx_forward_rules *rules)
{
	for (uint32_t i = 0; i < in.nfield; i++) {
		const struct vyx_http1_field *f = &in.field[i];

		if (!passes(f, trace, cors, trailer, rules))
			continue;
		CHECK(at < out.nfield);
		CHECK(!among(HOPS, vyx_http1_name(&in, f)));
		CHECK(vyx_str_eq(vyx_http1_name(&in, f),
		    vyx_http1_name(&out, &out.field[at])));
		CHECK(vyx_str_eq(vyx_http1_str(&in, f->value),
		    vyx_http1_str(&out, out.field[at].value)));
		at++;
	}
	for (; at < out.nfield; at++) { /* a worker's name for itself: ours */
		struct vyx_str name = vyx_http1_name(&out, &out.field[at]);

		CHECK(ruled(rules, name) ||
		    !(out.field[at].flags & VYX_FIELD_ALIAS));
		CHECK(!same(name, VYX_STR("vyx-instance")) ||
		    ruled(rules, name));
	}
	CHECK(count("Content-Length") + count("Transfer-Encoding") <= 1);
	CHECK(count("Keep-Alive") + count("Proxy-Connection") +
	        count("HTTP2-Settings") ==
	    0);
}

static void
parsed(size_t n, enum vyx_http1_kind kind, int to_head)
{
	CHECK(n > 0);
	vyx_http1_start(&out, kind, &wide);
	out.to_head = (uint8_t)to_head;
	CHECK(vyx_http1_parse(&out, buf, n) == VYX_HTTP1_DONE);
	CHECK(out.len == n);
}

static void
request(unsigned flags, const struct vyx_forward_rules *rules)
{
	struct vyx_forward_request f = { .method =
		                             vyx_http1_str(&in, in.method_name),
		.path = in.plain ? vyx_http1_str(&in, in.path) : VYX_STR("/"),
		.peer = flags & 1 ? VYX_STR("2001:db8::1") : VYX_STR(""),
		.id = VYX_STR("id"),
		.tls = flags >> 1 & 1,
		.websocket = in.websocket,
		.max_forwards = in.max_forwards,
		.trailers = in.trailers,
		.trace = flags & 4 ? VYX_STR("00-1-2-00") : VYX_STR(""),
		.rules = rules };
	size_t cap = in.len + f.path.n + 2 * in.authority.n + VYX_FORWARD_MORE +
	    rules->lines.n;

	if (in.form == VYX_HTTP1_ASTERISK)
		f.path = VYX_STR("*");
	parsed(vyx_forward_request(buf, cap, &in, &f), VYX_HTTP1_REQUEST, 0);
	CHECK(out.framing == in.framing && out.length == in.length);
	CHECK(out.has_length == in.has_length && out.keep);
	CHECK(out.expect == in.expect && out.trailers == in.trailers);
	CHECK(out.websocket == in.websocket);
	CHECK(vyx_str_eq(vyx_http1_str(&out, out.authority),
	    vyx_http1_str(&in, in.authority)));
	CHECK(count("Host") == 1 && count("Forwarded") == 1);
	CHECK(count("X-Request-Id") == 1);
	CHECK(count("Upgrade") == in.websocket);
	CHECK(count("Connection") == (in.websocket || in.trailers));
	CHECK(!(flags & 4) || count("traceparent") == 1);
	check_fields(1, flags & 4, 0, in.framing == VYX_BODY_CHUNKED, rules);
}

static void
answer(unsigned flags, const struct vyx_forward_rules *rules)
{
	struct vyx_forward_answer f = { .id = VYX_STR("id"),
		.date = VYX_STR("now"),
		.framing = in.framing,
		.old = flags & 1,
		.keep = flags >> 1 & 1,
		.trailers = flags >> 2 & 1,
		.bare = flags >> 3 & 1,
		.cors = flags >> 4 & 1,
		.more = VYX_STR("X-More: 1\r\n"),
		.rules = rules };
	size_t cap = in.len + VYX_FORWARD_MORE + f.more.n + rules->lines.n;
	int final = in.code >= 200;

	if (in.framing == VYX_BODY_CHUNKED || in.framing == VYX_BODY_CLOSE)
		f.framing = f.old ? VYX_BODY_CLOSE : VYX_BODY_CHUNKED;
	if (f.framing == VYX_BODY_CLOSE)
		f.keep = 0;
	parsed(vyx_forward_answer(buf, cap, &in, &f), VYX_HTTP1_RESPONSE,
	    in.to_head);
	CHECK(out.code == in.code && out.websocket == in.websocket);
	check_fields(0, 0, f.cors, f.framing == VYX_BODY_CHUNKED && f.trailers,
	    rules);
	if (!final)
		return;
	CHECK(out.framing == f.framing && out.keep == f.keep);
	CHECK(f.framing != VYX_BODY_LENGTH || out.length == in.length);
	CHECK(count("X-Request-Id") == 1 && count("X-More") >= 1);
	CHECK(count("Connection") == (!f.keep || f.old));
	if (!in.first[VYX_H_DATE])
		CHECK(ruled(rules, VYX_STR("date")) || count("Date") == 1);
	if (!in.first[VYX_H_X_FRAME_OPTIONS] &&
	    !ruled(rules, VYX_STR("x-frame-options")))
		CHECK(count("X-Frame-Options") == !f.bare);
}

/* No dropped name is there, but where a rule said it. */
static void
check_rules(const struct vyx_forward_rules *r)
{
	for (size_t i = 0; i < r->n_drop; i++) {
		unsigned there = 0, said = 0;
		struct vyx_str left = r->lines;

		if (among(never[0], r->drop[i]) || among(HOPS, r->drop[i]) ||
		    among("via traceparent ", r->drop[i]))
			continue; /* said by the gateway */
		for (uint32_t k = 0; k < out.nfield; k++)
			there += (unsigned)same(r->drop[i],
			    vyx_http1_name(&out, &out.field[k]));
		while (left.n) {
			struct vyx_str line = vyx_str_cut(&left, '\n');

			said +=
			    (unsigned)same(r->drop[i], vyx_str_cut(&line, ':'));
		}
		said += (unsigned)same(r->drop[i], VYX_STR("x-more"));
		CHECK(there <= said);
	}
}

static void
pass(unsigned flags, const struct vyx_policy *p)
{
	const struct vyx_forward_rules *r = &p->request;

	if (in.kind == VYX_HTTP1_REQUEST)
		request(flags, r);
	else if (in.kind == VYX_HTTP1_RESPONSE)
		answer(flags, r = &p->answer);
	else {
		parsed(vyx_forward_trailers(buf, in.len + VYX_FORWARD_MORE, &in,
		           r),
		    VYX_HTTP1_TRAILER, 0);
		check_fields(0, 0, 0, 0, r);
	}
	check_rules(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *end, *text = (const char *)data + 2;
	struct vyx_http1_limits lim = { 16384, 8192, COUNT };
	struct vyx_rec row = { .n = 1, .at = { [VYX_F_HEADERS] = 1 } };
	struct vyx_policy *p;
	const char *why;

	if (size < 3 || !(end = memmem(text, size - 2, "\n\n", 2)))
		return 0;
	row.f[0] = (struct vyx_rec_field){ VYX_F_HEADERS,
		{ text, (size_t)(end - text) }, 0 };
	if (end - text > 4096 || !(p = vyx_policy_new(&row, &why)))
		return 0;
	vyx_http1_start(&in, data[1] % 3, &lim);
	in.to_head = data[1] % 3 == VYX_HTTP1_RESPONSE && data[1] & 128;
	text = (const char *)data + size;
	if (vyx_http1_parse(&in, end + 2, (size_t)(text - end - 2)) ==
	        VYX_HTTP1_DONE &&
	    (in.code != 101 || in.websocket)) /* else it is a 502 */
		pass(data[0], p);
	vyx_policy_left(p);
	return 0;
}
