/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_WINDOW_I_H
#define VYX_STATE_WINDOW_I_H

#include "state/pool_mutant.h"
#include "state/window.h"

/*
 * window_i - what the files of window share, and nobody else sees.
 *
 * window.c	  requests: take, wait, done, drop
 * window_table.c workers, instances, the heap of idle connections
 * window_out.c	  records to poold
 * window_edge.c  records from poold, timers
 */

#define VYX_MS UINT64_C(1000000)
#define VYX_NEED_NS VYX_MS                /* between two needs of a worker */
#define VYX_FAIR_NS (2 * VYX_MS)          /* an own waiter may be younger by */
#define VYX_STUCK_NS (100 * VYX_MS)       /* without a byte */
#define VYX_STUCK_LONG_NS (1000 * VYX_MS) /* ... whoever is to blame */
#define VYX_SCAN_NS (1000 * VYX_MS)
#define VYX_REPLACE_NS (1000 * VYX_MS) /* for the replacement to come */
#define VYX_REDIAL_MIN_NS (10 * VYX_MS)
#define VYX_REDIAL_MAX_NS (100 * VYX_MS) /* less than poold's settle time */
#define VYX_NEVER UINT64_MAX

enum {
	TELL_HOLD = 1,
	TELL_TUNNEL = 2,
	TELL_STUCK = 4,
	TELL_GIVE = 8,
	TELL_DROP = 16,
	TELL_LOST = 32,
	TELL_MOVED = 64,
	TELL_END = TELL_GIVE | TELL_DROP | TELL_LOST | TELL_MOVED
};

struct vyx_winst {
	struct vyx_wworker *worker;
	struct vyx_winst *next;          /* of the worker */
	struct vyx_winst *rnext, *rprev; /* of those with an idle one */
	struct vyx_wconn **heap;         /* idle ones, lowest number first */
	uint32_t idle, cap;
	uint32_t busy, tunnels;
	uint32_t conns;          /* structs that point here */
	uint32_t max;            /* of its endpoint row */
	uint32_t told_lack;      /* of the last need */
	uint64_t mark;           /* none below may be used again */
	uint64_t asked;          /* ns: a replacement was asked for; 0: none */
	uint64_t got, got_since; /* answered last: where, sent when */
	uint32_t width;          /* older ones open while a slow answer came */
	uint8_t up;              /* its endpoint row says so */
	uint8_t says;            /* 0: no answer yet, 1: closes, 2: keeps */
	uint8_t said;            /* how often told since it changed, to 3 */
	uint8_t say;             /* to be told */
	uint8_t idn;
	char id[VYX_POOL_I];
};

struct vyx_wworker {
	struct vyx_window *win;
	struct vyx_wworker *next;  /* of the table */
	struct vyx_wworker *dnext; /* of the dirty */
	struct vyx_winst *insts;
	struct vyx_winst *ring; /* next in turn */
	struct vyx_waiter *head, *tail;
	uint32_t waiting, max_waiting;
	uint64_t due; /* ns: no deadline is before */

	uint32_t low, tunnels; /* as poold said */
	uint64_t idle_ns;
	uint8_t up;

	uint8_t least;
	uint8_t gone;  /* its row is */
	uint8_t dirty; /* in the list */
	uint8_t again; /* a conn came: report though nothing changed */

	uint32_t recall; /* how many to give back yet */
	uint64_t before; /* ns: of the oldest waiter elsewhere; 0: none */

	uint64_t need_at; /* ns: when it was sent last */
	uint64_t told_since;
	uint32_t told_waiting;

	struct vyx_wstat stat;
	uint8_t idn;
	char id[VYX_POOL_W];
};

enum { EDGE_DOWN, EDGE_HOLDING, EDGE_UP };

struct vyx_window {
	const struct vyx_window_ops *ops;
	void *arg;
	struct vyx_wworker *workers;
	struct vyx_wworker *dirty;
	struct vyx_wconn *all;
	struct vyx_wconn *await, *await_last;
	struct vyx_wconn *out, *out_last;
	uint32_t held, holds; /* connections; hold records sent */
	uint64_t due;         /* ns: nothing is to do before */
	uint64_t scan_at;     /* idle ones are looked over */
	uint64_t redial_at, redial_ns;
	enum vyx_proc role;
	uint32_t pid;
	uint8_t edge;
	uint8_t greeted; /* hello sent */
	uint8_t heard;   /* hello received */
	uint8_t blocked; /* until writable */
	uint8_t draining;
	uint8_t byed; /* bye sent */
	uint8_t namen;
	char name[VYX_POOL_I];
};

/* window_stuck.c */
void vyx_wconn_unawait(struct vyx_wconn *c);
/* Look at c in a while: no answer has come on it. */
void vyx_wconn_await(struct vyx_wconn *c, uint64_t now);
/* Report what is stuck, of those whose look is due. */
void vyx_window_look(struct vyx_window *win, uint64_t now);

/* window_table.c */
struct vyx_wworker *vyx_window_find(struct vyx_window *win, struct vyx_str id);
struct vyx_winst *vyx_winst_find(struct vyx_wworker *w, struct vyx_str id);
struct vyx_winst *vyx_winst_make(struct vyx_wworker *w, struct vyx_str id);
/* Free the instances that nothing speaks for; the worker too if it is gone. */
void vyx_wworker_reap(struct vyx_wworker *w);
int vyx_winst_push(struct vyx_winst *i, struct vyx_wconn *c);
void vyx_winst_pull(struct vyx_winst *i, struct vyx_wconn *c);
/* How many idle ones it is short of. */
uint32_t vyx_winst_lack(const struct vyx_winst *i);
/* Requests that the instances could take at once: those do not wait for
 * another one's end, only for poold to dial. */
uint64_t vyx_wworker_room(const struct vyx_wworker *w);
/* The worker's state may differ from what poold was told. */
void vyx_wworker_touch(struct vyx_wworker *w);
struct vyx_wconn *vyx_wconn_new(struct vyx_winst *i, uint64_t number, int fd);
void vyx_wconn_free(struct vyx_wconn *c);
static inline struct vyx_str
vyx_winst_id(const struct vyx_winst *i)
{
	return (struct vyx_str){ i->id, i->idn };
}
static inline struct vyx_str
vyx_wworker_id(const struct vyx_wworker *w)
{
	return (struct vyx_str){ w->id, w->idn };
}

/* window.c */
/* A connection that is nobody's: to a waiter, to poold or idle here. */
void vyx_wconn_rest(struct vyx_wconn *c, uint64_t now);
/* It leaves: let(how), then `tell` (TELL_...). */
void vyx_wconn_part(struct vyx_wconn *c, unsigned tell, unsigned why, int how);
/* Idle ones go back, at most `n`, lowest numbers first. How many went. */
uint32_t vyx_wworker_give(struct vyx_wworker *w, uint32_t n);
/* Serve waiters while there are idle ones. */
void vyx_wworker_serve(struct vyx_wworker *w, uint64_t now);
/* Expire waiters; brings w->due up to date. */
void vyx_wworker_expire(struct vyx_wworker *w, uint64_t now);

/* window_out.c */
void vyx_wconn_tell(struct vyx_wconn *c, unsigned tell);
/* Tell all that is to be told, as far as the edge takes it. */
void vyx_window_flush(struct vyx_window *win, uint64_t now);

static inline void
vyx_window_by(struct vyx_window *win, uint64_t at)
{
	if (at < win->due)
		win->due = at;
}

#endif
