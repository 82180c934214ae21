/* SPDX-License-Identifier: ISC */
#ifndef VYX_TESTS_POOL_RUN_H
#define VYX_TESTS_POOL_RUN_H

/*
 * pool_run - the turns of the model: what each event does, the faults, the
 * checks, and the tests. Part of pool_model.c alone.
 */

static int
asleep(int id)
{
	return !procs[id].alive || procs[id].stopped > now;
}

/* Does `e` have to wait until its process goes on? 1: it was put off. */
static int
put_off(int id, const struct event *e)
{
	if (procs[id].alive && procs[id].stopped > now) {
		post(procs[id].stopped, e->kind, e->a, e->b, e->gen);
		return 1;
	}
	return 0;
}

/* ---- requests ---- */

static void
try_again(struct exch *e)
{
	struct proc *r = &procs[e->router];
	struct vyx_wconn *c = vyx_window_take(r->win, r->worker, now);

	if (c) {
		check_overtake(e);
		begin_exchange(e, c);
		return;
	}
	e->waiter.since = e->since;
	e->waiter.deadline = resting ? NEVER : now + 10000 * MS;
	if (!vyx_window_wait(r->win, r->worker, &e->waiter, now))
		end_exchange(e);
}

/* ---- ejection ---- */

/* Its outcome is known. */
static void
result(struct exch *e, int good)
{
	struct proc *r = &procs[e->router];
	struct vyx_winst *i = e->conn->inst, *o;
	uint32_t up = 0, out = 0;
	int was = i->out;

	if (!vyx_window_result(r->win, e->conn, good, now))
		return;
	returns += was && !i->out;
	if (was || !i->out)
		return;
	ejections++;
	for (o = r->worker->insts; o; o = o->next) {
		up += o->up;
		out += o->up && o->out;
	}
	if (i->up ? out > up / 2 : out >= up)
		broke("eject", "%u of %u", out, up);
}

static int
well(const struct exch *e)
{
	/* for a while all are sick, then some, none, the others */
	static const uint8_t sick[] = { 3, 1, 0, 2 };
	unsigned which = 1u << kcs[fds[e->conn->fd].kc].inst % 2;

	return !ailing || !(sick[now / (100 * MS) % 4] & which) || chance(0.2);
}

static void
broken(struct exch *e)
{
	struct vyx_wconn *c = e->conn;
	int tries = e->retries++;

	result(e, 0);
	kcs[fds[c->fd].kc].users--;
	e->conn = NULL;
	e->gen++;
	vyx_window_drop(procs[e->router].win, c, VYX_POOL_RESET, now);
	if (tries < 2)
		try_again(e);
	else
		end_exchange(e);
}

static void
on_request(const struct event *ev)
{
	struct exch *e = exchs;

	if (resting)
		return;
	post(now + rnd((uint64_t)(2e6 / rate)), EV_REQUEST, ev->a, 0, 0);
	while (e < exchs + EXCHS && e->used)
		e++;
	if (asleep(ev->a) || procs[ev->a].draining || e == exchs + EXCHS)
		return;
	e->used = 1;
	e->gen++;
	e->router = ev->a;
	e->retries = 0;
	e->conn = NULL;
	e->since = now;
	e->waiter.worker = NULL;
	try_again(e);
	if (e->used && !e->conn && chance(0.01))
		post(now + rnd(5 * MS), EV_ABORT, (int)(e - exchs), 0, e->gen);
}

static void
on_answer(struct exch *e)
{
	struct vyx_window *win = procs[e->router].win;
	struct vyx_wconn *c = e->conn;
	struct kc *k = &kcs[fds[c->fd].kc];

	if (!kc_live(k))
		return;
	result(e, well(e));
	if (chance(0.03)) {
		vyx_window_says(win, c, 0);
		end_exchange(e);
		kc_wclose(k);
		vyx_window_drop(win, c, VYX_POOL_CLOSE, now);
		return;
	}
	if (chance(0.005) && !serial_worker && vyx_window_tunnel(win, c)) {
		k->tunnel = 1;
		post(now + rnd(100 * MS), EV_ABORT, (int)(e - exchs), 0,
		    e->gen);
		return;
	}
	vyx_window_says(win, c, 1);
	end_exchange(e);
	vyx_window_done(win, c, now);
}

