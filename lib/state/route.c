/* SPDX-License-Identifier: ISC */
#include "route_int.h"

#define HOST_MAX 255 /* RFC 1035 2.3.4 */

struct segment {
	const char *p;
	uint32_t n;
};

/* A node to look at, with so many segments behind it. */
struct todo {
	uint32_t node;
	uint32_t depth;
	int rest; /* it takes whatever is left */
};

/*
 * One search. A segment has the same place on every branch, so each is found
 * once, when a branch first comes to its depth.
 */
struct walk {
	const struct vyx_routes *r;
	uint64_t want;     /* bit of the method */
	uint64_t stand_in; /* and of the one that may stand in for it */
	int star;          /* `*` will do */
	uint64_t seen;     /* methods of all routes that the path has */
	const char *p;     /* what is not yet cut */
	const char *end;
	uint32_t nseg;
	uint32_t ntodo;
	struct segment seg[VYX_ROUTE_DEPTH + 1];
	struct todo todo[2 * VYX_ROUTE_DEPTH + 3];
};

/* Whether there is a segment at `d`, of which those before are cut. */
static inline int
segment(struct walk *w, uint32_t d)
{
	const char *p = w->p;

	if (d < w->nseg)
		return 1;
	while (p < w->end && *p == '/')
		p++;
	w->p = p;
	if (p == w->end)
		return 0;
	while (p < w->end && *p != '/')
		p++;
	w->seg[w->nseg++] = (struct segment){ w->p, (uint32_t)(p - w->p) };
	w->p = p;
	return 1;
}

static inline void
later(struct walk *w, uint32_t node, uint32_t depth, int rest)
{
	if (node)
		w->todo[w->ntodo++] = (struct todo){ node, depth, rest };
}

/* The node's route for the method: 1 + index, 0: none. */
static inline uint32_t
pick(struct walk *w, uint32_t node)
{
	const struct vyx_route *v = w->r->route;
	uint32_t star = 0, other = 0;

	w->seen |= w->r->node[node].methods;
	for (uint32_t i = w->r->node[node].first; i; i = v[i - 1].next) {
		if (v[i - 1].methods & w->want)
			return i;
		if (v[i - 1].methods & w->stand_in && !other)
			other = i;
		if (v[i - 1].star && !star)
			star = i;
	}
	return other ? other : w->star ? star : 0;
}

/* Depth first, in order of precedence, from `root`. */
static uint32_t
walk(struct walk *w, uint32_t root)
{
	uint32_t node, d, got;

	w->ntodo = 0;
	later(w, root, 0, 0);
	while (w->ntodo) {
		struct todo t = w->todo[--w->ntodo];

		if (t.rest && (got = pick(w, t.node)))
			return got;
		for (node = t.node, d = t.depth; node && !t.rest; d++) {
			const struct vyx_route_node *nd = &w->r->node[node];

			if (!segment(w, d)) {
				if ((got = pick(w, node)) ||
				    (nd->rest && (got = pick(w, nd->rest))))
					return got;
				break;
			}
			later(w, nd->rest, d, 1);
			later(w, nd->param, d + 1, 0);
			node = nd->nchild ? vyx_route_child(w->r, node,
			                        w->seg[d].p, w->seg[d].n)
			                  : 0;
		}
	}
	return 0;
}

/* `host` in small letters without the dot at its end; 0: too long. */
static size_t
fold(struct vyx_str host, char out[HOST_MAX])
{
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n > HOST_MAX)
		return 0;
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];

		out[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return host.n;
}

/* All roots that the host leads to, until one has the route. */
static uint32_t
search(struct walk *w, const struct vyx_route_query *q)
{
	char host[HOST_MAX] __attribute__((uninitialized));
	uint32_t root, got = 0;
	size_t n;

	if (w->r->nhost && (n = fold(q->host, host)) > 0)
		for (size_t i = 0; i < n && !got; i++) {
			if ((host[i] == '.') == (i == 0))
				continue;
			root = vyx_route_child(w->r, VYX_ROUTE_HOSTS, host + i,
			    n - i);
			if (root)
				got = walk(w, root);
		}
	return got ? got : walk(w, VYX_ROUTE_ANY);
}

