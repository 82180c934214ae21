/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_PLAN_H
#define VYX_STATE_PLAN_H

#include "state/policy.h"
#include "state/route.h"
#include "state/schema.h"
#include "state/window.h"
#include "wire/rec.h"

/*
 * plan - what the registry wants of a router: its settings, the workers, and
 * the route table of each commit.
 *
 * Owns	    a copy of the rows it needs; workers and tables, as long as
 *	    anybody refers to them: what is in flight keeps its own.
 * Needs    the router's window; time in ns with each call; malloc.
 * Returns  1 when done; 0 when refused, errno says why.
 * Cost	    a row: one hash. A commit: nothing, but all routes are compiled
 *	    anew when one has changed; a schema when it comes.
 */

/* Settings; D is in ms and kept in ns, B bytes, N a number. The defaults hold
 * until the registry has been heard, and are those of vyx.yaml(5).
 *	  member	  unit key			   default */
/* clang-format off */
#define VYX_PLAN_SETTINGS(X) \
	X(header_timeout, D, "gateway.header_timeout",	   10000) \
	X(body_timeout,	  D, "gateway.body_timeout",	   30000) \
	X(body_min_rate,  B, "gateway.body_min_rate",	   256) \
	X(write_timeout,  D, "gateway.write_timeout",	   30000) \
	X(answer_timeout, D, "gateway.answer_timeout",	   300000) \
	X(idle_timeout,	  D, "gateway.idle_timeout",	   60000) \
	X(tunnel_timeout, D, "gateway.tunnel_timeout",	   3600000) \
	X(drain_timeout,  D, "gateway.drain_timeout",	   30000) \
	X(max_head,	  B, "gateway.max_head",	   16384) \
	X(max_per_client, N, "gateway.max_connections_per_client", 1024) \
	X(global_timeout, D, "security.global_timeout",	   30000) \
	X(payload_max,	  B, "security.payload_max_size",  1048576) \
	X(max_fields,	  N, "gateway.max_fields",	   100) \
	X(security_headers, N, "security.headers",	   1) \
	X(schema_formats, N, "security.schema_formats",	   0) \
	X(per_ip,	  N, "security.rate_limit.per_ip", VYX_POLICY_OFF) \
	X(per_token,	  N, "security.rate_limit.per_token", VYX_POLICY_OFF) \
	X(failures,	  N, "security.circuit_breaker.failures", 5) \
	X(cooldown,	  D, "security.circuit_breaker.cooldown", 30000) \
	X(half_open_max,  N, "security.circuit_breaker.half_open_max", 3) \
	X(jwt_require_exp, N, "jwt.require_exp",	   1) \
	X(jwt_leeway,	  D, "jwt.leeway",		   0) \
	X(cors_credentials, N, "cors.credentials",	   0) \
	X(cors_max_age,	  D, "cors.max_age",		   600000)

/* Those that are texts; a list is its items with a blank between two. */
#define VYX_PLAN_TEXTS(X) \
	X(access_log,	    "gateway.access_log",	"json") \
	X(trusted_proxies,  "gateway.trusted_proxies",	"") \
	X(anonymous_role,   "security.anonymous_role",	"") \
	X(jwt_secret_env,   "security.jwt_secret_env",	"JWT_SECRET") \
	X(jwt_algorithm,    "jwt.algorithm",		"") \
	X(jwt_secret_file,  "jwt.secret_file",		"") \
	X(jwt_public_key_file, "jwt.public_key_file",	"") \
	X(jwt_jwks_file,    "jwt.jwks_file",		"") \
	X(jwt_issuer,	    "jwt.issuer",		"") \
	X(jwt_audience,	    "jwt.audience",		"") \
	X(cors_origins,	    "cors.origins",		"") \
	X(cors_methods,	    "cors.methods", "GET HEAD POST PUT PATCH DELETE") \
	X(cors_headers,	    "cors.headers", "Authorization Content-Type") \
	X(cors_expose,	    "cors.expose",		"")
