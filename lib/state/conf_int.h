/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_CONF_INT_H
#define VYX_STATE_CONF_INT_H

#include "state/conf.h"

/*
 * conf_int - what the files of conf share:
 *
 *	conf_value.c  one value, by its key's type
 *	conf_map.c    a mapping of variables, or of header fields
 *	conf.c	      sections and workers of vyx.yaml
 *	conf_check.c  what one value alone cannot show
 *	conf_policy.c what the gateway does with requests, for all and by route
 *	conf_route.c  routes of both files
 *	conf_form.c   each part of a route in its one form
 *	conf_table.c  the routes against one another
 */

struct vyx_conf_where {
	struct vyx_doc *doc;
	const char *shown;       /* "workers[3].", "" */
	struct vyx_str id;       /* of the worker, for messages */
	const char *table;       /* "workers[].", "" */
	struct vyx_conf_val *v;  /* of this scope */
	enum vyx_conf_key first; /* v[0] is this key's */
	struct vyx_conf *conf;
};
/* Read the mapping `map` into w->v; a null keeps the defaults. */
void vyx_conf_section(const struct vyx_conf_where *w,
    const struct vyx_doc_node *map);
/* Defaults of the keys of [from, to). */
void vyx_conf_defaults(struct vyx_notes *notes, struct vyx_conf_val *v,
    enum vyx_conf_key from, enum vyx_conf_key to);
/* One value; key k. */
void vyx_conf_value(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o);
/* The same of a mapping: of variables, of header fields. */
void vyx_conf_env(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o);
void vyx_conf_pairs(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o);
/* Whether a route may set or remove the header field `name`; else noted. */
int vyx_conf_field(struct vyx_doc *d, unsigned line, const char *key,
    struct vyx_str name);
/* The key as the file has it, for notes: "workers[2].env". It lives as long
 * as the calling block. */
#define VYX_KEY_OF(w, k) vyx_conf_shown((char[200]){ 0 }, 200, (w), (k))
const char *vyx_conf_shown(char *into, size_t size,
    const struct vyx_conf_where *w, enum vyx_conf_key k);
/* Room in *v for a text of each node in `o`, none there yet; NULL: no memory. */
struct vyx_str *vyx_conf_list(const struct vyx_conf_where *w,
    struct vyx_conf_val *v, const struct vyx_doc_node *o);
void vyx_conf_check_globals(struct vyx_conf *c);
void vyx_conf_check_workers(struct vyx_conf *c);
/* gateway.*, jwt.* and cors.*: what their values must be. */
void vyx_conf_check_policy(struct vyx_conf *c);
/* The columns policy, limits and headers of a settled route, from r->v. */
void vyx_conf_route_policy(struct vyx_conf *c, struct vyx_conf_route *r);
/* Bring a route that was read into its final form. */
void vyx_conf_settle(struct vyx_conf *c, struct vyx_conf_route *r,
    struct vyx_str *methods, size_t n, const char *roles_name);
/* Notes on routes[i] of c->routes: duplicates, patterns that cannot be. */
void vyx_conf_check_routes(struct vyx_conf *c);

#endif
