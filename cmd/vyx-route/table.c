/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "router.h"

/* The copy of vyx-regd's rows, and the route table compiled of it. */

#define BUCKETS 4096

struct row {
	struct row *next;
	enum vyx_table table;
	int flag; /* ROUTE: has roles; ENDPOINT: is up; PROC: the slot */
	struct worker *worker;
	struct vyx_str key, host, methods, path; /* behind this struct */
};

struct rows {
	struct row *bucket[BUCKETS];
	size_t routes;
};

struct rows *
rows_new(void)
{
	return calloc(1, sizeof(struct rows));
}

static struct row **
find(struct rows *s, enum vyx_table t, struct vyx_str key)
{
	static const uint8_t none[16];
	struct row **p = &s->bucket[vyx_hash(none, key.p, key.n) % BUCKETS];

	while (*p && ((*p)->table != t || !vyx_str_eq((*p)->key, key)))
		p = &(*p)->next;
	return p;
}

/* ---- workers ---------------------------------------------------------- */

static struct worker *
worker_get(struct router *r, struct vyx_str id)
{
	struct worker *w;

	for (w = r->workers; w; w = w->next)
		if (vyx_str_eq(VYX_STRZ(w->id), id))
			return w;
	if (!id.n || id.n > VYX_POOL_W || !(w = calloc(1, sizeof *w)))
		return NULL;
	memcpy(w->id, id.p, id.n);
	if (!(w->window = vyx_window_worker(r->window, id, 0, 1024))) {
		free(w);
		return NULL;
	}
	w->next = r->workers;
	return r->workers = w;
}

/* Forget one that nothing names any more. */
static void
worker_forget(struct router *r, struct worker *w)
{
	struct worker **p = &r->workers;

	if (w->refs || w->present)
		return;
	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	vyx_window_worker_del(r->window, w->window, r->loop.now);
	pool_touch(r);
	free(w);
}

void
worker_left(struct router *r, struct worker *w)
{
	w->refs--;
	worker_forget(r, w);
}

/* vyx-poold knows best; before it has spoken the registry is believed. */
int
worker_up(const struct worker *w)
{
	return w->present &&
	    (vyx_window_up(w->window) || (w->endpoints && !w->denied));
}

void
worker_said(struct router *r, struct vyx_str id, int up)
{
	for (struct worker *w = r->workers; w; w = w->next)
		if (vyx_str_eq(VYX_STRZ(w->id), id))
			w->denied = !up;
}

static void
worker_put(struct router *r, const struct vyx_rec *v)
{
	struct vyx_str id = vyx_rec_str(v, VYX_F_KEY);
	struct worker *w = worker_get(r, id);
	uint64_t n = vyx_rec_u(v, VYX_F_REPLICAS);

	if (!w)
		return;
	w->present = 1;
	w->wait_ns = vyx_rec_u(v, VYX_F_WAIT_MS) * VYX_MS;
	w->connections = vyx_rec_u(v, VYX_F_MAX_SIZE) * (n ? n : 1);
	vyx_window_worker(r->window, id,
	    vyx_str_eq(vyx_rec_str(v, VYX_F_STRATEGY), VYX_STR("least-loaded")),
	    (uint32_t)vyx_rec_u(v, VYX_F_MAX_WAITING));
	pool_touch(r);
}

static void
worker_gone(struct router *r, struct vyx_str id)
{
	for (struct worker *w = r->workers; w; w = w->next)
		if (vyx_str_eq(VYX_STRZ(w->id), id)) {
			w->present = 0;
			worker_forget(r, w);
			return;
		}
}

static void
endpoint(struct router *r, struct row *e, int up)
{
	if (e->flag == up)
		return;
	e->flag = up;
	if (up) {
		e->worker->endpoints++;
		e->worker->denied = 0;
	} else
		e->worker->endpoints--;
	vyx_window_endpoint(r->window, e->worker->window, e->key, up,
	    r->loop.now);
	pool_touch(r);
}

/* ---- rows ------------------------------------------------------------- */

static void
row_free(struct router *r, struct row *e)
{
	if (e->table == VYX_T_ENDPOINT)
		endpoint(r, e, 0);
	if (e->table == VYX_T_PROC && (size_t)e->flag < SLOTS)
		r->slot_ready[e->flag] = 0;
	if (e->table == VYX_T_ROUTE)
		r->rows->routes--;
	if (e->worker)
		worker_left(r, e->worker);
	free(e);
}

