/* SPDX-License-Identifier: ISC */
/* conf_route - the routes of route_map.json and of vyx.yaml. */
#include <stdio.h>

#include "state/conf_int.h"

/* The key a note names: "routes[3]" + ".path". */
static const char *
at(char *into, const struct vyx_conf_route *r, const char *name)
{
	snprintf(into, 100, "%s.%s", r->key, name);
	return into;
}
#define AT(name) at((char[100]){ 0 }, r, name)

static struct vyx_conf_route *
new_route(struct vyx_conf *c, struct vyx_doc *d, unsigned line,
    const char *prefix, size_t i)
{
	struct vyx_conf_route *r = &c->routes[c->n_routes];
	char key[64];
	int n = snprintf(key, sizeof key, "%sroutes[%zu]", prefix, i);
	char *p = vyx_notes_get(&c->notes, sizeof key);

	if (!p)
		return NULL;
	memcpy(p, key, (size_t)n);
	/* the place may have been that of a route given up */
	*r = (struct vyx_conf_route){ .doc = d, .line = line, .key = p };
	c->n_routes++;
	return r;
}

/* A member of a route in the map, its name in any case. A null is none. */
static const struct vyx_doc_node *
field(const struct vyx_doc_node *map, const char *name)
{
	const struct vyx_doc_node *got = NULL;

	for (const struct vyx_doc_node *o = map->child; o; o = o->next)
		if (vyx_str_caseeq(o->key, VYX_STRZ(name)))
			got = o;
	return got && got->kind != VYX_DOC_NULL ? got : NULL;
}

static struct vyx_str
text_field(const struct vyx_conf_route *r, const struct vyx_doc_node *map,
    const char *name)
{
	const struct vyx_doc_node *o = field(map, name);

	if (!o)
		return VYX_STR("");
	if (o->kind == VYX_DOC_STR)
		return o->text;
	vyx_doc_error(r->doc, o->line, AT(name), "must be a text, not %s",
	    vyx_doc_kind_name(o->kind));
	return VYX_STR("");
}

static void
map_roles(struct vyx_conf *c, struct vyx_conf_route *r,
    const struct vyx_doc_node *map)
{
	const struct vyx_doc_node *o = field(map, "auth_roles");

	if (!o)
		return;
	if (o->kind == VYX_DOC_LIST)
		r->roles =
		    vyx_notes_get(&c->notes, (o->n + 1) * sizeof *r->roles);
	for (o = r->roles ? o->child : o; o; o = o->next) {
		if (!r->roles || o->kind != VYX_DOC_STR) {
			vyx_doc_error(r->doc, o->line, AT("auth_roles"),
			    "must be a list of texts, not %s",
			    vyx_doc_kind_name(o->kind));
			return;
		}
		r->roles[r->n_roles++] = o->text;
	}
}

/* What to call instead of a worker that is not there. */
static const char *
names(const struct vyx_conf *c, char *into, size_t size)
{
	size_t n = 0;

	*into = 0;
	for (size_t i = 0; i < c->n_workers && n + 100 < size; i++) {
		struct vyx_str id = c->workers[i].v[0].text;

		n += (size_t)snprintf(into + n, size - n, "%s%s", n ? ", " : "",
		    VYX_SHOW(id));
		if (i == 7 && c->n_workers > 8 && n + 100 < size) {
			snprintf(into + n, size - n, " and %zu more",
			    c->n_workers - 8);
			break;
		}
	}
	return into;
}

static void
map_route(struct vyx_conf *c, const struct vyx_doc_node *o, size_t i)
{
	struct vyx_conf_route *r = new_route(c, &c->map, o->line, "", i);
	unsigned before = c->notes.errors;
	struct vyx_str verb;
	char list[700];

	if (!r)
		return;
	if (o->kind != VYX_DOC_MAP) {
		vyx_doc_error(&c->map, o->line, r->key,
		    "must be an object, not %s", vyx_doc_kind_name(o->kind));
		c->n_routes--;
		return;
	}
	r->path = text_field(r, o, "path");
	r->worker = text_field(r, o, "worker_id");
	r->validate = text_field(r, o, "validate");
	r->type = text_field(r, o, "type");
	verb = text_field(r, o, "method");
	map_roles(c, r, o);
	if (!verb.n) {
		vyx_doc_warn(&c->map, o->line, "",
		    "%s.method is missing: no request can match, ignored",
		    r->key);
		c->n_routes--;
		return;
	}
	if (!r->worker.n)
		vyx_doc_error(&c->map, o->line, "", "%s.worker_id is required",
		    r->key);
	else if (!vyx_conf_worker(c, r->worker))
		vyx_doc_error(&c->map, o->line, AT("worker_id"),
		    "%s is no worker of vyx.yaml: there are %s",
		    VYX_SHOW(r->worker),
		    c->n_workers ? names(c, list, sizeof list) : "none");
	if (r->type.n > 16) {
		vyx_doc_error(&c->map, o->line, AT("type"),
		    "must be api or page");
		r->type = VYX_STR("");
	}
	vyx_conf_settle(c, r, &verb, 1, "auth_roles");
	if (c->notes.errors > before)
		r->n_methods = 0; /* no more to be said of it */
}

