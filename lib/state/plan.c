/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/plan_int.h"

static struct row **
find(struct vyx_plan_rows *s, enum vyx_table t, struct vyx_str key)
{
	static const uint8_t none[16];
	struct row **e =
	    &s->bucket[vyx_hash(none, key.p, key.n) % PLAN_BUCKETS];

	while (*e && ((*e)->table != t || !vyx_str_eq((*e)->key, key)))
		e = &(*e)->next;
	return e;
}

/* ---- workers ---------------------------------------------------------- */

static struct vyx_plan_worker *
worker_find(const struct vyx_plan *p, struct vyx_str id)
{
	struct vyx_plan_worker *w = p->workers;

	while (w && !vyx_str_eq(VYX_STRZ(w->id), id))
		w = w->next;
	return w;
}

static struct vyx_plan_worker *
worker_get(struct vyx_plan *p, struct vyx_str id)
{
	struct vyx_plan_worker *w = worker_find(p, id);

	if (w)
		return w;
	if (!id.n || id.n > VYX_POOL_W || !(w = calloc(1, sizeof *w)))
		return NULL;
	memcpy(w->id, id.p, id.n);
	if (!(w->window = vyx_window_worker(p->window, id, 0, 1024))) {
		free(w);
		return NULL;
	}
	w->next = p->workers;
	return p->workers = w;
}

/* Forget one that nothing names any more. */
static void
worker_forget(struct vyx_plan *p, struct vyx_plan_worker *w)
{
	struct vyx_plan_worker **at = &p->workers;

	if (w->refs || w->present)
		return;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	vyx_window_worker_del(p->window, w->window, p->now);
	free(w);
}

void
vyx_plan_worker_left(struct vyx_plan *p, struct vyx_plan_worker *w)
{
	w->refs--;
	worker_forget(p, w);
}

/* vyx-poold knows best; before it has spoken the registry is believed. */
int
vyx_plan_up(const struct vyx_plan_worker *w)
{
	return w->present &&
	    (vyx_window_up(w->window) || (w->endpoints && !w->denied));
}

void
vyx_plan_said(struct vyx_plan *p, struct vyx_str worker, int up)
{
	struct vyx_plan_worker *w = worker_find(p, worker);

	if (w)
		w->denied = !up;
}

uint64_t
vyx_plan_connections(const struct vyx_plan *p)
{
	uint64_t n = 0;

	for (struct vyx_plan_worker *w = p->workers; w; w = w->next)
		n += w->present ? w->connections : 0;
	return n;
}

static void
worker_put(struct vyx_plan *p, const struct vyx_rec *v)
{
	struct vyx_str id = vyx_rec_str(v, VYX_F_KEY);
	struct vyx_plan_worker *w = worker_get(p, id);
	uint64_t n = vyx_rec_u(v, VYX_F_REPLICAS);

	if (!w)
		return;
	w->present = 1;
	w->wait_ns = vyx_rec_u(v, VYX_F_WAIT_MS) * 1000000;
	w->connections = vyx_rec_u(v, VYX_F_MAX_SIZE) * (n ? n : 1);
	vyx_window_worker(p->window, id,
	    vyx_str_eq(vyx_rec_str(v, VYX_F_STRATEGY), VYX_STR("least-loaded")),
	    (uint32_t)vyx_rec_u(v, VYX_F_MAX_WAITING));
}

static void
worker_gone(struct vyx_plan *p, struct vyx_str id)
{
	struct vyx_plan_worker *w = worker_find(p, id);

	if (!w)
		return;
	w->present = 0;
	worker_forget(p, w);
}

/* ---- rows ------------------------------------------------------------- */

static void
endpoint(struct vyx_plan *p, struct row *e, int up, uint32_t max)
{
	if (!e->flag && !up)
		return;
	if (up && !e->flag) {
		e->worker->endpoints++;
		e->worker->denied = 0;
	} else if (!up)
		e->worker->endpoints--;
	e->flag = up;
	vyx_window_endpoint(p->window, e->worker->window, e->key, up, max,
	    p->now);
}

