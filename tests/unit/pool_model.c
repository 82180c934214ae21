/* SPDX-License-Identifier: ISC */
/*
 * pool_model - the whole edge between vyx-poold and the routers at random:
 * the real modules on both sides, a simulated kernel between them.
 *
 * P1  open connections of an instance never exceed its max, seen from the
 *     kernel; but for a router stopped over a restart of poold
 * P2  a connection has one borrower and one exchange
 * P3  no waiter is left while its worker has an idle connection
 * P4  without faults, a request overtakes an older one of another router by
 *     3 ms and three delays, 999 times of 1000; never one of its own router
 * P5  at rest, poold's table = the routers' = the kernel's
 * P6  at rest with room, each router has its `low` idle ones
 * P8  what a dead router had is free at once (by P5, and P3 of the others)
 *
 * Not here: P7 and P9 (unit/pool, unit/window).
 *
 * VYX_SEEDS=n runs n seeds (default 40), VYX_SEED=n that one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Rules are taken out of the real code: it is compiled in here. */
static int vyx_mutant;
#define VYX_MUTANT vyx_mutant
#include "state/pool.c"
#include "state/pool_class.c"
#include "state/pool_in.c"
#include "state/pool_serve.c"
#include "state/pool_table.c"
#include "state/pool_tell.c"
#include "state/pool_turn.c"
#include "state/window.c"
#include "state/window_edge.c"
#include "state/window_out.c"
#include "state/window_table.c"

#include "pool_sim.h"

#define INSTS 8
#define EXCHS 4096

struct inst {
	int exists, draining, down, drained;
	char id[16];
	struct vyx_pool_conf conf;
};

struct exch {
	int used, router, retries;
	struct vyx_waiter waiter;
	struct vyx_wconn *conn;
	uint64_t since;
	uint32_t gen;
	uint64_t service;
};

/* Which faults; RESTARTS: of poold, and routers stopped over them. */
enum { NONE, ALL, RESTARTS };

static struct inst insts[INSTS];
static struct exch exchs[EXCHS];
static int ninsts, routers, faults, resting, serial_worker;
static int exempt; /* P1: a router was stopped over a restart of poold */
static uint64_t served, overtakes, late, worst;
static double rate; /* requests a ms and router */
static uint64_t service_max;
static uint32_t shown_max;

/* ---- the worker ---- */

/* One that reads a single connection at a time: the oldest. */
static struct kc *
oldest(int inst)
{
	struct kc *best = NULL;
	int k;

	for (k = 0; k < KCS; k++)
		if (kcs[k].inst == inst && kc_live(&kcs[k]) &&
		    (!best || kcs[k].born < best->born))
			best = &kcs[k];
	return best;
}

static void
answer_later(struct exch *e)
{
	post(now + e->service / 2, EV_BYTE, (int)(e - exchs), 0, e->gen);
	post(now + e->service, EV_ANSWER, (int)(e - exchs), 0, e->gen);
}

static void
worker_next(int inst)
{
	struct kc *k;
	int x;

	if (!serial_worker || !(k = oldest(inst)))
		return;
	for (x = 0; x < EXCHS; x++)
		if (exchs[x].used && exchs[x].conn && exchs[x].service &&
		    exchs[x].conn->fd >= 0 &&
		    fds[exchs[x].conn->fd].kc == (int)(k - kcs)) {
			answer_later(&exchs[x]);
			exchs[x].service = 0; /* posted */
		}
}

static void
end_exchange(struct exch *e)
{
	if (e->conn)
		kcs[fds[e->conn->fd].kc].users--;
	e->conn = NULL;
	e->used = 0;
	e->gen++;
}

static void
begin_exchange(struct exch *e, struct vyx_wconn *c)
{
	struct kc *k = &kcs[fds[c->fd].kc];

	c->user = e;
	e->conn = c;
	if (k->users++)
		broke("P2", "two exchanges on connection %ju", (uintmax_t)c->c);
	served++;
	e->gen++;
	e->service = 20 * US + rnd(service_max);
	if (chance(0.002))
		e->service += 120 * MS;
	vyx_window_sent(procs[e->router].win, c, now);
	if (!kc_live(k))
		return; /* its hang-up is on the way */
	if (!serial_worker || oldest(k->inst) == k) {
		answer_later(e);
		e->service = 0;
	}
	if (chance(0.01))
		post(now + rnd(2 * service_max), EV_ABORT, (int)(e - exchs), 0,
		    e->gen);
}

