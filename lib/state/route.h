/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_ROUTE_H
#define VYX_STATE_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/http1.h"

/*
 * route - which route a request takes.
 *
 * Owns	    the compiled routes: built once, never changed, free to share.
 * Needs    malloc while it is built; a match needs none. Paths must be
 *	    canonical (wire/path.h).
 * Returns  as said with each.
 * Cost	    a match looks at no node twice; one hash a segment.
 *
 * A pattern is split at `/`, empty segments dropped, so that /a, /a/ and //a
 * are one. `:name` takes any one segment, `*name` as the last all that is
 * left, also nothing: `/a/` + `*rest` matches /a, /a/ and /a/b/c. Static beats
 * `:name` beats `*name`, segment by segment, and a branch that ends in no
 * route for the method is left for the next one. Hosts first: exact, then
 * `*.suffix` (longest first, one label or more before it), then routes
 * without host; again the next is tried when one has no route.
 *
 * Methods: a list, separated by blanks or commas, in any case; `*` or nothing
 * is every method. One that is named beats `*`. HEAD takes GET's route where
 * none has HEAD. WS takes WebSocket upgrades, and only it: where no WS route
 * matches, an upgrade request is an ordinary GET; `*` does not include it.
 *
 * Sources: contracts/vyx.md 2; RFC 9110 9.3.2 (HEAD), 15.5.6 (405).
 */

#define VYX_ROUTE_MAX 100000 /* routes in a table */
#define VYX_ROUTE_DEPTH 64   /* segments of a pattern */
#define VYX_ROUTE_PARAMS 16  /* parameters of a pattern */
#define VYX_ROUTE_METHODS 64 /* different methods in a table */

/* Borrowed by vyx_routes_build() for the call alone, but for `user`. */
struct vyx_route_def {
	struct vyx_str id;      /* for notes */
	struct vyx_str host;    /* empty: any; name or *.name, no port */
	struct vyx_str methods; /* empty: * */
	struct vyx_str path;
	void *user;
};

struct vyx_routes;

/*
 * What is wrong with v[i]: `why`, and v[other], other = i when there is none.
 * Fatal ones end the build, else the build goes on.
 */
typedef void vyx_route_note(void *arg, size_t i, size_t other, const char *why,
    int fatal);

/*
 * Compile v[n]. Of two routes with the same host, method and pattern the last
 * wins, with a note. NULL: EINVAL (noted), E2BIG, ENOMEM. `note` may be NULL.
 */
struct vyx_routes *vyx_routes_build(const struct vyx_route_def *v, size_t n,
    vyx_route_note *note, void *arg);
void vyx_routes_free(struct vyx_routes *r);

enum vyx_route_got {
	VYX_ROUTE_NONE,    /* 404 */
	VYX_ROUTE_METHOD,  /* 405: the path has routes, see `allow` */
	VYX_ROUTE_UPGRADE, /* 426: only a WebSocket route is there */
	VYX_ROUTE_HIT,
};

struct vyx_route_query {
	struct vyx_str host; /* without port; empty: none */
	struct vyx_str path; /* canonical */
	enum vyx_method method;
	struct vyx_str method_name; /* looked at for VYX_METHOD_OTHER alone */
	int websocket;              /* it asks for an upgrade */
};

struct vyx_route_hit {
	/* HIT */
	void *user;
	size_t index;           /* of the definition in v[] */
	struct vyx_str pattern; /* as in the table; lives as long as it */
	int websocket;          /* a WS route: pass the upgrade on */
	unsigned nparam;
	struct {
		struct vyx_str name;  /* lives as long as the table */
		struct vyx_str value; /* in query->path, still encoded */
	} param[VYX_ROUTE_PARAMS];

	/* METHOD: for vyx_route_allow() */
	uint64_t allow;
};

enum vyx_route_got vyx_route_match(const struct vyx_routes *r,
    const struct vyx_route_query *q, struct vyx_route_hit *hit);

/*
 * The value of Allow for a hit of VYX_ROUTE_METHOD ("GET, HEAD, POST") into
 * buf[cap]; its length. What does not fit is left out by whole names.
 */
size_t vyx_route_allow(const struct vyx_routes *r,
    const struct vyx_route_hit *hit, char *buf, size_t cap);

#endif