static struct vyx_str
keep(char **room, struct vyx_str s)
{
	struct vyx_str kept = { *room, s.n };

	if (s.n)
		memcpy(*room, s.p, s.n);
	*room += s.n;
	return kept;
}

/* The methods of a route as one list. */
static struct vyx_str
methods(const struct vyx_rec *v, char *out, size_t cap)
{
	size_t n = 0;

	for (unsigned i = vyx_rec_next(v, VYX_F_METHOD, 0); i < v->n;
	     i = vyx_rec_next(v, VYX_F_METHOD, i + 1)) {
		if (n + v->f[i].v.n + 1 > cap)
			break;
		memcpy(out + n, v->f[i].v.p, v->f[i].v.n);
		n += v->f[i].v.n;
		out[n++] = ' ';
	}
	return (struct vyx_str){ out, n };
}

static struct row *
row_new(struct router *r, const struct vyx_rec *v)
{
	char list[VYX_REC_FIELDS * 33];
	struct vyx_str key = vyx_rec_str(v, VYX_F_KEY),
	               host = vyx_rec_str(v, VYX_F_HOST),
	               path = vyx_rec_str(v, VYX_F_PATH),
	               m = methods(v, list, sizeof list);
	struct row *e = malloc(sizeof *e + key.n + host.n + path.n + m.n);
	char *room = (char *)(e + 1);

	if (!e)
		return NULL;
	*e = (struct row){ .table = v->table };
	e->key = keep(&room, key);
	e->host = keep(&room, host);
	e->path = keep(&room, path);
	e->methods = keep(&room, m);
	if (v->table == VYX_T_PROC)
		return e;
	if (!(e->worker = worker_get(r, vyx_rec_str(v, VYX_F_WORKER)))) {
		free(e);
		return NULL;
	}
	e->worker->refs++;
	return e;
}

static void
warn_validate(const struct row *e)
{
	char key[256];

	snprintf(key, sizeof key, "%.*s", (int)e->key.n, e->key.p);
	vyx_log(VYX_WARN, "bodies pass without validation", "route", key, NULL);
}

static void
row_put(struct router *r, const struct vyx_rec *v)
{
	struct row **p = find(r->rows, v->table, vyx_rec_str(v, VYX_F_KEY));
	struct row *e = row_new(r, v), *old = *p;
	int ready = vyx_rec_state(v) == VYX_S_READY;

	if (!e) {
		vyx_log(VYX_ERROR, "row not usable", "table",
		    vyx_rec_table_name(v->table), NULL);
		return;
	}
	e->next = old ? old->next : NULL;
	*p = e;
	if (v->table == VYX_T_ROUTE) {
		r->rows->routes++;
		e->flag = vyx_rec_has(v, VYX_F_ROLE);
		if (vyx_rec_str(v, VYX_F_VALIDATE).n)
			warn_validate(e);
	}
	if (v->table == VYX_T_ENDPOINT) {
		if (old && old->worker == e->worker) {
			e->flag = old->flag;
			old->flag = 0;
		} else if (old)
			endpoint(r, old, 0);
		endpoint(r, e, vyx_rec_state(v) == VYX_S_UP);
	}
	if (old)
		row_free(r, old);
	if (v->table == VYX_T_PROC) {
		e->flag = (int)vyx_rec_u(v, VYX_F_SLOT);
		if ((size_t)e->flag < SLOTS)
			r->slot_ready[e->flag] = (uint8_t)ready;
	}
}

static void
setting_put(struct router *r, struct vyx_str key, struct vyx_str value)
{
	uint64_t u;

	if (!vyx_dec_scan(value, UINT64_MAX / VYX_MS, &u))
		return;
#define D VYX_MS
#define B 1
#define N 1
#define X(member, unit, name, init)         \
	if (vyx_str_eq(key, VYX_STR(name))) \
		r->next_conf.member = u * unit;
	ROUTE_SETTINGS(X)
#undef X
}

static void
setting_gone(struct router *r, struct vyx_str key)
{
#define X(member, unit, name, init)                   \
	if (!key.n || vyx_str_eq(key, VYX_STR(name))) \
		r->next_conf.member = UINT64_C(init) * unit;
	ROUTE_SETTINGS(X)
#undef X
#undef D
#undef B
#undef N
}

