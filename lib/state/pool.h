/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_POOL_H
#define VYX_STATE_POOL_H

#include <stdint.h>

#include "state/pool_msg.h"

/*
 * pool - vyx-poold's side of its edge: every connection to every worker,
 * who has it on loan, and who gets the next.
 *
 * Owns	    the table of connections; what counts against max and tunnels.
 * Needs    the caller's time `now` (CLOCK_MONOTONIC, ns), never going back;
 *	    the calls of struct vyx_pool_ops; malloc, when a worker, an
 *	    instance, a peer or a connection is new. No system call.
 * Returns  1 when done; 0 when refused, errno says why.
 * Cost	    a record: O(peers + instances of the worker). Memory:
 *	    O(workers x peers + instances + connections); nothing is queued.
 * Source   vyx-protocol(7), the edge pool; P1 to P9 there.
 */

struct vyx_pool;
struct vyx_pinst; /* one socket that accepts connections */
struct vyx_ppeer; /* one router or vyx-acquire, connected */

#define VYX_POOL_PEERS 64 /* routers and vyx-acquire together */
#define VYX_POOL_SETTLE_NS UINT64_C(250000000)

/* Where a connection is. END is no state: then it is forgotten. */
enum vyx_pool_place {
	VYX_POOL_FREE,   /* idle, poold watches it */
	VYX_POOL_LENT,   /* a peer has it */
	VYX_POOL_LINGER, /* shut for writing; read until EOF or 1 s */
	VYX_POOL_TUNNEL  /* a peer has it, upgraded */
};

struct vyx_pconn {
	uint64_t c; /* its number */
	int fd;     /* poold's copy; -1: it came without */
	void *user; /* the glue's */

	/* The module's from here. */
	uint8_t place;
	uint8_t watched;
	uint8_t counts; /* 0: not, 1: in max, 2: in tunnels */
	uint8_t stuck;  /* a request on it had no answer for 100 ms */
	uint8_t moved;  /* to a sibling that has not said hold yet */
	uint64_t until; /* ns: FREE, LINGER: its end */
	struct vyx_pinst *inst;
	struct vyx_ppeer *peer;          /* who has it */
	struct vyx_ppeer *claim;         /* who said hold before `moved` */
	struct vyx_pconn *next, *prev;   /* of the instance, by number */
	struct vyx_pconn *pnext, *pprev; /* of the peer */
	struct vyx_pconn *hnext;         /* of the hash bucket */
};

struct vyx_pool_ops {
	/*
	 * connect(2), non-blocking, to the instance that vyx_pool_endpoint()
	 * called `user`. A descriptor, or -1 with EAGAIN, ENOENT,
	 * ECONNREFUSED, EMFILE, ENFILE or any other errno.
	 */
	int (*dial)(void *arg, void *user);
	/*
	 * Poll c->fd. how 1: for IN | RDHUP, reading nothing; any event is
	 * told by vyx_pool_event(). how 2: read and discard; EOF or an error
	 * is told so. how 0: stop. 0 returned: could not; it is ended.
	 */
	int (*watch)(void *arg, struct vyx_pconn *c, int how);
	/* END: shutdown(SHUT_RDWR), close. It is not watched any more; c is
	 * freed when this returns. */
	void (*end)(void *arg, struct vyx_pconn *c);
	/*
	 * Send one record, with a copy of `fd` if it is >= 0. 1: gone. 0: it
	 * would block; vyx_pool_writable() when it does not. When the edge
	 * broke: 0, and vyx_pool_peer_gone() from the loop, not from here.
	 */
	int (*send)(void *arg, void *peer, const struct vyx_pool_msg *m,
	    int fd);
	/* Close this peer's channel: it was revoked, and is forgotten. */
	void (*cut)(void *arg, void *peer, const char *why);
	/* A draining instance has no connection left. */
	void (*drained)(void *arg, void *user);
	/* An instance stopped (0, why) or began (1) to take connections. */
	void (*up)(void *arg, void *user, int up, int error);
	/* An instance answers on one connection at a time (1). */
	void (*serial)(void *arg, void *user, int serial);
};

/* What the rows say of one instance. */
struct vyx_pool_conf {
	uint32_t max;     /* connections, 1 or more */
	uint32_t min;     /* of them idle at all times */
	uint32_t tunnels; /* upgraded ones */
	uint8_t explicit; /* min was written, it is no default */
	uint8_t draining;
};