static uint64_t
method_bit(const struct vyx_routes *r, const struct vyx_route_query *q)
{
	if (q->method != VYX_METHOD_OTHER)
		return UINT64_C(1) << q->method;
	for (uint32_t i = 0; i < r->nown; i++)
		if (vyx_str_eq(VYX_STRZ(r->own[i]), q->method_name))
			return UINT64_C(1) << (VYX_ROUTE_OWN + i);
	return 0;
}

static void
fill(struct vyx_route_hit *hit, const struct walk *w, uint32_t index)
{
	const struct vyx_routes *r = w->r;
	const struct vyx_route *v = &r->route[index];

	hit->user = v->user;
	hit->index = index;
	hit->pattern =
	    (struct vyx_str){ r->text + v->pattern_at, v->pattern_n };
	hit->websocket = w->want == VYX_ROUTE_WS;
	hit->nparam = v->nparam;
	for (uint32_t i = 0; i < v->nparam; i++) {
		const struct vyx_route_name *name = &r->params[v->param + i];
		struct vyx_str value = { w->end, 0 };

		if (name->depth < w->nseg) {
			value.p = w->seg[name->depth].p;
			value.n = name->rest ? (size_t)(w->end - value.p)
			                     : w->seg[name->depth].n;
		}
		hit->param[i].name =
		    (struct vyx_str){ r->text + name->at, name->n };
		hit->param[i].value = value;
	}
}

/* HOP 2: every branch that the path has is looked at, the best one wins. */
enum vyx_route_got
vyx_route_match(const struct vyx_routes *r, const struct vyx_route_query *q,
    struct vyx_route_hit *hit)
{
	uint64_t get = UINT64_C(1) << VYX_METHOD_GET;
	/* 2.6 KiB that most requests touch little of: not to be cleared */
	struct walk w __attribute__((uninitialized));
	uint32_t got = 0;

	w.r = r;
	w.p = q->path.p;
	w.end = q->path.p + q->path.n;
	w.nseg = 0;
	w.seen = 0;
	w.stand_in = 0;
	if (q->websocket) {
		w.want = VYX_ROUTE_WS;
		w.star = 0;
		got = search(&w, q);
	}
	if (!got) {
		w.want = method_bit(r, q);
		w.stand_in = q->method == VYX_METHOD_HEAD ? get : 0;
		w.star = 1;
		got = search(&w, q);
	}
	if (got) {
		fill(hit, &w, got - 1);
		return VYX_ROUTE_HIT;
	}
	hit->allow = w.seen & ~(uint64_t)VYX_ROUTE_WS;
	if (hit->allow & get)
		hit->allow |= UINT64_C(1) << VYX_METHOD_HEAD;
	return hit->allow ? VYX_ROUTE_METHOD
	    : w.seen      ? VYX_ROUTE_UPGRADE
	                  : VYX_ROUTE_NONE;
}

size_t
vyx_route_allow(const struct vyx_routes *r, const struct vyx_route_hit *hit,
    char *buf, size_t cap)
{
	size_t n = 0;

	for (uint32_t i = 1; i < VYX_ROUTE_OWN + r->nown; i++) {
		struct vyx_str m = i < VYX_ROUTE_OWN
		    ? vyx_method_name((enum vyx_method)i)
		    : VYX_STRZ(r->own[i - VYX_ROUTE_OWN]);

		if (!(hit->allow >> i & 1) || m.n + (n ? 2 : 0) > cap - n)
			continue;
		if (n) {
			memcpy(buf + n, ", ", 2);
			n += 2;
		}
		memcpy(buf + n, m.p, m.n);
		n += m.n;
	}
	return n;
}
