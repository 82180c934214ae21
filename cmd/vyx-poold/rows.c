/* SPDX-License-Identifier: ISC */
/* rows - what regd says of workers, endpoints and routers, applied at each
 * commit; and our rows `use`, told as states, never as events. */
#include <stdlib.h>

#include "poold.h"

#define SOURCE "pool"
#define ASKED 48   /* requests under way; the registry takes 64 */
#define FDS_OWN 96 /* sockets of ours, peers, and a reserve */

static struct worker *
worker_of(const struct poold *d, struct vyx_str id)
{
	struct worker *w = d->workers;

	while (w && !vyx_str_eq(VYX_STRZ(w->id), id))
		w = w->next;
	return w;
}

static struct endpoint *
endpoint_of(const struct poold *d, struct vyx_str i)
{
	struct endpoint *e = d->endpoints;

	while (e && !vyx_str_eq(VYX_STRZ(e->i), i))
		e = e->next;
	return e;
}

static void
copy(char *to, struct vyx_str s)
{
	memcpy(to, s.p, s.n); /* the map's maxima are the arrays' */
	to[s.n] = 0;
}

static void
put_worker(struct poold *d, const struct vyx_rec *r, struct vyx_str key)
{
	struct worker *w = worker_of(d, key);

	if (key.n > VYX_POOL_W)
		return;
	if (!w) {
		if (!(w = calloc(1, sizeof *w)))
			vyx_die_sys(VYX_SYSTEM, "cannot keep a worker");
		copy(w->id, key);
		w->next = d->workers;
		d->workers = w;
	}
	w->idle_ms = vyx_rec_u(r, VYX_F_IDLE_MS);
	w->explicit = (int)vyx_rec_u(r, VYX_F_MIN_IDLE_EXPLICIT);
	for (struct endpoint *e = d->endpoints; e; e = e->next)
		e->changed |= vyx_str_eq(VYX_STRZ(e->w), key);
	if (!vyx_pool_worker(d->pool, key, w->idle_ms, d->loop.now))
		vyx_log_sys(VYX_ERROR, "worker not taken", "worker", w->id,
		    NULL);
}

static void
del_worker(struct poold *d, struct vyx_str key)
{
	for (struct worker **at = &d->workers, *w; (w = *at); at = &w->next)
		if (vyx_str_eq(VYX_STRZ(w->id), key)) {
			*at = w->next;
			free(w);
			break;
		}
	vyx_pool_worker_del(d->pool, key, d->loop.now);
}

static void
put_endpoint(struct poold *d, const struct vyx_rec *r, struct vyx_str key)
{
	struct vyx_str path = vyx_rec_str(r, VYX_F_PATH);
	enum vyx_state state = vyx_rec_state(r);
	struct endpoint *e = endpoint_of(d, key);

	if (key.n > VYX_POOL_I || path.n > VYX_PATH_MAX) {
		vyx_log(VYX_ERROR, "endpoint not taken: name too long", NULL);
		return;
	}
	if (!e) {
		if (!(e = calloc(1, sizeof *e)))
			vyx_die_sys(VYX_SYSTEM, "cannot keep an endpoint");
		e->d = d;
		copy(e->i, key);
		copy(e->w, vyx_rec_str(r, VYX_F_WORKER));
		e->next = d->endpoints;
		d->endpoints = e;
	}
	copy(e->path, path);
	e->conf =
	    (struct vyx_pool_conf){ .max = (uint32_t)vyx_rec_u(r, VYX_F_MAX),
		    .min = (uint32_t)vyx_rec_u(r, VYX_F_WARM),
		    .tunnels = (uint32_t)vyx_rec_u(r, VYX_F_TUNNELS),
		    .draining = state == VYX_S_DRAINING };
	e->gone = state == VYX_S_DOWN;
	e->changed = 1;
}

