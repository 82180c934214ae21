/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_WINDOW_H
#define VYX_STATE_WINDOW_H

#include <stdint.h>

#include "state/pool_msg.h"

/*
 * window - a router's side of the edge to vyx-poold: the connections it has
 * on loan, the requests that wait for one, and what poold must be told.
 *
 * Owns	    every struct vyx_wconn; the router's descriptors stay the
 *	    router's (the module only carries their numbers).
 * Needs    the caller's time `now` (CLOCK_MONOTONIC, ns) in each call, never
 *	    going back; the calls of struct vyx_window_ops; malloc, when a
 *	    worker, an instance or a connection is new. No system call.
 * Returns  1 when done; 0 when refused, errno says why.
 * Cost	    taking and finishing a connection: O(log idle) (round robin) or
 *	    O(instances) (least loaded), no malloc, no record. Memory is
 *	    O(workers + instances + connections): no record is ever queued.
 * Source   vyx-protocol(7), the edge pool; P1 to P9 there.
 *
 * A connection's life, as the router sees it:
 *
 *   adopt()  ->  IDLE  --take/serve()-->  BUSY  --done-->  IDLE | let()
 *                IDLE  --hangup--> let()        --drop, abort--> let()
 *                                         BUSY --tunnel--> TUNNEL --drop--> let()
 *
 * After let() the struct vyx_wconn must not be touched again. Descriptors go
 * in one order only, and let() is where it happens: EPOLL_CTL_DEL, shutdown
 * as told, close; the module makes the record afterwards.
 */

struct vyx_window;  /* one a router */
struct vyx_wworker; /* a worker, as the router knows it; stable until deleted */
struct vyx_winst;   /* one instance (one socket) of it */

/* A connection on loan. */
struct vyx_wconn {
	uint64_t c;    /* its number */
	int fd;        /* the router's copy */
	void *user;    /* the router's: set it in adopt() */
	uint8_t state; /* enum vyx_state: IDLE, BUSY or TUNNEL */
	uint8_t uses;  /* exchanges begun on it; stays at 255 */

	/* The module's from here. */
	uint8_t tell;      /* what poold must hear of it still */
	uint8_t why;       /* of a drop */
	uint8_t told;      /* poold knows that we have it */
	uint8_t inherited; /* from a sibling */
	uint8_t awaits;    /* in the list of the unanswered */
	uint8_t stuck;     /* told so, and no byte since */
	uint8_t listed;    /* in the list of what is to be told */
	uint32_t at;       /* place in its instance's heap of idle ones */
	uint64_t since;    /* ns: idle since; BUSY: sent at */
	uint64_t look;     /* ns: unanswered, to be looked at then */
	struct vyx_winst *inst;
	struct vyx_wconn *next, *prev;   /* all that are held */
	struct vyx_wconn *anext, *aprev; /* the unanswered, oldest first */
	struct vyx_wconn *onext;         /* to be told */
	char *to;                        /* of `moved` */
};

/* A request that waits. Embedded in the router's; the module links it. */
struct vyx_waiter {
	struct vyx_wworker *worker; /* NULL: it does not wait */
	uint64_t since;             /* ns: arrival, less its priority boost */
	uint64_t deadline;          /* ns: expire() then */
	struct vyx_waiter *next, *prev;
};

