/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/plan_int.h"

void
vyx_plan_table_left(struct vyx_plan *p, struct vyx_plan_table *t)
{
	if (--t->refs)
		return;
	for (size_t i = 0; i < t->n; i++) {
		vyx_plan_worker_left(p, t->target[i].worker);
		vyx_policy_left(t->target[i].policy);
		vyx_plan_schema_left(t->target[i].schema);
	}
	vyx_routes_free(t->routes);
	free(t);
}

static int
by_key(const void *a, const void *b)
{
	return vyx_str_cmp((*(struct row *const *)a)->key,
	    (*(struct row *const *)b)->key);
}

/* All routes, in the order of their keys: the last of two alike wins. */
static struct row **
sorted(const struct vyx_plan_rows *s)
{
	struct row **v = calloc(s->routes + 1, sizeof(struct row *));
	size_t n = 0;

	for (size_t b = 0; v && b < PLAN_BUCKETS; b++)
		for (struct row *e = s->bucket[b]; e; e = e->next)
			if (e->table == VYX_T_ROUTE)
				v[n++] = e;
	if (v)
		qsort(v, n, sizeof(struct row *), by_key);
	return v;
}

struct notes {
	struct vyx_plan *p;
	struct row **v;
};

static void
note(void *arg, size_t i, size_t other, const char *why, int fatal)
{
	struct notes *n = arg;

	if (n->p->on_note)
		n->p->on_note(n->p, n->v[i]->key, n->v[other]->key, why, fatal);
}

/* A table of all route rows; NULL: they cannot be one. */
static struct vyx_plan_table *
compile(struct vyx_plan *p)
{
	size_t n = p->rows->routes;
	struct notes notes = { p, sorted(p->rows) };
	struct vyx_route_def *def = calloc(n + 1, sizeof *def);
	struct vyx_plan_table *t =
	    calloc(1, sizeof *t + n * sizeof t->target[0]);

	if (notes.v && def && t) {
		t->refs = 1;
		for (size_t i = 0; i < n; i++) {
			const struct row *e = notes.v[i];

			t->target[i].worker = e->worker;
			t->target[i].policy = e->policy;
			def[i] = (struct vyx_route_def){ e->key, e->host,
				e->methods, e->path, &t->target[i] };
		}
		t->routes = vyx_routes_build(def, n, note, &notes);
	}
	if (t && (!notes.v || !def || !t->routes)) {
		free(t);
		t = NULL;
	}
	for (size_t i = 0; t && i < n; i++) {
		struct vyx_plan_target *a = &t->target[t->n++];

		a->worker->refs++;
		a->policy->refs++;
		a->schema = vyx_plan_schema_get(p, a->policy->validate);
		if (a->policy->validate.n && (!a->schema || !a->schema->schema))
			vyx_plan_note(p, a->policy->key,
			    "its schema cannot be used: bodies are refused", 1);
	}
	free(notes.v);
	free(def);
	return t;
}

int
vyx_plan_commit(struct vyx_plan *p, uint64_t now)
{
	struct vyx_plan_table *t, *old = p->table;

	p->now = now;
	if (!vyx_plan_set_commit(p))
		return 0;
	vyx_plan_schema_commit(p);
	if (!p->dirty && old)
		return 1;
	if (!(t = compile(p)))
		return 0;
	p->dirty = 0;
	p->table = t;
	if (old)
		vyx_plan_table_left(p, old);
	return 1;
}
