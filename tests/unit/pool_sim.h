/* SPDX-License-Identifier: ISC */
#ifndef VYX_TESTS_POOL_SIM_H
#define VYX_TESTS_POOL_SIM_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "state/pool.h"
#include "state/window.h"

/*
 * pool_sim - a kernel for the model test: connections with many descriptors,
 * packet sockets that delay, fill up and lose descriptors, and processes that
 * stall, stop and die. One thread, a virtual clock, one seed: a run is
 * repeated exactly by its seed.
 */

#define MS UINT64_C(1000000)
#define US UINT64_C(1000)
#define NEVER UINT64_MAX

#define PROCS 5 /* 0: poold, 1..4: routers */
#define KCS 4096
#define FDS 4096
#define EDGES 4096
#define EVENTS 65536
#define QLEN 64

/* A connection, as the kernel has it. */
struct kc {
	uint8_t used, wclosed, shut_wr, shut, tunnel;
	int inst;
	int refs;
	int users; /* exchanges that run on it */
	uint64_t born;
};

struct fd {
	int kc;     /* -1: free */
	int proc;   /* whose, -1: in flight */
	void *conn; /* struct vyx_wconn or vyx_pconn */
	int how;    /* what poold watches it for */
	uint32_t gen;
};

struct pkt {
	struct vyx_pool_msg m;
	char text[640]; /* of the strings */
	int fd;
	int eof;
};

/* One direction of a packet socket. */
struct pipe {
	struct pkt *q;
	uint32_t head, n;
	uint64_t last; /* time of the last delivery */
	int want;      /* the sender waits for room */
};

struct edge {
	int router;        /* process */
	struct pipe to[2]; /* 0: to poold, 1: to the router */
	int closed[2];     /* by poold, by the router */
	struct vyx_ppeer *peer;
};

enum kind {
	EV_NONE,
	EV_DELIVER, /* a: edge, b: direction */
	EV_ACCEPT,  /* a: edge */
	EV_ROOM,    /* a: edge, b: direction whose sender may go on */
	EV_HUP,     /* a: descriptor, gen */
	EV_REQUEST, /* a: router */
	EV_BYTE,    /* a: exchange, gen */
	EV_ANSWER,  /* a: exchange, gen */
	EV_ABORT,   /* a: exchange, gen */
	EV_LETGO,   /* a: kc, gen: the worker closes after a half-close */
	EV_CHAOS,
	EV_BIRTH,  /* a: process */
	EV_WORKER, /* a: instance is up again */
	EV_SETTLE, /* routers known to live have reported? */
};

struct event {
	uint64_t at, seq;
	enum kind kind;
	int a, b;
	uint32_t gen;
};

struct proc {
	int alive;
	uint64_t stopped; /* until */
	int edge;         /* of a router */
	struct vyx_window *win;
	struct vyx_wworker *worker;
	struct vyx_pool *pool;
	uint64_t died;
	int draining;
};

static uint64_t now, seq, seed_state;
static struct kc kcs[KCS];
static struct fd fds[FDS];
static struct edge edges[EDGES];
static struct event heap[EVENTS];
static struct proc procs[PROCS];
static int nheap, nedges;
static const char *failed; /* the first rule that was broken */
static char failure[256];
static double lose; /* share of descriptors lost */
static uint64_t delay_max = 200 * US;
static int slow_edges;