static void
on_abort(struct exch *e)
{
	struct vyx_window *win = procs[e->router].win;
	struct vyx_wconn *c = e->conn;

	vyx_window_cancel(win, &e->waiter);
	end_exchange(e);
	if (c && c->state == VYX_S_TUNNEL)
		vyx_window_drop(win, c, VYX_POOL_CLOSE, now);
	else if (c)
		vyx_window_abort(win, c, now);
}

static void
on_exchange(const struct event *ev)
{
	struct exch *e = &exchs[ev->a];

	if (!e->used || e->gen != ev->gen || put_off(e->router, ev))
		return;
	if (ev->kind == EV_BYTE)
		vyx_window_byte(procs[e->router].win, e->conn);
	else if (ev->kind == EV_ANSWER)
		on_answer(e);
	else
		on_abort(e);
}

/* ---- the edge ---- */

static void
to_poold(struct edge *e, struct pkt *p)
{
	struct vyx_pool *pool = procs[0].pool;
	const char *why;
	int r = 2;

	if (e->peer && p->eof) {
		vyx_pool_peer_gone(pool, e->peer, now);
		e->peer = NULL;
		edge_close((int)(e - edges), 0);
	} else if (e->peer) {
		r = vyx_pool_record(pool, e->peer, &p->m, p->fd, now, &why);
		if (r == 0 && !e->closed[1])
			broke("protocol", "%s: %s",
			    vyx_rec_verb_name(p->m.verb), why);
	}
	if (r != 1 && p->fd >= 0)
		fd_close(p->fd);
}

static void
on_deliver(const struct event *ev)
{
	struct edge *e = &edges[ev->a];
	struct pipe *pipe = &e->to[ev->b];
	int id = ev->b ? e->router : 0;
	struct pkt p;

	if (!pipe->n || put_off(id, ev))
		return;
	p = pipe->q[pipe->head];
	pipe->head = (pipe->head + 1) % (QLEN + 2);
	pipe->n--;
	if (p.fd >= 0)
		fds[p.fd].proc = id;
	if (p.fd >= 0 && chance(id ? lose : lose / 10)) {
		fd_close(p.fd);
		p.fd = -1;
	}
	if (id == 0)
		to_poold(e, &p);
	else if (p.eof) {
		edge_close(ev->a, 1);
		vyx_window_down(procs[id].win, now);
	} else if (!vyx_window_record(procs[id].win, &p.m, p.fd, now))
		broke("protocol", "router refuses %s",
		    vyx_rec_verb_name(p.m.verb));
}

static void
on_accept(const struct event *ev)
{
	struct edge *e = &edges[ev->a];

	if (e->closed[0] || put_off(0, ev))
		return;
	e->peer = vyx_pool_peer(procs[0].pool, e, now);
	if (!e->peer)
		broke("peers", "no room");
}

static void
on_room(const struct event *ev)
{
	struct edge *e = &edges[ev->a];
	int id = ev->b ? 0 : e->router;

	if (!e->to[ev->b].want || e->closed[0] || e->closed[1] ||
	    put_off(id, ev))
		return;
	if (e->to[ev->b].n > QLEN / 2) {
		post(now + 100 * US, EV_ROOM, ev->a, ev->b, 0);
		return;
	}
	e->to[ev->b].want = 0;
	if (ev->b == 0)
		vyx_window_writable(procs[id].win);
	else if (e->peer)
		vyx_pool_writable(procs[0].pool, e->peer);
}

