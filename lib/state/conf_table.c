/* SPDX-License-Identifier: ISC */
/* conf_table - the routes as one table: the router's own compiler says which
 * patterns cannot be, and which routes stand twice. */
#include <errno.h>
#include <stdlib.h>

#include "state/conf_int.h"
#include "state/route.h"

/* One definition a route and method, so that each duplicate is told by name.
 */
struct table {
	struct vyx_conf *c;
	struct vyx_route_def *defs;
	struct entry {
		struct vyx_conf_route *r;
		size_t method;
	} * entries;
	size_t n;
	int again; /* something fatal was taken out */
};

static void
note(void *arg, size_t i, size_t other, const char *why, int fatal)
{
	struct table *t = arg;
	struct entry *e = &t->entries[i], *o = &t->entries[other], *swap;

	if (fatal) {
		vyx_doc_error(e->r->doc, e->r->line, e->r->key, "%s", why);
		e->r->n_methods = 0;
		t->again = 1;
		return;
	}
	if (i == other) {
		vyx_doc_warn(e->r->doc, e->r->line, e->r->key, "%s", why);
		return;
	}
	if (i < other) {
		swap = e;
		e = o;
		o = swap;
	}
	vyx_doc_warn(e->r->doc, e->r->line, e->r->key,
	    "%.*s of the same host and path is routed in %s:%u too: this one "
	    "is used",
	    (int)e->r->methods[e->method].n, e->r->methods[e->method].p,
	    o->r->doc->file, o->r->line);
	o->r->methods[o->method].n = 0;
}

static void
fill(struct table *t)
{
	t->n = 0;
	for (size_t i = 0; i < t->c->n_routes; i++) {
		struct vyx_conf_route *r = &t->c->routes[i];

		for (size_t m = 0; r->path.n && m < r->n_methods; m++) {
			if (!r->methods[m].n)
				continue;
			t->entries[t->n] = (struct entry){ r, m };
			t->defs[t->n++] = (struct vyx_route_def){
				.host = r->host,
				.methods = r->methods[m],
				.path = r->path,
			};
		}
	}
}

/* Take out the methods that a later route took over. */
static void
sweep(struct vyx_conf *c)
{
	for (size_t i = 0; i < c->n_routes; i++) {
		struct vyx_conf_route *r = &c->routes[i];
		size_t n = 0;

		for (size_t m = 0; m < r->n_methods; m++)
			if (r->methods[m].n)
				r->methods[n++] = r->methods[m];
		r->n_methods = n;
	}
}

void
vyx_conf_check_routes(struct vyx_conf *c)
{
	struct table t = { .c = c };
	struct vyx_routes *built;
	size_t max = 0;

	for (size_t i = 0; i < c->n_routes; i++)
		max += c->routes[i].n_methods;
	t.defs = calloc(max + 1, sizeof *t.defs);
	t.entries = calloc(max + 1, sizeof *t.entries);
	/* each round takes out the one route that ended it; 20 such errors
	 * are enough for one run */
	for (int round = 0; t.defs && t.entries && round < 20; round++) {
		t.again = 0;
		fill(&t);
		built = vyx_routes_build(t.defs, t.n, note, &t);
		if (!built && !t.again)
			vyx_doc_error(&c->map, 1, "routes",
			    "the table cannot be built: %s", strerror(errno));
		vyx_routes_free(built);
		if (!t.again)
			break;
	}
	if (!t.defs || !t.entries)
		vyx_doc_error(&c->map, 1, "", "out of memory");
	free(t.defs);
	free(t.entries);
	sweep(c);
}
