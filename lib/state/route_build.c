/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "route_int.h"
#include "wire/path.h"

/* What one route is being compiled with. */
struct build {
	struct vyx_routes *r;
	const struct vyx_route_def *v;
	size_t i;
	vyx_route_note *note;
	void *arg;
};

static int
fatal(struct build *b, const char *why)
{
	if (b->note)
		b->note(b->arg, b->i, b->i, why, 1);
	return errno = EINVAL, 0;
}

static uint32_t
keep(struct vyx_routes *r, const char *p, size_t n)
{
	uint32_t at = r->ntext;

	if (n) /* a segment is in its place already */
		memmove(r->text + at, p, n);
	r->ntext += (uint32_t)n;
	return at;
}

static uint32_t
new_node(struct vyx_routes *r, uint32_t parent)
{
	r->node[r->nnode] = (struct vyx_route_node){ .parent = parent };
	return r->nnode++;
}

/* The child of that text, made if need be. `text` is kept if it was new. */
static uint32_t
child(struct vyx_routes *r, uint32_t parent, struct vyx_str text)
{
	uint32_t node = vyx_route_child(r, parent, text.p, text.n), h, i;

	if (node)
		return node;
	node = new_node(r, parent);
	r->node[node].text_at = keep(r, text.p, text.n);
	r->node[node].text_n = (uint32_t)text.n;
	if (parent != VYX_ROUTE_HOSTS)
		r->node[parent].nchild++;
	h = vyx_route_hash(parent, text.p, text.n);
	for (i = h & r->mask; r->slot[i].node; i = (i + 1) & r->mask)
		;
	r->slot[i] = (struct vyx_route_slot){ h, node };
	return node;
}

/* The bit of a method's name in capitals; 0: no room for another. */
static uint64_t
own_method(struct vyx_routes *r, struct vyx_str name)
{
	uint32_t i;

	for (i = 0; i < r->nown; i++)
		if (vyx_str_eq(VYX_STRZ(r->own[i]), name))
			break;
	if (i == VYX_COUNT(r->own))
		return 0;
	if (i == r->nown) {
		memcpy(r->own[i], name.p, name.n);
		r->nown++;
	}
	return UINT64_C(1) << (VYX_ROUTE_OWN + i);
}

static int
add_method(struct build *b, struct vyx_str s, struct vyx_route *out)
{
	char name[VYX_HTTP1_METHOD_MAX];
	struct vyx_str up = { name, s.n };
	enum vyx_method m;
	uint64_t bit;

	if (s.n > sizeof(name) || !vyx_http1_token(s))
		return fatal(b, "invalid method");
	for (size_t i = 0; i < s.n; i++)
		name[i] = s.p[i] >= 'a' && s.p[i] <= 'z'
		    ? (char)(s.p[i] & ~0x20)
		    : s.p[i];
	if (vyx_str_eq(up, VYX_STR("*")))
		out->star = 1;
	else if (vyx_str_eq(up, VYX_STR("WS")))
		out->methods |= VYX_ROUTE_WS;
	else if (vyx_str_eq(up, VYX_STR("CONNECT")))
		return fatal(b, "CONNECT cannot be routed");
	else if ((m = vyx_method_scan(up)) != VYX_METHOD_OTHER)
		out->methods |= UINT64_C(1) << m;
	else if ((bit = own_method(b->r, up)) != 0)
		out->methods |= bit;
	else
		return fatal(b, "too many different methods");
	return 1;
}

/* `*` with others is `*`, and WS where that is among them. */
static int
add_methods(struct build *b, struct vyx_str s, struct vyx_route *out)
{
	size_t i = 0, from;

	while (i < s.n) {
		for (from = i; i < s.n && !memchr(", \t", s.p[i], 3);)
			i++;
		if (i == from)
			i++;
		else if (!add_method(b,
		             (struct vyx_str){ s.p + from, i - from }, out))
			return 0;
	}
	out->star |= !out->methods;
	if (out->star)
		out->methods &= VYX_ROUTE_WS;
	return 1;
}

/* The node that the patterns of this host hang from; 0: refused. */
static uint32_t
root(struct build *b)
{
	struct vyx_str s = b->v[b->i].host;
	char low[255];
	struct vyx_span span;
	int32_t port;
	size_t skip = s.n > 1 && s.p[0] == '*' && s.p[1] == '.';

	if (!s.n)
		return VYX_ROUTE_ANY;
	s.p += skip;
	s.n -= skip;
	s.n -= s.p[s.n - 1] == '.';
	if (s.n <= skip || s.n > sizeof(low) ||
	    !vyx_http1_authority(s, &span, &port) || span.n != s.n ||
	    (!skip && s.p[0] == '.'))
		return (uint32_t)fatal(b, "invalid host");
	for (size_t i = 0; i < s.n; i++)
		low[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20)
		                                        : s.p[i];
	b->r->nhost++;
	return child(b->r, VYX_ROUTE_HOSTS, (struct vyx_str){ low, s.n });
}

/* A segment `:name` or `*name`. The node it leads to, 0: refused. */
static uint32_t
param(struct build *b, uint32_t node, struct vyx_str s, uint32_t depth,
    struct vyx_route *out)
{
	struct vyx_routes *r = b->r;
	int rest = s.p[0] == '*';
	uint32_t *next = rest ? &r->node[node].rest : &r->node[node].param;
	struct vyx_route_name *name = &r->params[r->nparam];