static void
on_hup(const struct event *ev)
{
	struct fd *f = &fds[ev->a];
	struct vyx_wconn *c = f->conn;

	if (f->kc < 0 || f->gen != ev->gen || f->proc < 0 || !f->conn ||
	    put_off(f->proc, ev))
		return;
	if (f->proc == 0) {
		if (f->how)
			vyx_pool_event(procs[0].pool, f->conn, now);
	} else if (c->state == VYX_S_IDLE)
		vyx_window_hangup(procs[f->proc].win, c, 0, now);
	else if (c->state == VYX_S_TUNNEL) {
		end_exchange(c->user);
		vyx_window_drop(procs[f->proc].win, c, VYX_POOL_EOF, now);
	} else
		broken(c->user);
}

/* ---- faults ---- */

static void
stop(int id, uint64_t how_long)
{
	procs[id].stopped = now + how_long;
	if (id && (!procs[0].alive || !procs[0].pool->settled))
		exempt = 1;
}

static void
restart_worker(struct inst *i)
{
	int k;

	i->down = 1;
	for (k = 0; k < KCS; k++)
		if (kcs[k].used && kcs[k].inst == i - insts)
			kc_wclose(&kcs[k]);
	post(now + rnd(100 * MS), EV_WORKER, (int)(i - insts), 0, 0);
}

/* A new instance beside an old one, which drains. */
static void
roll(void)
{
	struct inst *old = &insts[rnd((uint64_t)ninsts)], *i = &insts[ninsts];

	if (ninsts == INSTS || !old->exists || old->draining)
		return;
	*i = *old;
	snprintf(i->id, sizeof i->id, "w-%d#2", ninsts);
	ninsts++;
	old->draining = 1;
	rows_changed();
}

static void
bury_drained(void)
{
	int i;

	for (i = 0; i < ninsts; i++)
		if (insts[i].drained && insts[i].exists) {
			insts[i].exists = 0;
			rows_changed();
		}
}

/* A tunnel goes to a sibling, as at the end of a router. */
static void
move_tunnel(void)
{
	int x, to = 1 + (int)rnd((uint64_t)routers), fd;
	struct vyx_wconn *c;
	struct exch *e;
	char name[24];

	for (x = 0; x < EXCHS; x++) {
		e = &exchs[x];
		c = e->used ? e->conn : NULL;
		if (!c || c->state != VYX_S_TUNNEL || e->router == to ||
		    asleep(e->router) || asleep(to))
			continue;
		fd = fd_new(fds[c->fd].kc, to);
		snprintf(name, sizeof name, "route.%d", to);
		e->conn = vyx_window_inherit(procs[to].win, procs[to].worker,
		    vyx_window_inst(c), c->c, fd, VYX_S_TUNNEL, now);
		vyx_window_move(procs[e->router].win, c, VYX_STRZ(name), now);
		e->conn->user = e;
		e->router = to;
		return;
	}
}

static void
on_chaos(void)
{
	int r = 1 + (int)rnd((uint64_t)routers);

	if (resting)
		return;
	post(now + rnd(80 * MS), EV_CHAOS, 0, 0, 0);
	bury_drained();
	switch (faults == RESTARTS ? 1 + rnd(2) : rnd(10)) {
	case 0:
		death(r);
		post(now + rnd(300 * MS), EV_BIRTH, r, 0, 0);
		break;
	case 1:
		if (chance(faults == RESTARTS ? 0.8 : 0.3) && !asleep(r))
			stop(r, 500 * MS + rnd(5500 * MS));
		break;
	case 2:
		death(0);
		post(now + 3 * MS + rnd(chance(0.5) ? 5 * MS : 1000 * MS),
		    EV_BIRTH, 0, 0, 0);
		break;
	case 3:
		if (!asleep(0))
			stop(0, rnd(300 * MS));
		break;
	case 4:
		restart_worker(&insts[rnd((uint64_t)ninsts)]);
		break;
	case 5:
		roll();
		break;
	case 6:
		if (!asleep(r)) {
			vyx_window_bye(procs[r].win, now);
			procs[r].draining = 1;
		}
		break;
	case 7:
		move_tunnel();
		break;
	default:
		if (!asleep(r))
			stop(r, rnd(8 * MS));
	}
}

