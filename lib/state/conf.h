/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_CONF_H
#define VYX_STATE_CONF_H

#include <stdint.h>

#include "state/conf_doc.h"
#include "state/conf_keys.h"

/*
 * conf - what vyx.yaml and route_map.json say, checked.
 *
 * Owns	    the meaning of both files. Reads no file: bytes in, values and
 *	    notes out.
 * Needs    malloc. vyx_conf_yaml() first, then vyx_conf_routes() once.
 * Returns  nothing: the notes tell. c->notes.errors > 0: do not use it.
 * Cost	    linear, but for lists of 1,000 at most.
 *
 * Sources: contracts/vyx.md 1 and 2, vyx.yaml(5).
 */

#define VYX_CONF_WORKERS 1000
#define VYX_CONF_ROUTES 10000
#define VYX_CONF_METHODS 16 /* of a route */
#define VYX_CONF_ROLES 32   /* of a route: a row holds 64 fields */
#define VYX_CONF_ENV 32     /* of a worker */
#define VYX_CONF_ID 64      /* bytes of a worker's id */
#define VYX_CONF_FIELDS 32  /* header fields that a route sets and removes */

/* clang-format off */
#define VYX_ID(id, ...) VYX_K_##id,
enum vyx_conf_key {
	VYX_CONF_KEYS(VYX_ID) VYX_K_COUNT,
	VYX_K_WORKER = VYX_K_W_ID, /* the first of each scope */
	VYX_K_ROUTE = VYX_K_R_PATH
};
#undef VYX_ID
enum {
	VYX_K_WORKERS = VYX_K_ROUTE - VYX_K_WORKER,
	VYX_K_ROUTES = VYX_K_COUNT - VYX_K_ROUTE
};
enum vyx_conf_type { VYX_STR_KEY, VYX_INT_KEY, VYX_DUR_KEY, VYX_SIZE_KEY,
	VYX_WORD_KEY, VYX_LIST_KEY, VYX_ENV_KEY, VYX_BOOL_KEY, VYX_PAIRS_KEY };
/* clang-format on */

struct vyx_conf_keydef {
	const char *path;
	enum vyx_conf_type type;
	const char *def, *range, *feeds, *doc;
};
extern const struct vyx_conf_keydef vyx_conf_keys[VYX_K_COUNT];

struct vyx_conf_val {
	struct vyx_str text;  /* STR, WORD */
	int64_t num;          /* INT; DUR in ns; SIZE in bytes; BOOL 1, 0 */
	struct vyx_str *list; /* LIST; ENV as NAME=value or NAME; PAIRS as
	                       * NAME: value */
	size_t n;
	unsigned line; /* 0: the default */
	int off;       /* its block is the word `off` */
};

struct vyx_conf_worker {
	unsigned line;
	size_t at; /* workers[at] */
	struct vyx_conf_val v[VYX_K_WORKERS];
	const struct vyx_doc_node *routes;
};

struct vyx_conf_route {
	struct vyx_doc *doc;
	unsigned line;
	const char *key; /* "workers[0].routes[2]", "routes[7]" */
	struct vyx_str host, path, worker, validate, type;
	struct vyx_str *methods, *roles; /* METHODS: what later ones left */
	size_t n_methods, n_roles;
	struct vyx_str policy, limits, headers; /* as its row has them */
	const struct vyx_conf_val
	    *v; /* from VYX_K_ROUTE on; NULL: of the map */
};

struct vyx_conf {
	struct vyx_notes notes;
	struct vyx_doc yaml, map;
	struct vyx_conf_val v[VYX_K_WORKER];
	int rate_limit; /* the block is there */
	struct vyx_conf_worker *workers;
	size_t n_workers;
	struct vyx_conf_route *routes;
	size_t n_routes;
};

/* Read vyx.yaml. `file`: as notes name it; `src`: as rows do. */
void vyx_conf_yaml(struct vyx_conf *c, const char *file, const char *src,
    struct vyx_str bytes);

/*
 * Read the routes: those of route_map.json (bytes.p NULL: there is none) and
 * those under the workers, later ones over earlier ones.
 */
void vyx_conf_routes(struct vyx_conf *c, const char *file, const char *src,
    struct vyx_str bytes);

void vyx_conf_free(struct vyx_conf *c);

static inline const struct vyx_conf_val *
vyx_conf_worker_val(const struct vyx_conf_worker *w, enum vyx_conf_key k)
{
	return &w->v[k - VYX_K_WORKER];
}

/* The worker `id`; NULL: none. */
const struct vyx_conf_worker *vyx_conf_worker(const struct vyx_conf *c,
    struct vyx_str id);

/* Whether `s` is a word that a worker may be named by. */
int vyx_conf_id_ok(struct vyx_str s);

#endif