/* What the router supplies. `arg` is that of vyx_window_new(). */
struct vyx_window_ops {
	/*
	 * Connect to $RUN/pool/s. 1: the channel is open (records may be
	 * sent at once). 0: not now; asked again after 10, 20, 40, 80, then
	 * every 100 ms.
	 */
	int (*dial)(void *arg);
	/*
	 * Send one record, with a copy of `fd` if it is >= 0. 1: gone.
	 * 0: it would block (EAGAIN, ETOOMANYREFS): nothing is kept, call
	 * vyx_window_writable() when the socket is. When the edge broke:
	 * return 0, and call vyx_window_down() from the loop, not from here.
	 */
	int (*send)(void *arg, const struct vyx_pool_msg *m, int fd);
	/*
	 * A new connection, IDLE: put c->fd into epoll (IN | RDHUP | ET), set
	 * c->user. 0: could not; it is dropped (let() is called).
	 */
	int (*adopt)(void *arg, struct vyx_wconn *c);
	/*
	 * c leaves the router: EPOLL_CTL_DEL, then shutdown(c->fd, how) when
	 * how >= 0 (SHUT_RDWR: it ends; SHUT_WR: the client aborted, poold
	 * lingers), then close(c->fd). how = -1: it goes back alive.
	 */
	void (*let)(void *arg, struct vyx_wconn *c, int how);
	/* `q` waited long enough: c is BUSY and its. q no longer waits. */
	void (*serve)(void *arg, struct vyx_waiter *q, struct vyx_wconn *c);
	/* q's deadline has passed; it no longer waits. Answer 503/504. */
	void (*expire)(void *arg, struct vyx_waiter *q);
};

/* Figures of one worker, for stat. Gauges first, then counters. */
struct vyx_wstat {
	uint64_t idle, busy, tunnels, waiting;
	uint64_t lent;     /* connections received */
	uint64_t reuses;   /* exchanges begun on a connection used before */
	uint64_t stale;    /* idle ones found ended or with a byte in them */
	uint64_t timeouts; /* waiters that expired */
	uint64_t full;     /* requests refused because max_waiting waited */
	uint64_t recalls;  /* connections given back to a recall */
	uint64_t drops[VYX_POOL_WHY_COUNT];
};

/*
 * A window named `name` (of the proc row, "route.0"); `pid` goes into hello.
 * NULL: ENOMEM. `role` acquire holds nothing ahead.
 */
struct vyx_window *vyx_window_new(const struct vyx_window_ops *ops, void *arg,
    enum vyx_proc role, const char *name, uint32_t pid);

/* Let every connection go (how = -1) and free everything. Nobody may wait. */
void vyx_window_free(struct vyx_window *win);

/*
 * The worker `id`, made if need be; called again when its row changes.
 * least: strategy least-loaded, else round-robin. NULL: ENOMEM, EINVAL (name).
 */
struct vyx_wworker *vyx_window_worker(struct vyx_window *win, struct vyx_str id,
    int least, uint32_t max_waiting);

/*
 * The worker's row is gone. No waiter may be left (EBUSY). Its connections
 * are let go of as they end; `worker` is invalid from here on.
 */
int vyx_window_worker_del(struct vyx_window *win, struct vyx_wworker *worker,
    uint64_t now);

/*
 * An endpoint row of `worker`: instance `i` (its key, name#generation), which
 * takes `max` connections. up = 1: they may be asked for ahead. up = 0 (down,
 * draining, row gone): none are; those held go on until they end or poold
 * voids them.
 */
int vyx_window_endpoint(struct vyx_window *win, struct vyx_wworker *worker,
    struct vyx_str i, int up, uint32_t max, uint64_t now);

/* Whether poold says that an instance of it is up, or one is on loan here. */
int vyx_window_up(const struct vyx_wworker *worker);

/* Instance id of a connection; for logs and headers. */
struct vyx_str vyx_window_inst(const struct vyx_wconn *c);
struct vyx_wworker *vyx_window_of(const struct vyx_wconn *c);

/* ---- requests --------------------------------------------------------- */

/*
 * An idle connection, BUSY now, lowest number of the instance the strategy
 * names. NULL: EAGAIN, none is idle or somebody waits already (then wait).
 */
struct vyx_wconn *vyx_window_take(struct vyx_window *win,
    struct vyx_wworker *worker, uint64_t now);

/*
 * Wait: q->since and q->deadline are set by the caller; a retry keeps its
 * since. Ends in serve(), expire() or vyx_window_cancel(), none of them from
 * inside this call. ENOSPC: max_waiting wait already, and as many more as the
 * instances have room for beside what is busy here; a retry (since < now) is
 * not refused for that.
 */