static void
put_router(struct poold *d, const struct vyx_rec *r, struct vyx_str key)
{
	struct router *q;

	if (!vyx_str_eq(vyx_rec_str(r, VYX_F_PROGRAM), VYX_STR("vyx-route")) ||
	    key.n >= sizeof q->name)
		return;
	for (q = d->routers; q; q = q->next)
		if (vyx_str_eq(VYX_STRZ(q->name), key))
			return;
	if (!(q = calloc(1, sizeof *q)))
		vyx_die_sys(VYX_SYSTEM, "cannot keep a router");
	copy(q->name, key);
	q->next = d->routers;
	d->routers = q;
}

static void
del_router(struct poold *d, struct vyx_str key)
{
	for (struct router **at = &d->routers, *q; (q = *at); at = &q->next)
		if (vyx_str_eq(VYX_STRZ(q->name), key)) {
			*at = q->next;
			free(q);
			return;
		}
}

static void
put(struct vyx_reg *g, const struct vyx_rec *r)
{
	struct poold *d = VYX_OF(g, struct poold, reg);
	struct vyx_str key = vyx_rec_str(r, VYX_F_KEY);

	if (r->table == VYX_T_WORKER)
		put_worker(d, r, key);
	else if (r->table == VYX_T_ENDPOINT)
		put_endpoint(d, r, key);
	else
		put_router(d, r, key);
}

static void
del(struct vyx_reg *g, enum vyx_table t, struct vyx_str key)
{
	struct poold *d = VYX_OF(g, struct poold, reg);
	struct endpoint *e;

	if (t == VYX_T_WORKER)
		del_worker(d, key);
	else if (t == VYX_T_PROC)
		del_router(d, key);
	else if ((e = endpoint_of(d, key)) != NULL)
		e->gone = e->changed = 2;
}

static int ask_use(struct poold *d, struct endpoint *e, enum vyx_verb verb);

/* An instance that is down is no instance to the module; its row stays. */
static void
apply(struct poold *d, struct endpoint *e)
{
	const struct worker *w = worker_of(d, VYX_STRZ(e->w));

	e->changed = 0;
	if (e->gone) {
		if (e->inst)
			vyx_pool_endpoint_del(d->pool, VYX_STRZ(e->i),
			    d->loop.now);
		e->inst = NULL;
		return;
	}
	if (!w && !e->conf.draining)
		return; /* its row comes, or the endpoint's goes */
	/* a worker that is gone is waited for until its instances are empty */
	e->conf.explicit = w ? (uint8_t)w->explicit : 0;
	e->inst = vyx_pool_endpoint(d->pool, VYX_STRZ(e->w), VYX_STRZ(e->i),
	    &e->conf, e, d->loop.now);
	if (!e->inst)
		vyx_log_sys(VYX_ERROR, "endpoint not taken", "instance", e->i,
		    NULL);
}

/* What the rows can ask for must fit; said once for each worse figure. */
static void
count_fds(struct poold *d)
{
	uint64_t want = FDS_OWN;

	for (const struct endpoint *e = d->endpoints; e; e = e->next)
		want += e->conf.max + e->conf.tunnels;
	if (want > d->fds_may && want > d->fds_want)
		vyx_log(VYX_ERROR,
		    "too few descriptors for all connections that max_size "
		    "and tunnels allow: raise RLIMIT_NOFILE or lower them",
		    "limit", VYX_NUM(d->fds_may), "wanted", VYX_NUM(want),
		    NULL);
	d->fds_want = want;
}

static void
commit(struct vyx_reg *g, uint64_t rev)
{
	struct poold *d = VYX_OF(g, struct poold, reg);

	(void)rev;
	for (struct endpoint **at = &d->endpoints, *e; (e = *at) != NULL;) {
		if (e->changed)
			apply(d, e);
		if (e->gone != 2 || (e->told && !ask_use(d, e, VYX_V_DEL))) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		free(e);
	}
	count_fds(d);
	rows_settle(d);
	vyx_prog_ready(&d->opt);
	poold_touch(d);
}

void
rows_settle(struct poold *d)
{
	/* without a row of a router regd is new itself: wait out the time */
	if (d->settled || !d->reg.synced || !d->routers)
		return;
	for (const struct router *q = d->routers; q; q = q->next)
		if (!peers_held(d, q->name))
			return;
	d->settled = 1;
	vyx_pool_settle(d->pool, d->loop.now);
}