static void
on_settle(void)
{
	int r, k, n;

	if (!procs[0].alive || procs[0].pool->settled)
		return;
	for (r = 1; r <= routers; r++) {
		n = !procs[r].alive;
		for (k = 0; k < nedges; k++)
			n += edges[k].router == r && edges[k].peer &&
			    vyx_pool_peer_held(edges[k].peer);
		if (n == 0) {
			post(now + MS, EV_SETTLE, 0, 0, 0);
			return;
		}
	}
	vyx_pool_settle(procs[0].pool, now);
}

/* ---- the clock ---- */

static void
handle(const struct event *ev)
{
	switch (ev->kind) {
	case EV_DELIVER:
		on_deliver(ev);
		break;
	case EV_ACCEPT:
		on_accept(ev);
		break;
	case EV_ROOM:
		on_room(ev);
		break;
	case EV_HUP:
		on_hup(ev);
		break;
	case EV_REQUEST:
		on_request(ev);
		break;
	case EV_BYTE:
	case EV_ANSWER:
	case EV_ABORT:
		on_exchange(ev);
		break;
	case EV_LETGO:
		if (kcs[ev->a].used && (uint32_t)kcs[ev->a].born == ev->gen)
			kc_wclose(&kcs[ev->a]);
		break;
	case EV_CHAOS:
		on_chaos();
		break;
	case EV_BIRTH:
		birth(ev->a);
		break;
	case EV_WORKER:
		insts[ev->a].down = 0;
		rows_changed();
		break;
	default:
		on_settle();
	}
}

static uint64_t
due_of(int id)
{
	uint64_t due = !procs[id].alive ? NEVER
	    : id == 0                   ? vyx_pool_due(procs[0].pool)
	                                : vyx_window_due(procs[id].win);

	return due < procs[id].stopped ? procs[id].stopped : due;
}

static void
run_until(uint64_t end)
{
	struct event ev;
	uint64_t next;
	int id;

	while (!failed) {
		next = nheap ? heap[0].at : NEVER;
		for (id = 0; id <= routers; id++)
			if (due_of(id) < next)
				next = due_of(id);
		if (next > end)
			break;
		if (next > now)
			now = next;
		if (nheap && heap[0].at <= now) {
			ev = next_event();
			handle(&ev);
		}
		for (id = 0; id <= routers; id++)
			if (asleep(id))
				continue;
			else if (id == 0)
				vyx_pool_turn(procs[0].pool, now);
			else
				vyx_window_turn(procs[id].win, now);
	}
	if (now < end)
		now = end;
}

/* ---- rest ---- */

static void
check_p1(int inst)
{
	const struct vyx_pool_conf *conf = &insts[inst].conf;
	uint32_t n = 0, t = 0;
	int k;

	for (k = 0; k < KCS; k++)
		if (kcs[k].inst == inst && kc_live(&kcs[k])) {
			n += !kcs[k].tunnel;
			t += kcs[k].tunnel;
		}
	if (t > conf->tunnels)
		n += t - conf->tunnels;
	if (n > conf->max && !exempt)
		broke("P1", "%s: %u of %u", insts[inst].id, n, conf->max);
}

static int
complain(int loud, const char *rule, const char *id, uint64_t a, uint64_t b)
{
	if (loud)
		broke(rule, "%s: %ju, %ju", id, (uintmax_t)a, (uintmax_t)b);
	return 0;
}