static const struct vyx_doc_node *
map_routes(struct vyx_conf *c, struct vyx_str bytes)
{
	const struct vyx_doc_node *root = vyx_doc_json(&c->map, bytes), *list;

	if (!root)
		return NULL;
	if (root->kind != VYX_DOC_MAP) {
		vyx_doc_error(&c->map, root->line, "",
		    "must be an object {\"routes\": [...]}, not %s",
		    vyx_doc_kind_name(root->kind));
		return NULL;
	}
	if (!(list = field(root, "routes")))
		return NULL;
	if (list->kind == VYX_DOC_LIST)
		return list;
	vyx_doc_error(&c->map, list->line, "routes", "must be a list, not %s",
	    vyx_doc_kind_name(list->kind));
	return NULL;
}

static void
yaml_route(struct vyx_conf *c, const struct vyx_conf_worker *k,
    const struct vyx_doc_node *o, size_t i)
{
	struct vyx_conf_val *v;
	struct vyx_conf_route *r;
	char prefix[32], shown[64];
	struct vyx_conf_where w = { .doc = &c->yaml,
		.shown = shown,
		.table = "workers[].routes[].",
		.id = k->v[0].text,
		.first = VYX_K_ROUTE,
		.conf = c };
	const struct vyx_conf_val *who;
	unsigned before = c->notes.errors;

	snprintf(prefix, sizeof prefix, "workers[%zu].", k->at);
	snprintf(shown, sizeof shown, "%sroutes[%zu].", prefix, i);
	if (o->kind != VYX_DOC_MAP) {
		vyx_doc_error(&c->yaml, o->line, "",
		    "%sroutes[%zu] must be a mapping with path, not %s", prefix,
		    i, vyx_doc_kind_name(o->kind));
		return;
	}
	if (!(r = new_route(c, &c->yaml, o->line, prefix, i)) ||
	    !(v = vyx_notes_get(&c->notes, VYX_K_ROUTES * sizeof *v)))
		return;
	w.v = v;
	r->v = v;
	vyx_conf_defaults(&c->notes, v, VYX_K_ROUTE, VYX_K_COUNT);
	vyx_conf_section(&w, o);
	who = v[VYX_K_R_ROLES - VYX_K_ROUTE].line
	    ? &v[VYX_K_R_ROLES - VYX_K_ROUTE]
	    : &v[VYX_K_R_AUTH_ROLES - VYX_K_ROUTE];
	r->worker = k->v[0].text;
	r->path = v[0].text;
	r->host = v[VYX_K_R_HOST - VYX_K_ROUTE].text;
	r->validate = v[VYX_K_R_VALIDATE - VYX_K_ROUTE].text;
	r->type = v[VYX_K_R_TYPE - VYX_K_ROUTE].text;
	r->roles = who->list;
	r->n_roles = who->n;
	if (!r->path.n)
		vyx_doc_error(&c->yaml, o->line, "", "%s.path is required",
		    r->key);
	vyx_conf_settle(c, r, v[VYX_K_R_METHOD - VYX_K_ROUTE].list,
	    v[VYX_K_R_METHOD - VYX_K_ROUTE].n, "roles");
	vyx_conf_route_policy(c, r);
	if (c->notes.errors > before)
		r->n_methods = 0;
}

static void
yaml_routes(struct vyx_conf *c, const struct vyx_conf_worker *k)
{
	size_t i = 0;

	for (const struct vyx_doc_node *o = k->routes->child; o; o = o->next)
		yaml_route(c, k, o, i++);
}

/* How many there are under the workers; a block that is no list counts 0. */
static size_t
count(struct vyx_conf *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_workers; i++) {
		struct vyx_conf_worker *k = &c->workers[i];

		if (k->routes && k->routes->kind != VYX_DOC_LIST) {
			if (k->routes->kind != VYX_DOC_NULL)
				vyx_doc_error(&c->yaml, k->routes->line, "",
				    "workers[%zu].routes must be a list, not "
				    "%s",
				    k->at, vyx_doc_kind_name(k->routes->kind));
			k->routes = NULL;
		}
		n += k->routes ? k->routes->n : 0;
	}
	return n;
}

void
vyx_conf_routes(struct vyx_conf *c, const char *file, const char *src,
    struct vyx_str bytes)
{
	const struct vyx_doc_node *list = NULL;
	size_t n, i = 0;

	c->map =
	    (struct vyx_doc){ .file = file, .src = src, .notes = &c->notes };
	if (bytes.p)
		list = map_routes(c, bytes);
	n = count(c) + (list ? list->n : 0);
	if (n > VYX_CONF_ROUTES) {
		vyx_doc_error(&c->map, 1, "routes",
		    "%zu routes are too many: %d at most", n, VYX_CONF_ROUTES);
		return;
	}
	if (!(c->routes =
	            vyx_notes_get(&c->notes, (n + 1) * sizeof *c->routes)))
		return;
	for (const struct vyx_doc_node *o = list ? list->child : NULL; o;
	     o = o->next)
		map_route(c, o, i++);
	for (i = 0; i < c->n_workers; i++)
		if (c->workers[i].routes)
			yaml_routes(c, &c->workers[i]);
	vyx_conf_check_routes(c);
}