/* ---- P4: who is older and waits elsewhere? ---- */

static void
check_overtake(struct exch *e)
{
	uint64_t by, most = 0;
	int x;

	if (faults || serial_worker)
		return;
	for (x = 0; x < EXCHS; x++) {
		if (!exchs[x].used || exchs[x].conn || &exchs[x] == e ||
		    !exchs[x].waiter.worker || exchs[x].since >= e->since)
			continue;
		by = e->since - exchs[x].since;
		if (by > most)
			most = by;
		if (exchs[x].router == e->router)
			broke("P4", "an older request of the same router");
		if (by > 30 * MS)
			broke("P4", "overtaken by %ju us",
			    (uintmax_t)(by / US));
	}
	overtakes += most > 0;
	late += most > 3 * MS + 3 * delay_max;
	if (most > worst)
		worst = most;
}

/* ---- a router's callbacks ---- */

static int
r_dial(void *arg)
{
	struct proc *r = arg;
	int id = nedges;

	if (!procs[0].alive || nedges == EDGES)
		return 0;
	memset(&edges[id], 0, sizeof edges[id]);
	edges[id].router = (int)(r - procs);
	r->edge = nedges++;
	post(now + US, EV_ACCEPT, id, 0, 0);
	return 1;
}

static int
r_send(void *arg, const struct vyx_pool_msg *m, int fd)
{
	return edge_send(((struct proc *)arg)->edge, 0, m, fd);
}

static int
r_adopt(void *arg, struct vyx_wconn *c)
{
	struct fd *f = &fds[c->fd];

	f->proc = (int)((struct proc *)arg - procs);
	f->conn = c;
	if (kcs[f->kc].wclosed || kcs[f->kc].shut)
		post(now + US, EV_HUP, c->fd, 0, f->gen);
	return 1;
}

static void
r_let(void *arg, struct vyx_wconn *c, int how)
{
	struct kc *k = &kcs[fds[c->fd].kc];

	(void)arg;
	if (how == SHUT_RDWR)
		kc_shutdown(k);
	else if (how == SHUT_WR) {
		k->shut_wr = 1;
		post(now + rnd(chance(0.9) ? 20 * MS : 3000 * MS), EV_LETGO,
		    (int)(k - kcs), 0, (uint32_t)k->born);
	}
	fd_close(c->fd);
}

static void
r_serve(void *arg, struct vyx_waiter *q, struct vyx_wconn *c)
{
	struct exch *e = VYX_OF(q, struct exch, waiter);

	(void)arg;
	check_overtake(e);
	begin_exchange(e, c);
}

static void
r_expire(void *arg, struct vyx_waiter *q)
{
	(void)arg;
	end_exchange(VYX_OF(q, struct exch, waiter));
}

static const struct vyx_window_ops r_ops = { r_dial, r_send, r_adopt, r_let,
	r_serve, r_expire };

/* ---- poold's callbacks ---- */

static void check_p1(int inst);

static int
p_dial(void *arg, void *user)
{
	struct inst *i = user;
	int fd;

	(void)arg;
	if (i->down || !i->exists) {
		errno = ECONNREFUSED;
		return -1;
	}
	if (faults && chance(0.005)) {
		errno = chance(0.5) ? EAGAIN : EMFILE;
		return -1;
	}
	fd = fd_new(kc_new((int)(i - insts)), 0);
	check_p1((int)(i - insts));
	return fd;
}

static int
p_watch(void *arg, struct vyx_pconn *c, int how)
{
	struct fd *f = &fds[c->fd];

	(void)arg;
	f->how = how;
	f->conn = c;
	if (how && (kcs[f->kc].wclosed || kcs[f->kc].shut))
		post(now + US, EV_HUP, c->fd, 0, f->gen);
	return 1;
}

static void
p_end(void *arg, struct vyx_pconn *c)
{
	(void)arg;
	kc_shutdown(&kcs[fds[c->fd].kc]);
	fd_close(c->fd);
}

static int
p_send(void *arg, void *peer, const struct vyx_pool_msg *m, int fd)
{
	(void)arg;
	return edge_send((int)((struct edge *)peer - edges), 1, m, fd);
}

