/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/cors.h"
#include "wire/http1.h"

/*
 * Line by line: origins, methods, headers, expose as the configuration has
 * them; the request's Origin and Access-Control-Request-Headers, which are
 * what any client sends and a reader of heads lets pass. No client makes a
 * line of his own, and an origin that is not listed is not named.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())

static int
listed(struct vyx_str list, struct vyx_str s)
{
	while (list.n)
		if (vyx_str_caseeq(vyx_str_cut(&list, ' '), s))
			return 1;
	return 0;
}

static void
check(const struct vyx_cors *c, struct vyx_str origin, const char *out,
    size_t n)
{
	struct vyx_str s = { out, n };

	while (s.n) {
		struct vyx_str line = vyx_str_cut(&s, '\n'), name;

		CHECK(s.p && line.n && line.p[line.n - 1] == '\r');
		line.n--;
		name = vyx_str_cut(&line, ':');
		CHECK(line.p && vyx_http1_value(line));
		if (vyx_str_eq(name, VYX_STR("Vary")))
			continue;
		CHECK(name.n > 15 &&
		    memcmp(name.p, "Access-Control-", 15) == 0);
		CHECK(origin.n &&
		    (vyx_str_eq(c->origins, VYX_STR("*")) ||
		        listed(c->origins, origin)));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct vyx_str rest = { (const char *)data, n }, part[6];
	struct vyx_cors c = { .credentials = n % 2, .max_age_s = n };
	char out[VYX_CORS_LINES];

	for (size_t i = 0; i < VYX_COUNT(part); i++) {
		part[i] = rest.p ? vyx_str_cut(&rest, '\n') : VYX_STR("");
		if (part[i].n && !vyx_http1_value(part[i]))
			return 0;
	}
	c.origins = part[0];
	c.methods = part[1];
	c.headers = part[2];
	c.expose = part[3];
	for (size_t cap = 0; cap <= sizeof out; cap = cap * 2 + 1) {
		size_t got = vyx_cors_answer(&c, part[4], out, cap);

		CHECK(got <= cap);
		check(&c, part[4], out, got);
		got = vyx_cors_preflight(&c, part[4], part[5], out, cap);
		CHECK(got <= cap);
		check(&c, part[4], out, got);
	}
	return 0;
}
