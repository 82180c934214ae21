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
struct vyx_pworker;

#define VYX_POOL_PEERS 64 /* routers and vyx-acquire together */

/* One socket that accepts connections. */
struct vyx_pinst;
/* A connection. `fd` is poold's copy, -1 when it came without one. */
struct vyx_pconn {
	uint64_t c;
	int fd;
	uint8_t watched; /* the glue polls it: IN | RDHUP */
	uint8_t state;   /* private from here */
	uint8_t uncounted;
	uint8_t tunnelled; /* counted in tunnels, not in max */
	struct vyx_pinst *inst;
	struct vyx_ppeer *peer;          /* who has it, NULL: nobody */
	struct vyx_ppeer *claim;         /* who said hold before `moved` came */
	uint64_t until;                  /* ns: IDLE, LINGER: its end */
	struct vyx_pconn *next, *prev;   /* of the instance, by number */
	struct vyx_pconn *pnext, *pprev; /* of the peer */
	struct vyx_pconn *hash;
};

/* One router or vyx-acquire, connected. */
struct vyx_ppeer;

struct vyx_pool_ops {
	/*
	 * connect(2), non-blocking, to the socket of `user` (that of
	 * vyx_pool_endpoint()). A descriptor, or -1: EAGAIN, ENOENT,
	 * ECONNREFUSED, EMFILE, ENFILE, anything else.
	 */
	int (*dial)(void *arg, void *user);
	/* Poll c->fd for IN | RDHUP and call vyx_pool_event(), or stop. Reads
	 * nothing. 0: could not; the connection ends. */
	int (*watch)(void *arg, struct vyx_pconn *c, int on);
	/* c->fd, which is not watched: shutdown(SHUT_RDWR), close. c is
	 * freed when this returns. */
	void (*end)(void *arg, struct vyx_pconn *c);
	/* Send one record, with a copy of fd if >= 0. 1: gone. 0: it would
	 * block; vyx_pool_writable() later. Broken: 0, and
	 * vyx_pool_peer_gone() from the loop, not from here. */
	int (*send)(void *arg, void *peer, const struct vyx_pool_msg *m,
	    int fd);
	/* Close this peer's channel: it broke a rule or was revoked. The
	 * module has forgotten it. */
	void (*cut)(void *arg, void *peer, const char *why);
	/* A draining instance has no connection left (row `use`). */
	void (*drained)(void *arg, void *user);
	/* An instance stopped (0) or began (1) to take connections. */
	void (*up)(void *arg, void *user, int up, int error);
};

#endif