/* clang-format on */

struct vyx_plan_settings {
#define X(member, unit, key, value) uint64_t member;
	VYX_PLAN_SETTINGS(X)
#undef X
};

struct vyx_plan_texts {
#define X(member, key, value) struct vyx_buf member;
	VYX_PLAN_TEXTS(X)
#undef X
};

/* One that stands in a worker's line. */
struct vyx_plan_place {
	struct vyx_plan_place *next, **prev;
};

struct vyx_plan_worker {
	struct vyx_plan_worker *next;
	struct vyx_wworker *window;
	char id[VYX_POOL_W + 1];
	unsigned refs;
	int present;        /* its row is there */
	unsigned endpoints; /* those that are up */
	unsigned draining;  /* those that finish what they have */
	int denied; /* vyx-poold says that none is, since the last one came */
	uint64_t wait_ns;
	uint64_t connections; /* max-size by replicas */

	/* The router's own: requests whose content is still to come. */
	unsigned placed; /* those that may have a connection */
	struct vyx_plan_place *line, **line_end; /* those that may not yet */
};

/* A schema's row; `schema` NULL: it cannot be used. */
struct vyx_plan_schema {
	struct vyx_plan_schema *next;
	unsigned refs;
	struct vyx_schema *schema;
	int formats; /* it was compiled with them as assertions */
	struct vyx_str name, text;
};

/* One route, compiled. */
struct vyx_plan_target {
	struct vyx_plan_worker *worker;
	struct vyx_policy *policy;
	struct vyx_plan_schema *schema; /* NULL: there is none of that name */
};

/* The routes of one commit; never changed. */
struct vyx_plan_table {
	unsigned refs;
	size_t n;
	struct vyx_routes *routes; /* `user` is a struct vyx_plan_target */
	struct vyx_plan_target target[];
};

struct vyx_plan {
	struct vyx_window *window;
	/* A route is not as it should be. May be NULL. */
	void (*on_note)(struct vyx_plan *p, struct vyx_str route,
	    struct vyx_str other, const char *why, int fatal);
	/* A router's slot became ready, or not; a listener's row. */
	void (*on_slot)(struct vyx_plan *p, unsigned slot, int ready);
	void (*on_listener)(struct vyx_plan *p, struct vyx_str addr, int tls);

	struct vyx_plan_settings set;    /* of the last commit */
	struct vyx_plan_settings coming; /* of the next */
	struct vyx_plan_texts text, text_coming;
	unsigned changes; /* commits in which a setting changed */
	int changed;
	struct vyx_plan_schema *schemas;
	struct vyx_plan_worker *workers;
	struct vyx_plan_table *table; /* NULL: none yet */
	struct vyx_plan_rows *rows;
	int dirty;    /* a route changed */
	uint64_t now; /* of the call */
};

/* window and the calls are set before. */
int vyx_plan_start(struct vyx_plan *p);

void vyx_plan_put(struct vyx_plan *p, const struct vyx_rec *row, uint64_t now);
void vyx_plan_del(struct vyx_plan *p, enum vyx_table t, struct vyx_str key,
    uint64_t now);
/* 0: the routes cannot be compiled; those of before stay. */
int vyx_plan_commit(struct vyx_plan *p, uint64_t now);

/* What vyx-poold says of a worker. */
void vyx_plan_said(struct vyx_plan *p, struct vyx_str worker, int up);

/* Whether a request may wait for a connection to it. */
int vyx_plan_up(const struct vyx_plan_worker *w);

/* Connections that all workers together may have. */
uint64_t vyx_plan_connections(const struct vyx_plan *p);

/* Give a reference back. */
void vyx_plan_worker_left(struct vyx_plan *p, struct vyx_plan_worker *w);
void vyx_plan_table_left(struct vyx_plan *p, struct vyx_plan_table *t);

#endif
