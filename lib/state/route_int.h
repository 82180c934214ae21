/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_ROUTE_INT_H
#define VYX_STATE_ROUTE_INT_H

#include "state/route.h"

/*
 * route_int - the compiled form, shared by route.c and route_build.c alone.
 *
 * One array of nodes, one hash table from (parent, text) to node. A host is a
 * node too, a child of VYX_ROUTE_HOSTS: `name`, or `.suffix` for `*.suffix`.
 * Node 0 stands for "none", node 1 is the root of routes without host.
 */

#define VYX_ROUTE_HOSTS UINT32_MAX
#define VYX_ROUTE_ANY 1
#define VYX_ROUTE_WS 1u /* the bit of WS; of a method m: 1 << m */
#define VYX_ROUTE_OWN VYX_METHOD_COUNT /* bits from here: named by a route */

struct vyx_route_node {
	uint32_t parent;
	uint32_t text_at; /* in text[]: a segment, canonical; a host, small */
	uint32_t text_n;
	uint32_t nchild;  /* static ones */
	uint32_t param;   /* the child that takes any segment */
	uint32_t rest;    /* the child that takes all that is left */
	uint32_t first;   /* 1 + index of its newest route */
	uint64_t methods; /* of all of them */
};

struct vyx_route {
	uint64_t methods;
	uint32_t star; /* every method, by `*` */
	uint32_t next; /* 1 + index of the next older one of the node */
	uint32_t pattern_at;
	uint32_t pattern_n;
	uint32_t param; /* of params[] */
	uint32_t nparam;
	void *user;
};

struct vyx_route_name {
	uint32_t at;
	uint32_t n;
	uint32_t depth; /* segments before it */
	uint32_t rest;
};

struct vyx_route_slot {
	uint32_t hash;
	uint32_t node; /* 0: free */
};

struct vyx_routes {
	struct vyx_route_node *node;
	struct vyx_route *route;
	struct vyx_route_name *params;
	struct vyx_route_slot *slot;
	uint32_t mask; /* slots - 1 */
	uint32_t nnode;
	uint32_t nparam;
	uint32_t ntext;
	uint32_t nhost;
	uint32_t nown;
	char *text;
	char own[VYX_ROUTE_METHODS - VYX_ROUTE_OWN][VYX_HTTP1_METHOD_MAX + 1];
};

static inline uint64_t
vyx_route_word(const char *p, size_t n)
{
	uint64_t v = 0;
	uint32_t lo, hi;

	if (n >= 8)
		memcpy(&v, p, 8);
	else if (n >= 4) {
		memcpy(&lo, p, 4);
		memcpy(&hi, p + n - 4, 4);
		v = (uint64_t)hi << 32 | lo;
	} else if (n)
		v = (uint64_t)(unsigned char)p[0] << 16 |
		    (uint64_t)(unsigned char)p[n / 2] << 8 |
		    (unsigned char)p[n - 1];
	return v;
}

/* Only the configuration makes entries, so that nobody can make them meet. */
static inline uint32_t
vyx_route_hash(uint32_t parent, const char *p, size_t n)
{
	uint64_t h = ((uint64_t)parent << 32 | (uint32_t)n) *
	    UINT64_C(0x9e3779b97f4a7c15);

	for (; n > 8; p += 8, n -= 8) {
		h = (h ^ vyx_route_word(p, 8)) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	h = (h ^ vyx_route_word(p, n)) * UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(h >> 32);
}

static inline int
vyx_route_same(const char *a, const char *b, size_t n)
{
	for (; n > 8; a += 8, b += 8, n -= 8)
		if (vyx_route_word(a, 8) != vyx_route_word(b, 8))
			return 0;
	return vyx_route_word(a, n) == vyx_route_word(b, n);
}

/* The child of `parent` with that text, 0: none. */
static inline uint32_t
vyx_route_child(const struct vyx_routes *r, uint32_t parent, const char *p,
    size_t n)
{
	uint32_t h = vyx_route_hash(parent, p, n);

	for (uint32_t i = h & r->mask; r->slot[i].node; i = (i + 1) & r->mask) {
		const struct vyx_route_node *nd = &r->node[r->slot[i].node];

		if (r->slot[i].hash == h && nd->parent == parent &&
		    nd->text_n == n &&
		    vyx_route_same(r->text + nd->text_at, p, n))
			return r->slot[i].node;
	}
	return 0;
}

#endif