int vyx_window_wait(struct vyx_window *win, struct vyx_wworker *worker,
    struct vyx_waiter *q, uint64_t now);

/* The client went. Harmless when q does not wait (worker == NULL). */
void vyx_window_cancel(struct vyx_window *win, struct vyx_waiter *q);

/* The request has been sent; its first byte is awaited. Optional, O(1). */
void vyx_window_sent(struct vyx_window *win, struct vyx_wconn *c, uint64_t now);
/* The first byte of the answer (a 1xx counts) is in. */
void vyx_window_byte(struct vyx_window *win, struct vyx_wconn *c);
/* The answer's head is in: it keeps the connection, or closes it. */
void vyx_window_says(struct vyx_window *win, struct vyx_wconn *c, int keeps);

/*
 * The exchange ended clean: framing complete, kept, no byte over. The
 * connection becomes idle here, goes to the oldest waiter (serve() is called
 * before this returns) or back to poold (let()): do not touch c afterwards.
 */
void vyx_window_done(struct vyx_window *win, struct vyx_wconn *c, uint64_t now);

/* It ends, whatever it is (IDLE, BUSY, TUNNEL): let(SHUT_RDWR), drop. */
void vyx_window_drop(struct vyx_window *win, struct vyx_wconn *c,
    enum vyx_pool_why why, uint64_t now);

/* An event on an IDLE one: hang-up (bytes = 0) or a byte. Drops it, counted
 * as stale. */
void vyx_window_hangup(struct vyx_window *win, struct vyx_wconn *c, int bytes,
    uint64_t now);

/* The client aborted: let(SHUT_WR), drop why=abort; poold waits for the
 * worker to let go. */
void vyx_window_abort(struct vyx_window *win, struct vyx_wconn *c,
    uint64_t now);

/* Answered 101: a tunnel from now, until vyx_window_drop(). EDQUOT: the
 * instance has as many tunnels here as it may; it stays BUSY. */
int vyx_window_tunnel(struct vyx_window *win, struct vyx_wconn *c);

/* Handover: the descriptor of a tunnel was passed to sibling `to` (name in
 * its hello); let(-1). The sibling calls vyx_window_inherit(). */
int vyx_window_move(struct vyx_window *win, struct vyx_wconn *c,
    struct vyx_str to, uint64_t now);
struct vyx_wconn *vyx_window_inherit(struct vyx_window *win,
    struct vyx_wworker *worker, struct vyx_str i, uint64_t c, int fd,
    enum vyx_state state, uint64_t now);

/* ---- the edge --------------------------------------------------------- */

/*
 * A record came. `fd`: the descriptor with it, or -1; taken over if 1 is
 * returned, or closed by the caller. 0: EPROTO (out of state or nonsense),
 * EPROTONOSUPPORT or ENOMEM: close the channel, call vyx_window_down().
 */
int vyx_window_record(struct vyx_window *win, const struct vyx_pool_msg *m,
    int fd, uint64_t now);

/* The channel is closed or broke. What is held is kept and reused; waiters
 * wait; dial() is called again from vyx_window_turn(). */
void vyx_window_down(struct vyx_window *win, uint64_t now);

/* The channel takes records again. */
void vyx_window_writable(struct vyx_window *win);

/* Draining (SIGTERM): says bye, gives what is idle, then what ends. */
void vyx_window_bye(struct vyx_window *win, uint64_t now);

/*
 * Once at the end of each turn of the loop: dials, expires, reports, sends
 * what is dirty. Then sleep until vyx_window_due() at most (UINT64_MAX: no
 * need to wake). With nothing to do both cost a few instructions.
 */
void vyx_window_turn(struct vyx_window *win, uint64_t now);
uint64_t vyx_window_due(const struct vyx_window *win);

/* Connections of the whole window that are not let go of yet. */
uint32_t vyx_window_held(const struct vyx_window *win);

void vyx_window_stat(const struct vyx_wworker *worker, struct vyx_wstat *out);

#endif