static int
rest_inst(int inst, int loud)
{
	struct inst *i = &insts[inst];
	struct vyx_pinst *p = vyx_pinst_find(procs[0].pool, VYX_STRZ(i->id));
	uint32_t live = 0, held = 0, r, k;
	struct vyx_winst *w;

	for (k = 0; k < KCS; k++)
		live += kcs[k].inst == inst && kc_live(&kcs[k]);
	for (r = 1; r <= (uint32_t)routers; r++) {
		w = vyx_winst_find(procs[r].worker, VYX_STRZ(i->id));
		held += w ? w->idle + w->busy + w->tunnels : 0;
		if (w && w->probe)
			return complain(loud, "probe", i->id, w->out, r);
		if (w && w->idle < procs[r].worker->low && p &&
		    p->class == CLASS_KEEPS && vyx_pinst_usable(p) &&
		    p->counted < vyx_pinst_max(p))
			return complain(loud, "P6", i->id, w->idle,
			    procs[r].worker->low);
	}
	if (!p)
		return live + held == 0 ||
		    complain(loud, "P5 gone", i->id, live, held);
	if (p->counted + p->tunnels != live)
		return complain(loud, "P5 kernel", i->id,
		    p->counted + p->tunnels, live);
	if (p->idle + held != live)
		return complain(loud, "P5 held", i->id, p->idle + held, live);
	if (p->counted > p->conf.max)
		return complain(loud, "P1 at rest", i->id, p->counted,
		    p->conf.max);
	if (i->exists && i->draining && !i->drained)
		return complain(loud, "drain", i->id, live, 0);
	return 1;
}

static int
at_rest(int loud)
{
	int x, i;

	for (x = 0; x < EXCHS; x++)
		if (exchs[x].used)
			return complain(loud, "P3",
			    exchs[x].conn ? "no answer" : "a waiter is left",
			    now - exchs[x].since, (uint64_t)exchs[x].router);
	for (i = 0; i < ninsts; i++)
		if (!rest_inst(i, loud))
			return 0;
	for (i = 0; i < FDS; i++)
		if (fds[i].kc >= 0 && fds[i].proc < 0)
			return complain(loud, "P5", "in flight", 0, 0);
	return 1;
}

static void
rest(void)
{
	uint64_t awake = now;
	int id, tries;

	resting = 1;
	for (id = 0; id <= routers; id++)
		if (procs[id].stopped > awake)
			awake = procs[id].stopped;
	run_until(awake);
	for (id = 0; id <= routers; id++) {
		if (procs[id].draining)
			death(id);
		birth(id);
	}
	for (id = 0; id < ninsts; id++)
		insts[id].down = 0;
	rows_changed();
	run_until(now + 5000 * MS);
	for (tries = 0; tries < 200 && !failed && !at_rest(0); tries++)
		run_until(now + 7 * MS);
	if (!failed)
		at_rest(1);
	exempt = 0;
}

/* ---- one run ---- */

static void
forget(void)
{
	int id;

	for (id = 0; id < PROCS; id++)
		death(id);
	for (id = 0; id < nedges; id++) {
		free(edges[id].to[0].q);
		free(edges[id].to[1].q);
	}
	memset(kcs, 0, sizeof kcs);
	memset(edges, 0, sizeof edges);
	memset(procs, 0, sizeof procs);
	memset(insts, 0, sizeof insts);
	memset(exchs, 0, sizeof exchs);
	for (id = 0; id < FDS; id++)
		fds[id] = (struct fd){ .kc = -1 };
	nheap = nedges = ninsts = resting = exempt = 0;
	now = 3600 * 1000 * MS;
	failed = NULL;
}

