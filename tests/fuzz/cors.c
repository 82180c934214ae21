/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/cors.h"
#include "wire/http1.h"

/*
 * Lines: a flag byte and the allowed origins, methods, headers, those exposed,
 * the request's Origin and Access-Control-Request-Headers. What is answered is
 * whole fields, names an origin that is allowed and nobody else, and asks for
 * nothing that is not a name.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())

static struct vyx_http1 h;

static void
parse(const char *lines, size_t n)
{
	static char head[2 * VYX_CORS_LINES];

	memcpy(head, "HTTP/1.1 204 No Content\r\n", 25);
	memcpy(head + 25, lines, n);
	memcpy(head + 25 + n, "\r\n", 2);
	vyx_http1_start(&h, VYX_HTTP1_RESPONSE, NULL);
	CHECK(vyx_http1_parse(&h, head, n + 27) == VYX_HTTP1_DONE);
	CHECK(h.len == n + 27);
}

/* The value of the one field of that name; p NULL: none. */
static struct vyx_str
one(const char *name)
{
	struct vyx_str v = { NULL, 0 };

	for (uint32_t i = 0; i < h.nfield; i++)
		if (vyx_str_eq(vyx_http1_name(&h, &h.field[i]),
		        VYX_STRZ(name))) {
			CHECK(!v.p);
			v = vyx_http1_str(&h, h.field[i].value);
		}
	return v;
}

static int
allowed(const struct vyx_cors *c, struct vyx_str origin)
{
	struct vyx_str left = c->origins;

	if (vyx_str_eq(left, VYX_STR("*")))
		return 1;
	while (left.n)
		if (vyx_str_caseeq(vyx_str_cut(&left, ' '), origin) && origin.n)
			return 1;
	return 0;
}

static void
answer(const struct vyx_cors *c, struct vyx_str origin)
{
	static char out[VYX_CORS_LINES];
	size_t n = vyx_cors_answer(c, origin, out, sizeof out);
	struct vyx_str who;
	int any = vyx_str_eq(c->origins, VYX_STR("*"));

	if (!c->origins.n)
		CHECK(!n);
	if (!n)
		return;
	CHECK(vyx_cors_answer(c, origin, out, n - 1) == 0);
	CHECK(vyx_cors_answer(c, origin, out, n) == n);
	parse(out, n);
	who = one("Access-Control-Allow-Origin");
	CHECK(!who.p == !allowed(c, origin));
	CHECK(!who.p || vyx_str_eq(who, any ? VYX_STR("*") : origin));
	CHECK(!one("Access-Control-Allow-Credentials").p ==
	    !(who.p && c->credentials));
	CHECK(!one("Access-Control-Expose-Headers").p ==
	    !(who.p && c->expose.n));
	CHECK(any ? !one("Vary").p
	          : vyx_str_eq(one("Vary"), VYX_STR("Origin")));
}

static void
preflight(const struct vyx_cors *c, struct vyx_str origin, struct vyx_str asked)
{
	static char out[VYX_CORS_LINES];
	size_t n = vyx_cors_preflight(c, origin, asked, out, sizeof out);
	struct vyx_str v;

	if (!n)
		return;
	CHECK(vyx_cors_preflight(c, origin, asked, out, n - 1) == 0);
	CHECK(vyx_cors_preflight(c, origin, asked, out, n) == n);
	parse(out, n);
	CHECK(one("Vary").n > 0);
	CHECK(!one("Access-Control-Allow-Methods").p == !allowed(c, origin));
	CHECK(!one("Access-Control-Max-Age").p == !allowed(c, origin));
	v = one("Access-Control-Allow-Headers");
	if (!vyx_str_eq(c->headers, VYX_STR("*"))) {
		CHECK(!v.p == !allowed(c, origin));
		return;
	}
	CHECK(!v.p || (asked.n && allowed(c, origin)));
	while (v.n) {
		struct vyx_str name = vyx_str_cut(&v, ',');

		for (; name.n && *name.p == ' '; name.n--)
			name.p++;
		while (name.n && name.p[name.n - 1] == ' ')
			name.n--;
		CHECK(vyx_http1_token(name));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vyx_str all = { (const char *)data, size }, part[6];
	struct vyx_cors c = { 0 };

	if (!size)
		return 0;
	c.credentials = *data & 1;
	c.max_age_s = *data;
	all.p++;
	all.n--;
	for (size_t i = 0; i < VYX_COUNT(part); i++) {
		part[i] = all.p ? vyx_str_cut(&all, '\n') : VYX_STR("");
		if (!vyx_http1_value(part[i]))
			return 0; /* nobody can send it, nor write it down */
		for (; part[i].n && strchr(" \t", *part[i].p); part[i].n--)
			part[i].p++;
		while (part[i].n && strchr(" \t", part[i].p[part[i].n - 1]))
			part[i].n--;
	}
	c.origins = part[0];
	c.methods = part[1];
	c.headers = part[2];
	c.expose = part[3];
	answer(&c, part[4]);
	preflight(&c, part[4], part[5]);
	return 0;
}