static void
p_cut(void *arg, void *peer, const char *why)
{
	struct edge *e = peer;

	(void)arg;
	if (!procs[e->router].stopped)
		broke("cut", "a live router: %s", why);
	e->peer = NULL;
	edge_close((int)(e - edges), 0);
}

static void
p_drained(void *arg, void *user)
{
	(void)arg;
	((struct inst *)user)->drained = 1;
}

static void
p_up(void *arg, void *user, int up, int error)
{
	(void)arg;
	(void)user;
	(void)up;
	(void)error;
}

static void
p_serial(void *arg, void *user, int serial)
{
	(void)arg;
	(void)user;
	if (serial && !serial_worker)
		broke("class", "taken for serial");
}

static const struct vyx_pool_ops p_ops = { p_dial, p_watch, p_end, p_send,
	p_cut, p_drained, p_up, p_serial };

/* ---- rows ---- */

static void
rows_to_router(struct proc *r)
{
	int i;

	for (i = 0; i < ninsts; i++)
		vyx_window_endpoint(r->win, r->worker, VYX_STRZ(insts[i].id),
		    insts[i].exists && !insts[i].draining, insts[i].conf.max,
		    now);
}

static void
row_to_pool(struct inst *i)
{
	struct vyx_pool *p = procs[0].pool;

	i->conf.draining = i->draining != 0;
	if (i->exists)
		vyx_pool_endpoint(p, VYX_STR("w"), VYX_STRZ(i->id), &i->conf, i,
		    now);
	else
		vyx_pool_endpoint_del(p, VYX_STRZ(i->id), now);
}

static void
rows_changed(void)
{
	int i;

	if (procs[0].alive)
		for (i = 0; i < ninsts; i++)
			row_to_pool(&insts[i]);
	for (i = 1; i <= routers; i++)
		if (procs[i].alive)
			rows_to_router(&procs[i]);
}

/* ---- births and deaths ---- */

static void
birth(int id)
{
	struct proc *r = &procs[id];
	char name[24];

	if (r->alive)
		return;
	memset(r, 0, sizeof *r);
	r->alive = 1;
	if (id == 0) {
		r->pool = vyx_pool_new(&p_ops, r, (now / MS + 1) << 20,
		    rnd(1 << 30), now);
		vyx_pool_worker(r->pool, VYX_STR("w"),
		    faults == RESTARTS || serial_worker ? 0 : 200, now);
		rows_changed();
		post(now + MS, EV_SETTLE, 0, 0, 0);
		for (id = 1; id <= routers; id++)
			exempt |= procs[id].stopped > now;
		return;
	}
	snprintf(name, sizeof name, "route.%d", id);
	r->win = vyx_window_new(&r_ops, r, VYX_P_ROUTE, name, (uint32_t)id);
	r->worker = vyx_window_worker(r->win, VYX_STR("w"), (int)rnd(2), 60);
	rows_to_router(r);
}

static void
death(int id)
{
	struct proc *r = &procs[id];
	int k;

	if (!r->alive)
		return;
	r->alive = 0;
	r->died = now;
	for (k = 0; k < nedges; k++)
		if (id == 0 || edges[k].router == id)
			edge_close(k, id != 0);
	for (k = 0; k < EXCHS && id; k++)
		if (exchs[k].used && exchs[k].router == id) {
			vyx_window_cancel(r->win, &exchs[k].waiter);
			end_exchange(&exchs[k]);
		}
	/* the kernel closes what it had; nothing is shut down */
	for (k = 0; k < FDS; k++)
		if (fds[k].kc >= 0 && fds[k].proc == id) {
			int kc = fds[k].kc;

			fd_close(k);
			if (!kcs[kc].used)
				kcs[kc].refs = 0;
		}
	if (id == 0) {
		vyx_pool_free(r->pool);
		for (k = 0; k < nedges; k++)
			edges[k].peer = NULL;
	} else {
		while (r->win->all) {
			r->win->all->fd = -1;
			vyx_wconn_part(r->win->all, TELL_GIVE, 0, -1);
		}
		vyx_window_free(r->win);
		r->win = NULL;
	}
}

#include "pool_run.h"

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calm),
		cmocka_unit_test(fair),
		cmocka_unit_test(storms),
		cmocka_unit_test(restarts),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(without_report),
		cmocka_unit_test(without_fifo),
		cmocka_unit_test(without_settle),
		cmocka_unit_test(without_shutdown),
		cmocka_unit_test(without_mark),
		cmocka_unit_test(without_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