static void
one(uint64_t seed, int with_faults, int load)
{
	uint32_t min;
	uint8_t explicit;
	int i, rounds;

	forget();
	seed_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
	faults = with_faults;
	ailing = faults || serial_worker || seed % 2;
	lose = faults ? 0.01 : 0;
	/* so that records cross each other more often */
	slow_edges = faults == RESTARTS;
	delay_max = slow_edges ? 5 * MS : 200 * US;
	routers = 1 + (int)rnd(4);
	ninsts = 1 + (int)rnd(3);
	service_max = 200 * US + rnd(4 * MS);
	min = (uint32_t)rnd(4);
	explicit = (uint8_t)rnd(2);
	for (i = 0; i < ninsts; i++) {
		snprintf(insts[i].id, sizeof insts[i].id, "w-%d#1", i);
		insts[i].exists = 1;
		insts[i].conf.max = 1 + (uint32_t)rnd(12);
		insts[i].conf.min = min;
		insts[i].conf.explicit = explicit;
		insts[i].conf.tunnels = 2;
		shown_max += insts[i].conf.max;
	}
	rate = 0.2 + (double)rnd(100) / 40 * load;
	for (i = 0; i <= routers; i++)
		birth(i);
	for (rounds = 0; rounds < 2 && !failed; rounds++) {
		resting = 0;
		for (i = 1; i <= routers; i++)
			post(now + rnd(MS), EV_REQUEST, i, 0, 0);
		if (faults)
			post(now + rnd(50 * MS), EV_CHAOS, 0, 0, 0);
		run_until(now + 700 * MS);
		rest();
	}
}

static uint64_t
seeds(void)
{
	const char *n = getenv("VYX_SEEDS");

	return n ? strtoull(n, NULL, 10) : 40;
}

static void
all_hold(int with_faults, int load)
{
	const char *only = getenv("VYX_SEED");
	uint64_t s = only ? strtoull(only, NULL, 10) : 0, end;

	vyx_mutant = 0;
	served = overtakes = late = worst = ejections = returns = 0;
	for (end = only ? s + 1 : seeds(); s < end; s++) {
		one(s, with_faults, load);
		if (failed)
			fail_msg("seed %ju: %s: %s", (uintmax_t)s, failed,
			    failure);
	}
	print_message("%ju exchanges, %ju out of order, %ju late, worst %ju "
	              "us, %ju ejections, %ju returns\n",
	    (uintmax_t)served, (uintmax_t)overtakes, (uintmax_t)late,
	    (uintmax_t)(worst / US), (uintmax_t)ejections, (uintmax_t)returns);
}

static void
calm(void **state)
{
	(void)state;
	serial_worker = 0;
	all_hold(NONE, 0);
}

static void
fair(void **state)
{
	(void)state;
	all_hold(NONE, 1);
	assert_true(overtakes > 0); /* else nothing was measured */
	assert_true(ejections > 0 && returns > 0);
	assert_true(late * 1000 <= served);
}

static void
storms(void **state)
{
	(void)state;
	all_hold(ALL, 1);
}

static void
restarts(void **state)
{
	(void)state;
	all_hold(RESTARTS, 1);
}

/* A server that reads one connection at a time: no request may hang. */
static void
one_at_a_time(void **state)
{
	(void)state;
	serial_worker = 1;
	all_hold(NONE, 0);
	serial_worker = 0;
}

/* Some seed must show that the rule is gone. */
static void
must_fail(int mutant, int with_faults)
{
	uint64_t s;

	vyx_mutant = mutant;
	failed = NULL;
	for (s = 0; s < 400 && !failed; s++)
		one(s, with_faults, 1);
	vyx_mutant = 0;
	if (!failed)
		fail_msg("nothing failed without rule %d", mutant);
	print_message("seed %ju: %s: %s\n", (uintmax_t)s - 1, failed, failure);
}

static void
without_report(void **state)
{
	(void)state;
	must_fail(VYX_MUTANT_REPORT, ALL);
}

static void
without_fifo(void **state)
{
	(void)state;
	must_fail(VYX_MUTANT_FIFO, NONE);
}

static void
without_settle(void **state)
{
	(void)state;
	must_fail(VYX_MUTANT_SETTLE, ALL);
}

static void
without_shutdown(void **state)
{
	(void)state;
	must_fail(VYX_MUTANT_SHUTDOWN, ALL);
}

static void
without_mark(void **state)
{
	(void)state;
	must_fail(VYX_MUTANT_MARK, RESTARTS);
}

static void
without_stuck(void **state)
{
	(void)state;
	serial_worker = 1;
	must_fail(VYX_MUTANT_STUCK, NONE);
	serial_worker = 0;
}

#endif