static void
row_free(struct vyx_plan *p, struct row *e)
{
	if (e->table == VYX_T_ENDPOINT) {
		endpoint(p, e, 0, 0);
		e->worker->draining -= (unsigned)e->draining;
	}
	if (e->table == VYX_T_PROC)
		p->on_slot(p, (unsigned)e->flag, 0);
	if (e->table == VYX_T_ROUTE)
		p->rows->routes--;
	vyx_policy_left(e->policy);
	if (e->worker)
		vyx_plan_worker_left(p, e->worker);
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

void
vyx_plan_note(struct vyx_plan *p, struct vyx_str key, const char *why,
    int fatal)
{
	if (p->on_note)
		p->on_note(p, key, key, why, fatal);
}

/* A route that cannot be used takes its requests all the same. */
static void
route_new(struct vyx_plan *p, struct row *e, const struct vyx_rec *v)
{
	const char *why = "its worker has no name";

	if (e->worker)
		e->policy = vyx_policy_new(v, &why);
	if (e->policy)
		return;
	vyx_plan_note(p, e->key, why, 1);
	e->policy = vyx_policy_refusing(e->key);
	if (!e->worker)
		e->worker = worker_get(p, VYX_STR("-"));
}

static struct row *
row_new(struct vyx_plan *p, const struct vyx_rec *v)
{
	char list[VYX_REC_FIELDS * 33]; /* the most that a record holds */
	struct vyx_str key = vyx_rec_str(v, VYX_F_KEY),
	               host = vyx_rec_str(v, VYX_F_HOST),
	               path = vyx_rec_str(v, VYX_F_PATH),
	               m = methods(v, list, sizeof list);
	struct row *e = malloc(sizeof *e + key.n + host.n + path.n + m.n);
	char *room;

	if (!e)
		return NULL;
	room = (char *)(e + 1);
	*e = (struct row){ .table = v->table };
	e->key = keep(&room, key);
	e->host = keep(&room, host);
	e->path = keep(&room, path);
	e->methods = keep(&room, m);
	if (v->table == VYX_T_PROC)
		return e;
	e->worker = worker_get(p, vyx_rec_str(v, VYX_F_WORKER));
	if (v->table == VYX_T_ROUTE)
		route_new(p, e, v);
	if (!e->worker || (v->table == VYX_T_ROUTE && !e->policy)) {
		vyx_policy_left(e->policy);
		free(e);
		return NULL;
	}
	e->worker->refs++;
	return e;
}

/* What else a new row means; `old` is the one whose place it takes. */
static void
row_begins(struct vyx_plan *p, struct row *e, struct row *old,
    const struct vyx_rec *v)
{
	if (e->table == VYX_T_ROUTE) {
		p->rows->routes++;
		if (old)
			vyx_breaker_adopt(&e->policy->breaker,
			    &old->policy->breaker);
	}
	if (e->table == VYX_T_ENDPOINT) {
		if (old && old->worker == e->worker) {
			e->flag = old->flag;
			old->flag = 0;
		}
		endpoint(p, e, vyx_rec_state(v) == VYX_S_UP,
		    (uint32_t)vyx_rec_u(v, VYX_F_MAX));
		e->draining = vyx_rec_state(v) == VYX_S_DRAINING;
		e->worker->draining += (unsigned)e->draining;
	}
	if (e->table == VYX_T_PROC)
		e->flag = (int)vyx_rec_u(v, VYX_F_SLOT);
}

static void
row_put(struct vyx_plan *p, const struct vyx_rec *v)
{
	struct vyx_str key = vyx_rec_str(v, VYX_F_KEY);
	struct row **at = find(p->rows, v->table, key);
	struct row *e = row_new(p, v), *old = *at;

	if (!e) {
		vyx_plan_note(p, key, "row cannot be used, or no memory", 1);
		return;
	}
	e->next = old ? old->next : NULL;
	*at = e;
	row_begins(p, e, old, v);
	if (old)
		row_free(p, old);
	if (e->table == VYX_T_PROC)
		p->on_slot(p, (unsigned)e->flag,
		    vyx_rec_state(v) == VYX_S_READY);
}

/* ---- the edge --------------------------------------------------------- */

void
vyx_plan_put(struct vyx_plan *p, const struct vyx_rec *v, uint64_t now)
{
	struct vyx_str key = vyx_rec_str(v, VYX_F_KEY);

	p->now = now;
	switch (v->table) {
	case VYX_T_SETTING:
		vyx_plan_set_put(p, key, vyx_rec_str(v, VYX_F_VALUE));
		break;
	case VYX_T_SCHEMA:
		vyx_plan_schema_put(p, key, vyx_rec_str(v, VYX_F_TEXT));
		break;
	case VYX_T_LISTENER:
		p->on_listener(p, key, vyx_rec_u(v, VYX_F_TLS) != 0);
		break;
	case VYX_T_WORKER:
		worker_put(p, v);
		break;
	case VYX_T_PROC:
		if (vyx_str_eq(vyx_rec_str(v, VYX_F_PROGRAM),
		        VYX_STR("vyx-route")))
			row_put(p, v);
		break;
	case VYX_T_ROUTE:
		p->dirty = 1;
		/* FALLTHROUGH */
	case VYX_T_ENDPOINT:
		row_put(p, v);
		break;
	default:
		break;
	}
}

void
vyx_plan_del(struct vyx_plan *p, enum vyx_table t, struct vyx_str key,
    uint64_t now)
{
	struct row **at, *e;

	p->now = now;
	if (t == VYX_T_SETTING)
		vyx_plan_set_gone(p, key);
	else if (t == VYX_T_SCHEMA)
		vyx_plan_schema_gone(p, key);
	else if (t == VYX_T_WORKER)
		worker_gone(p, key);
	else if ((e = *(at = find(p->rows, t, key))) != NULL) {
		*at = e->next;
		row_free(p, e);
		p->dirty |= t == VYX_T_ROUTE;
	}
}

int
vyx_plan_start(struct vyx_plan *p)
{
	vyx_plan_set_gone(p, VYX_STR(""));
	return vyx_plan_set_commit(p) &&
	    (p->rows = calloc(1, sizeof *p->rows)) != NULL;
}