static void
answered(void *arg, const struct vyx_rec *r)
{
	struct poold *d = arg;

	d->asked--;
	if (r && r->verb == VYX_V_NO)
		vyx_log(VYX_ERROR, "registry refused a row", NULL);
	poold_touch(d);
}

static int
send_it(struct poold *d, struct vyx_rec_out *o)
{
	if (!vyx_reg_send(&d->reg, o, answered, d))
		return 0;
	d->asked++;
	return 1;
}

static int
ask_use(struct poold *d, struct endpoint *e, enum vyx_verb verb)
{
	struct vyx_rec_out o;

	if (!d->reg.up)
		return 1; /* the next sync tells what there is */
	o = vyx_reg_ask(&d->reg, verb);
	vyx_rec_putz(&o, VYX_F_TABLE, "use");
	vyx_rec_putz(&o, VYX_F_KEY, e->i);
	if (verb == VYX_V_PUT) {
		vyx_rec_putz(&o, VYX_F_SOURCE, SOURCE);
		vyx_rec_putu(&o, VYX_F_DRAINED, (uint64_t)e->drained);
		vyx_rec_putu(&o, VYX_F_DOWN, (uint64_t)e->down);
	}
	return send_it(d, &o);
}

void
rows_tell(struct poold *d)
{
	struct vyx_rec_out o;

	if (!d->reg.up)
		return;
	for (struct endpoint *e = d->endpoints; e; e = e->next) {
		if (!e->dirty)
			continue;
		if (d->asked >= ASKED || !ask_use(d, e, VYX_V_PUT))
			return; /* an answer brings us back */
		e->dirty = 0;
		e->told = 1;
	}
	if (!d->syncing || d->asked >= ASKED)
		return;
	o = vyx_reg_ask(&d->reg, VYX_V_SYNCED);
	if (send_it(d, &o))
		d->syncing = 0;
}

static void
link_up(struct vyx_reg *g, int up)
{
	struct poold *d = VYX_OF(g, struct poold, reg);
	struct vyx_rec_out o;

	if (!up)
		return;
	o = vyx_reg_ask(g, VYX_V_SYNC);
	vyx_rec_putz(&o, VYX_F_SOURCE, SOURCE);
	if (!send_it(d, &o))
		return;
	for (struct endpoint *e = d->endpoints; e; e = e->next)
		e->dirty |= e->drained || e->down;
	d->syncing = 1;
	poold_touch(d);
}

static void
mark(struct endpoint *e)
{
	e->dirty = 1;
	poold_touch(e->d);
}

void
rows_drained(void *arg, void *endpoint)
{
	struct endpoint *e = endpoint;

	(void)arg;
	e->drained = 1;
	mark(e);
}

void
rows_up(void *arg, void *endpoint, int up, int error)
{
	struct endpoint *e = endpoint;

	(void)arg;
	e->down = !up;
	vyx_log(up ? VYX_INFO : VYX_WARN,
	    up ? "instance takes connections" : "instance refuses connections",
	    "instance", e->i, "error", error ? strerror(error) : "", NULL);
	mark(e);
}

void
rows_serial(void *arg, void *endpoint, int serial)
{
	struct endpoint *e = endpoint;

	(void)arg;
	e->serial = serial;
	if (serial)
		vyx_log(VYX_WARN,
		    "instance answers on one connection at a time: set "
		    "max_size: 1 for it",
		    "instance", e->i, NULL);
}

void
rows_start(struct poold *d)
{
	static const struct vyx_reg_ops ops = { put, del, commit, link_up };

	d->reg = (struct vyx_reg){ .loop = &d->loop,
		.ops = &ops,
		.name = "pool",
		.role = "vyx-poold",
		.edge = VYX_E_SEEN,
		.tables = 1U << VYX_T_WORKER | 1U << VYX_T_ENDPOINT |
		    1U << VYX_T_PROC };
	if (!vyx_reg_start(&d->reg, d->run))
		vyx_die_sys(VYX_SYSTEM, "cannot watch the registry");
}
