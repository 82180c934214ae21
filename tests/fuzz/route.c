/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/route.h"

/*
 * A table of any lines "methods host pattern", then an empty line and one
 * request "method host path": a hit must be a route whose pattern takes the
 * path, with the parameters in their places, and a method must be allowed.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())
#define LINES 64

static struct vyx_str
segment(struct vyx_str *path)
{
	struct vyx_str s = { "", 0 };

	while (path->p && !s.n)
		s = vyx_str_cut(path, '/');
	return s;
}

/* Whether the pattern takes the path, by its definition. */
static void
check_pattern(struct vyx_str pattern, struct vyx_str path,
    const struct vyx_route_hit *hit)
{
	struct vyx_str a, b;
	unsigned n = 0;

	for (;;) {
		a = segment(&pattern);
		b = segment(&path);
		if (a.n && a.p[0] == '*') {
			CHECK(hit->param[n].value.n >= b.n);
			CHECK(!b.n || hit->param[n].value.p == b.p);
			CHECK(++n == hit->nparam);
			return;
		}
		CHECK(!a.n == !b.n);
		if (!a.n)
			break;
		if (a.p[0] == ':')
			CHECK(vyx_str_eq(hit->param[n++].value, b));
	}
	CHECK(n == hit->nparam);
}

static void
ask(const struct vyx_routes *r, struct vyx_str line, size_t n)
{
	struct vyx_route_query q = { .websocket = 0 };
	struct vyx_route_hit hit;
	char allow[256];

	q.method_name = vyx_str_cut(&line, ' ');
	q.method = vyx_method_scan(q.method_name);
	q.websocket = q.method == VYX_METHOD_GET && line.n % 2;
	q.host = vyx_str_cut(&line, ' ');
	q.path = line.p ? line : VYX_STR("/");
	switch (vyx_route_match(r, &q, &hit)) {
	case VYX_ROUTE_HIT:
		CHECK(hit.index < n && hit.nparam <= VYX_ROUTE_PARAMS);
		CHECK(!hit.websocket || q.websocket);
		check_pattern(hit.pattern, q.path, &hit);
		break;
	case VYX_ROUTE_METHOD:
		CHECK(vyx_route_allow(r, &hit, allow, sizeof(allow)) > 0);
		CHECK(vyx_route_allow(r, &hit, allow, 2) <= 2);
		break;
	case VYX_ROUTE_UPGRADE:
	case VYX_ROUTE_NONE:
		CHECK(hit.allow == 0);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vyx_str all = { (const char *)data, size }, line;
	struct vyx_route_def v[LINES];
	struct vyx_routes *r;
	size_t n = 0;

	while (all.p && n < LINES) {
		line = vyx_str_cut(&all, '\n');
		if (!line.n)
			break;
		v[n] = (struct vyx_route_def){ .id = VYX_STR("r") };
		v[n].methods = vyx_str_cut(&line, ' ');
		v[n].host = vyx_str_cut(&line, ' ');
		v[n++].path = line;
	}
	if ((r = vyx_routes_build(v, n, NULL, NULL)) == NULL)
		return 0;
	while (all.p)
		ask(r, vyx_str_cut(&all, '\n'), n);
	vyx_routes_free(r);
	return 0;
}