/* Figures of an instance, or the sum of a worker's. */
struct vyx_pool_stat {
	uint64_t idle, lent, linger, tunnels, max; /* gauges */
	uint64_t waiting; /* of a worker: over all peers */
	uint64_t dials, failed;
	uint64_t pushes;  /* connections lent */
	uint64_t stale;   /* idle ones that ended or had a byte in them */
	uint64_t expired; /* idle ones closed after idle_ms */
	uint64_t recalls; /* loans called back that came */
	uint64_t voids;
};

/*
 * `first`: the lowest number to give, higher than any of an earlier life.
 * `seed`: for the jitter of back-off. It settles from `now` on: no dial, no
 * loan, until vyx_pool_settle() or VYX_POOL_SETTLE_NS later. NULL: ENOMEM.
 */
struct vyx_pool *vyx_pool_new(const struct vyx_pool_ops *ops, void *arg,
    uint64_t first, uint64_t seed, uint64_t now);

/* Free the tables. No callback but watch(): what is lent lives on at the
 * borrowers'. */
void vyx_pool_free(struct vyx_pool *pool);

/* Every router that lives has said what it holds. */
void vyx_pool_settle(struct vyx_pool *pool, uint64_t now);

/* A worker's row; idle_ms 0: never. ENOMEM, EINVAL. */
int vyx_pool_worker(struct vyx_pool *pool, struct vyx_str w, uint64_t idle_ms,
    uint64_t now);
/* Its row is gone. The instances end with their own rows. */
void vyx_pool_worker_del(struct vyx_pool *pool, struct vyx_str w, uint64_t now);

/*
 * An endpoint row, new or changed. `user` goes to dial(), drained() and up()
 * until vyx_pool_endpoint_del(). ENOMEM, EINVAL.
 */
struct vyx_pinst *vyx_pool_endpoint(struct vyx_pool *pool, struct vyx_str w,
    struct vyx_str i, const struct vyx_pool_conf *conf, void *user,
    uint64_t now);
/* The row is gone: idle ones end, routers are told to use none again. */
void vyx_pool_endpoint_del(struct vyx_pool *pool, struct vyx_str i,
    uint64_t now);

/* A peer connected. NULL: EUSERS, ENOMEM. */
struct vyx_ppeer *vyx_pool_peer(struct vyx_pool *pool, void *user,
    uint64_t now);
/* It is gone: END all its loans, before anything is dialled. */
void vyx_pool_peer_gone(struct vyx_pool *pool, struct vyx_ppeer *peer,
    uint64_t now);
/* Has it told all that it holds; and its name, role, pid. */
int vyx_pool_peer_held(const struct vyx_ppeer *peer);
const char *vyx_pool_peer_name(const struct vyx_ppeer *peer);
enum vyx_proc vyx_pool_peer_role(const struct vyx_ppeer *peer);
uint32_t vyx_pool_peer_loans(const struct vyx_ppeer *peer);

/*
 * A record of `peer`, whose descriptor is `fd` or -1. 1: done, `fd` is ours.
 * 2: done, close `fd`. 0: EPROTO, EPROTONOSUPPORT or ENOMEM: close `fd` and
 * the channel, call vyx_pool_peer_gone(); *why says what was wrong.
 */
int vyx_pool_record(struct vyx_pool *pool, struct vyx_ppeer *peer,
    const struct vyx_pool_msg *m, int fd, uint64_t now, const char **why);

/* What watch() saw. c may be gone when this returns. */
void vyx_pool_event(struct vyx_pool *pool, struct vyx_pconn *c, uint64_t now);

/* The peer's channel takes records again. */
void vyx_pool_writable(struct vyx_pool *pool, struct vyx_ppeer *peer);

/* At the end of each turn of the loop; then sleep until vyx_pool_due() at
 * most, UINT64_MAX: for ever. */
void vyx_pool_turn(struct vyx_pool *pool, uint64_t now);
uint64_t vyx_pool_due(const struct vyx_pool *pool);

/* Figures; 0: ENOENT. */
int vyx_pool_stat_worker(const struct vyx_pool *pool, struct vyx_str w,
    struct vyx_pool_stat *out);
void vyx_pool_stat_inst(const struct vyx_pinst *i, struct vyx_pool_stat *out);
/* unproven, keeps, oneshot or serial; and whether it takes connections. */
const char *vyx_pool_inst_class(const struct vyx_pinst *i);
int vyx_pool_inst_up(const struct vyx_pinst *i);

#endif