	if (s.n == 1 && !rest)
		return (uint32_t)fatal(b, "parameter without a name");
	if (out->nparam == VYX_ROUTE_PARAMS)
		return (uint32_t)fatal(b, "too many parameters");
	if (s.n > 1) {
		s.p++;
		s.n--;
	}
	*name = (struct vyx_route_name){ keep(r, s.p, s.n), (uint32_t)s.n,
		depth, (uint32_t)rest };
	r->nparam++;
	out->nparam++;
	if (!*next)
		*next = new_node(r, node);
	return *next;
}

static uint32_t
add_path(struct build *b, struct vyx_str path, struct vyx_route *out)
{
	struct vyx_routes *r = b->r;
	uint32_t node = root(b), depth = 0;
	struct vyx_str s, seg;

	out->pattern_at = keep(r, path.p, path.n);
	out->pattern_n = (uint32_t)path.n;
	out->param = r->nparam;
	while (node && path.p) {
		s = vyx_str_cut(&path, '/');
		if (!s.n)
			continue;
		if (out->nparam && r->params[r->nparam - 1].rest)
			return (uint32_t)fatal(b, "*name is not the last");
		if (depth == VYX_ROUTE_DEPTH)
			return (uint32_t)fatal(b, "too many segments");
		if (s.p[0] == ':' || s.p[0] == '*') {
			node = param(b, node, s, depth++, out);
			continue;
		}
		/* canonical in place: room for it was counted */
		if (!vyx_path_segment(s, r->text + r->ntext, 3 * s.n, &seg))
			return (uint32_t)fatal(b, "invalid path");
		node = child(r, node, seg);
		depth++;
	}
	return node;
}

/* Hang the route in. What it takes the place of wholly is taken out, so that
 * a node has no more routes than there are methods. */
static void
attach(struct build *b, uint32_t node, uint32_t index)
{
	struct vyx_routes *r = b->r;
	struct vyx_route *new = &r->route[index], *old;
	uint32_t *link = &r->node[node].first;

	while (*link) {
		old = &r->route[*link - 1];
		if (((old->methods & new->methods) ||
		        (old->star && new->star)) &&
		    b->note)
			b->note(b->arg, b->i, *link - 1,
			    "takes the place of an earlier route", 0);
		if (!(old->methods & ~new->methods) && old->star <= new->star)
			*link = old->next;
		else
			link = &old->next;
	}
	new->next = r->node[node].first;
	r->node[node].first = index + 1;
	r->node[node].methods |=
	    new->methods | (new->star ? ~(uint64_t)VYX_ROUTE_WS : 0);
}

/* All memory the table can need, counted from the definitions. */
static struct vyx_routes *
room(const struct vyx_route_def *v, size_t n)
{
	size_t nodes = 2, text = 1, slots = 16, params = 1;
	struct vyx_routes *r;

	if (n > VYX_ROUTE_MAX)
		return errno = E2BIG, NULL;
	for (size_t i = 0; i < n; i++) {
		size_t segments = 1;

		if (v[i].path.n > 65535 || v[i].host.n > 65535)
			return errno = E2BIG, NULL;
		for (size_t j = 0; j < v[i].path.n; j++)
			segments += v[i].path.p[j] == '/';
		nodes += segments + 1;
		params += segments;
		text += 5 * v[i].path.n + v[i].host.n;
	}
	if (nodes > INT32_MAX || text > INT32_MAX)
		return errno = E2BIG, NULL;
	while (slots < 2 * nodes)
		slots *= 2;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	r->node = calloc(nodes, sizeof(*r->node));
	r->route = calloc(n + 1, sizeof(*r->route));
	r->params = calloc(params, sizeof(*r->params));
	r->slot = calloc(slots, sizeof(*r->slot));
	r->text = malloc(text);
	r->mask = (uint32_t)(slots - 1);
	r->nnode = VYX_ROUTE_ANY + 1;
	if (r->node && r->route && r->params && r->slot && r->text)
		return r;
	vyx_routes_free(r);
	return errno = ENOMEM, NULL;
}

struct vyx_routes *
vyx_routes_build(const struct vyx_route_def *v, size_t n, vyx_route_note *note,
    void *arg)
{
	struct build b = { .v = v, .note = note, .arg = arg };
	uint32_t node;

	if ((b.r = room(v, n)) == NULL)
		return NULL;
	for (b.i = 0; b.i < n; b.i++) {
		struct vyx_route *out = &b.r->route[b.i];

		out->user = v[b.i].user;
		if (!add_methods(&b, v[b.i].methods, out) ||
		    !(node = add_path(&b, v[b.i].path, out))) {
			vyx_routes_free(b.r);
			return errno = EINVAL, NULL;
		}
		attach(&b, node, (uint32_t)b.i);
	}
	return b.r;
}

void
vyx_routes_free(struct vyx_routes *r)
{
	if (!r)
		return;
	free(r->node);
	free(r->route);
	free(r->params);
	free(r->slot);
	free(r->text);
	free(r);
}