void
rows_defaults(struct router *r)
{
	setting_gone(r, VYX_STR(""));
	r->conf = r->next_conf;
}

void
rows_put(struct router *r, const struct vyx_rec *v)
{
	switch (v->table) {
	case VYX_T_SETTING:
		setting_put(r, vyx_rec_str(v, VYX_F_KEY),
		    vyx_rec_str(v, VYX_F_VALUE));
		break;
	case VYX_T_WORKER:
		worker_put(r, v);
		break;
	case VYX_T_PROC:
		if (!vyx_str_eq(vyx_rec_str(v, VYX_F_PROGRAM),
		        VYX_STR("vyx-route")))
			break;
		/* FALLTHROUGH */
	case VYX_T_ROUTE:
	case VYX_T_ENDPOINT:
		row_put(r, v);
		r->routes_dirty |= v->table == VYX_T_ROUTE;
		break;
	default:
		break;
	}
}

void
rows_del(struct router *r, enum vyx_table t, struct vyx_str key)
{
	struct row **p, *e;

	if (t == VYX_T_SETTING)
		setting_gone(r, key);
	else if (t == VYX_T_WORKER)
		worker_gone(r, key);
	else if ((e = *(p = find(r->rows, t, key))) != NULL) {
		*p = e->next;
		row_free(r, e);
		r->routes_dirty |= t == VYX_T_ROUTE;
	}
}

/* ---- the table -------------------------------------------------------- */

void
table_drop(struct router *r, struct table *t)
{
	if (--t->refs)
		return;
	for (size_t i = 0; i < t->n; i++)
		worker_left(r, t->target[i].worker);
	vyx_routes_free(t->routes);
	free(t);
}

static int
by_key(const void *a, const void *b)
{
	return vyx_str_cmp((*(struct row *const *)a)->key,
	    (*(struct row *const *)b)->key);
}

static struct row **
sorted(const struct rows *s)
{
	struct row **v = calloc(s->routes + 1, sizeof *v);
	size_t n = 0;

	for (size_t b = 0; v && b < BUCKETS; b++)
		for (struct row *e = s->bucket[b]; e; e = e->next)
			if (e->table == VYX_T_ROUTE)
				v[n++] = e;
	if (v)
		qsort(v, n, sizeof(struct row *), by_key);
	return v;
}

static void
note(void *arg, size_t i, size_t other, const char *why, int fatal)
{
	struct row **v = arg;
	char key[256], than[256];

	snprintf(key, sizeof key, "%.*s", (int)v[i]->key.n, v[i]->key.p);
	snprintf(than, sizeof than, "%.*s", (int)v[other]->key.n,
	    v[other]->key.p);
	vyx_log(fatal ? VYX_ERROR : VYX_WARN, "route", "route", key, "other",
	    than, "why", why, NULL);
}

/* A table of all route rows; NULL: they cannot be one. */
static struct table *
compile(struct router *r)
{
	size_t n = r->rows->routes;
	struct row **v = sorted(r->rows);
	struct vyx_route_def *def = calloc(n + 1, sizeof *def);
	struct table *t = malloc(sizeof *t + n * sizeof t->target[0]);

	if (v && def && t) {
		t->refs = 1;
		t->n = 0;
		for (size_t i = 0; i < n; i++) {
			t->target[i].worker = v[i]->worker;
			t->target[i].roles = v[i]->flag;
			def[i] = (struct vyx_route_def){ v[i]->key, v[i]->host,
				v[i]->methods, v[i]->path, &t->target[i] };
		}
		t->routes = vyx_routes_build(def, n, note, v);
	}
	if (t && (!v || !def || !t->routes)) {
		free(t);
		t = NULL;
	}
	for (size_t i = 0; t && i < n; i++)
		t->target[t->n++].worker->refs++;
	free(v);
	free(def);
	return t;
}

void
rows_commit(struct router *r)
{
	struct table *t, *old = r->table;

	r->conf = r->next_conf;
	if (r->routes_dirty || !old) {
		if (!(t = compile(r))) {
			vyx_log_sys(VYX_ERROR, "routes kept as they were",
			    NULL);
			return;
		}
		r->routes_dirty = 0;
		r->table = t;
		if (old)
			table_drop(r, old);
	}
	listen_limits(r);
	listen_poll(r);
}
