/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_CONF_INT_H
#define VYX_STATE_CONF_INT_H

#include "state/conf.h"

/*
 * conf_int - what the files of conf share:
 *
 *	conf_value.c  one value, by its key's type
 *	conf.c	      sections and workers of vyx.yaml
 *	conf_check.c  what one value alone cannot show
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
void vyx_conf_defaults(struct vyx_conf_val *v, enum vyx_conf_key from,
    enum vyx_conf_key to);
/* One value; key k. */
void vyx_conf_value(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o);
void vyx_conf_check_globals(struct vyx_conf *c);
void vyx_conf_check_workers(struct vyx_conf *c);
/* Bring a route that was read into its final form. */
void vyx_conf_settle(struct vyx_conf *c, struct vyx_conf_route *r,
    struct vyx_str *methods, size_t n, const char *roles_name);
/* Notes on routes[i] of c->routes: duplicates, patterns that cannot be. */
void vyx_conf_check_routes(struct vyx_conf *c);

#endif