static void broke(const char *rule, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
broke(const char *rule, const char *fmt, ...)
{
	va_list ap;

	if (failed)
		return;
	failed = rule;
	va_start(ap, fmt);
	vsnprintf(failure, sizeof failure, fmt, ap);
	va_end(ap);
}

static uint64_t
rnd(uint64_t n)
{
	seed_state ^= seed_state << 13;
	seed_state ^= seed_state >> 7;
	seed_state ^= seed_state << 17;
	return n ? (seed_state >> 11) % n : 0;
}

static int
chance(double share)
{
	return (double)rnd(1000000) < share * 1e6;
}

static uint64_t
delay(void)
{
	return 2 * US + rnd(!slow_edges && chance(0.9) ? 20 * US : delay_max);
}

/* ---- events ---- */

static int
sooner(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void
post(uint64_t at, enum kind kind, int a, int b, uint32_t gen)
{
	struct event e = { at, seq++, kind, a, b, gen };
	int i = nheap++;

	if (nheap >= EVENTS)
		abort();
	while (i && sooner(&e, &heap[(i - 1) / 2])) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = e;
}

static struct event
next_event(void)
{
	struct event top = heap[0], e = heap[--nheap];
	int i = 0, kid;

	while ((kid = 2 * i + 1) < nheap) {
		if (kid + 1 < nheap && sooner(&heap[kid + 1], &heap[kid]))
			kid++;
		if (sooner(&e, &heap[kid]))
			break;
		heap[i] = heap[kid];
		i = kid;
	}
	heap[i] = e;
	return top;
}

/* ---- descriptors ---- */

static int
kc_live(const struct kc *k)
{
	return k->used && k->refs > 0 && !k->wclosed && !k->shut;
}

/* Everybody who polls it learns of the hang-up. */
static void
kc_hup(struct kc *k)
{
	int id = (int)(k - kcs), f;

	for (f = 0; f < FDS; f++)
		if (fds[f].kc == id && fds[f].proc >= 0)
			post(now + delay(), EV_HUP, f, 0, fds[f].gen);
}

static int
fd_new(int kc, int proc)
{
	static int at;
	int tries;

	for (tries = 0; fds[at].kc >= 0; tries++) {
		at = (at + 1) % FDS;
		if (tries == FDS)
			abort();
	}
	fds[at].kc = kc;
	fds[at].proc = proc;
	fds[at].conn = NULL;
	fds[at].how = 0;
	kcs[kc].refs++;
	return at;
}

static void worker_next(int inst);

static void
fd_close(int f)
{
	struct kc *k = &kcs[fds[f].kc];

	fds[f].kc = -1;
	fds[f].gen++;
	if (--k->refs == 0) {
		k->used = 0;
		worker_next(k->inst);
	}
}

static void
kc_shutdown(struct kc *k)
{
	if (k->shut)
		return;
	k->shut = 1;
	worker_next(k->inst);
	kc_hup(k);
}

static void
kc_wclose(struct kc *k)
{
	if (k->wclosed)
		return;
	k->wclosed = 1;
	worker_next(k->inst);
	kc_hup(k);
}

static int
kc_new(int inst)
{
	static int at;
	int tries;

	for (tries = 0; kcs[at].used; tries++) {
		at = (at + 1) % KCS;
		if (tries == KCS)
			abort();
	}
	memset(&kcs[at], 0, sizeof kcs[at]);
	kcs[at].used = 1;
	kcs[at].inst = inst;
	kcs[at].born = seq++;
	return at;
}

/* ---- packet sockets ---- */

static struct vyx_str
keep(struct pkt *p, size_t *n, struct vyx_str s)
{
	struct vyx_str out = { p->text + *n, s.n };

	if (*n + s.n > sizeof p->text)
		abort();
	if (s.n)
		memcpy(p->text + *n, s.p, s.n);
	*n += s.n;
	return out;
}

static void
queue(int id, int dir, const struct vyx_pool_msg *m, int fd, int eof)
{
	struct pipe *pipe = &edges[id].to[dir];
	struct pkt *p;
	size_t n = 0;
	unsigned k;

	if (!pipe->q && !(pipe->q = calloc(QLEN + 2, sizeof *pipe->q)))
		abort();
	p = &pipe->q[(pipe->head + pipe->n++) % (QLEN + 2)];
	memset(&p->m, 0, sizeof p->m);
	p->fd = fd;
	p->eof = eof;
	if (m) {
		p->m = *m;
		p->m.name = keep(p, &n, m->name);
		p->m.w = keep(p, &n, m->w);
		p->m.i = keep(p, &n, m->i);
		p->m.to = keep(p, &n, m->to);
		for (k = 0; k < m->lacks; k++)
			p->m.lack[k].i = keep(p, &n, m->lack[k].i);
	}
	if (pipe->last < now + 1)
		pipe->last = now + 1;
	if (pipe->last < now + 2 * US)
		pipe->last = now + delay();
	else
		pipe->last += rnd(2 * US);
	post(pipe->last, EV_DELIVER, id, dir, 0);
}

/* send(2): 1 gone, 0 would block or is broken. */
static int
edge_send(int id, int dir, const struct vyx_pool_msg *m, int fd)
{
	struct edge *e = &edges[id];
	int copy = -1;

	if (e->closed[0] || e->closed[1])
		return 0;
	if (e->to[dir].n >= QLEN || (m->verb != VYX_V_HELLO && chance(0.002))) {
		e->to[dir].want = 1;
		post(now + 100 * US, EV_ROOM, id, dir, 0);
		return 0;
	}
	if (fd >= 0)
		copy = fd_new(fds[fd].kc, -1);
	queue(id, dir, m, copy, 0);
	return 1;
}

/* One end closes: what it sent before still arrives, then EOF. */
static void
edge_close(int id, int by_router)
{
	struct edge *e = &edges[id];
	struct pipe *in = &e->to[!by_router ? 0 : 1];

	if (e->closed[by_router])
		return;
	e->closed[by_router] = 1;
	for (; in->n; in->n--) { /* released by the kernel */
		if (in->q[in->head].fd >= 0)
			fd_close(in->q[in->head].fd);
		in->head = (in->head + 1) % (QLEN + 2);
	}
	if (!e->closed[!by_router])
		queue(id, by_router ? 0 : 1, NULL, -1, 1);
}

#endif
