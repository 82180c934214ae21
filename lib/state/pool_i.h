/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_POOL_I_H
#define VYX_STATE_POOL_I_H

#include "state/pool.h"
#include "state/pool_mutant.h"

/*
 * pool_i - what the files of pool share, and nobody else sees.
 *
 * pool.c	the life of a connection
 * pool_in.c	records from peers
 * pool_table.c	workers, instances, peers, the hash of connections
 * pool_serve.c	dials, and who gets the next connection
 * pool_tell.c	windows, recalls, voids
 * pool_turn.c	what time brings about; the end of a turn
 * pool_class.c	what a worker is like: keeps, closes, one at a time
 */

#define VYX_PMS UINT64_C(1000000)
#define VYX_RECALL_NS VYX_PMS          /* between two recalls */
#define VYX_REVOKE_NS (2000 * VYX_PMS) /* recalled, and gave nothing */
#define VYX_LINGER_NS (1000 * VYX_PMS)
#define VYX_PAUSE_NS (100 * VYX_PMS) /* after a lost descriptor */
#define VYX_EMFILE_NS (100 * VYX_PMS)
#define VYX_BACK_MIN_NS (5 * VYX_PMS)
#define VYX_BACK_MAX_NS (500 * VYX_PMS)
#define VYX_DRAIN_NS (1000 * VYX_PMS)   /* for the new instance to fill */
#define VYX_TRIAL_NS (1000 * VYX_PMS)   /* between two trials */
#define VYX_TRIAL_AGAIN (200 * VYX_PMS) /* while it looks serial */
#define VYX_TRIAL_STEP (100 * VYX_PMS)  /* each waits so much longer */
#define VYX_PROOF_NS (50 * VYX_PMS)     /* void to first byte */
#define VYX_IGNORE_NS (10000 * VYX_PMS) /* a slow one */
#define VYX_SERIAL_NS (600000 * VYX_PMS)
#define VYX_PNEVER UINT64_MAX
#define VYX_POOL_STRAYS 256 /* workers asked for that no row names */

enum { CLASS_UNPROVEN, CLASS_KEEPS, CLASS_ONESHOT };

struct vyx_pinst {
	struct vyx_pworker *worker; /* NULL: only a hold named it */
	struct vyx_pinst *next;     /* of the pool */
	struct vyx_pinst *wnext;    /* of the worker */
	void *user;
	struct vyx_pool_conf conf;
	struct vyx_pconn *conns, *last; /* by number */
	uint32_t counted, tunnels, idle;
	uint64_t mark;     /* none below may be used again */
	uint64_t void_for; /* a bit a peer: to be told the mark */
	uint64_t back_until, back_ns;
	uint64_t drain_at; /* ns: void the old ones then at latest */
	uint8_t known;     /* its row is there */
	uint8_t down;
	uint8_t voided;  /* draining: the routers were told */
	uint8_t drained; /* told */

	uint8_t class;
	uint8_t yes, no; /* answers in a row that kept, that closed */

	uint64_t serial_until; /* ns: 0 when it is not */
	uint32_t stucks;       /* connections reported, no byte yet */
	uint32_t width;        /* most older ones open at a slow answer */
	uint64_t wide_c;       /* one that came, on this connection */
	uint64_t wide_at;      /* ns: count the older ones then; 0: none came */
	uint64_t stuck_c;      /* the connection of the trial, 0: none */
	uint64_t trial_at;     /* ns: when the last began */
	uint64_t void_at;      /* ns: when its void is due */
	uint64_t proof_by;     /* ns: 0 before the void */
	uint64_t ignore_until;
	uint8_t hits, misses;

	uint16_t lack[VYX_POOL_PEERS];
	struct vyx_pool_stat stat;
	uint8_t idn;
	char id[VYX_POOL_I];
};

/* What one peer wants of one worker, and what it was told of it. */
struct vyx_plink {
	uint32_t waiting, owed, loans;
	uint64_t since;
	uint32_t told_n;  /* recalled */
	uint64_t told_at; /* ns: when */
	uint64_t told_before;
	uint64_t recall_from; /* ns: n left 0, or it gave last */
	uint8_t windowed;     /* was told of the window at all */
	uint8_t up;
	uint32_t low, tunnels;
	uint64_t idle_ms;
};

struct vyx_pworker {
	struct vyx_pool *pool;
	struct vyx_pworker *next;
	struct vyx_pworker *dnext; /* of the dirty */
	struct vyx_pinst *insts;
	struct vyx_plink *link[VYX_POOL_PEERS]; /* by slot */
	uint64_t idle_ms;
	uint8_t known; /* its row is there */
	uint8_t dirty;
	uint8_t starved;
	uint64_t recalls;
	uint8_t idn;
	char id[VYX_POOL_W];
};

struct vyx_ppeer {
	void *user;
	uint32_t slot;
	enum vyx_proc role;
	uint32_t pid;
	uint32_t loans;
	uint8_t heard, held, bye, blocked;
	uint64_t paused; /* ns: it lost a descriptor; nothing until then */
	struct vyx_pconn *conns;
	char name[VYX_POOL_I + 1];
};

struct vyx_pool {
	const struct vyx_pool_ops *ops;
	void *arg;
	struct vyx_pworker *workers, *dirty;
	struct vyx_pinst *insts;
	struct vyx_ppeer *peer[VYX_POOL_PEERS];
	struct vyx_pconn **hash;
	uint32_t buckets, conns;
	uint64_t first, next; /* numbers: of this life from first on */
	uint64_t random;
	uint64_t settle_at;
	uint64_t emfile_until;
	uint64_t scan_at; /* a FREE or LINGER one ends */
	uint64_t due;
	uint8_t settled;
};

/* pool_table.c */
struct vyx_pworker *vyx_pworker_find(const struct vyx_pool *p,
    struct vyx_str id);
struct vyx_pworker *vyx_pworker_make(struct vyx_pool *p, struct vyx_str id);
struct vyx_pinst *vyx_pinst_find(const struct vyx_pool *p, struct vyx_str id);
struct vyx_pinst *vyx_pinst_make(struct vyx_pool *p, struct vyx_str id);
void vyx_pinst_bind(struct vyx_pinst *i, struct vyx_pworker *w);
/* Free it when no row, no connection and no word to a router is left. */
void vyx_pinst_reap(struct vyx_pool *p, struct vyx_pinst *i);
struct vyx_plink *vyx_plink_make(struct vyx_pworker *w,
    const struct vyx_ppeer *q);
struct vyx_pconn *vyx_pconn_find(const struct vyx_pool *p, uint64_t c);
struct vyx_pconn *vyx_pconn_new(struct vyx_pool *p, struct vyx_pinst *i,
    uint64_t c, int fd);
void vyx_pconn_unlink(struct vyx_pool *p, struct vyx_pconn *c);
void vyx_pworker_touch(struct vyx_pworker *w);
void vyx_pinst_touch(struct vyx_pinst *i);
static inline struct vyx_str
vyx_pinst_id(const struct vyx_pinst *i)
{
	return (struct vyx_str){ i->id, i->idn };
}
static inline struct vyx_str
vyx_pworker_id(const struct vyx_pworker *w)
{
	return (struct vyx_str){ w->id, w->idn };
}

/* pool.c */
void vyx_pconn_end(struct vyx_pool *p, struct vyx_pconn *c);
/* It is nobody's: FREE here, or END. 0: it was ended. */
int vyx_pconn_rest(struct vyx_pool *p, struct vyx_pconn *c, uint64_t now);
/* Out of our hands: not watched, not idle. */
void vyx_pconn_lent(struct vyx_pool *p, struct vyx_pconn *c);
void vyx_pconn_own(struct vyx_pconn *c, struct vyx_ppeer *q);
void vyx_pconn_disown(struct vyx_pconn *c);
/* What its borrower wants of its worker; NULL: nobody has it. */
struct vyx_plink *vyx_pconn_link(const struct vyx_pconn *c);
/* As of vyx_pool_ops.watch, when that is a change. */
int vyx_pconn_watch(struct vyx_pool *p, struct vyx_pconn *c, int how);
void vyx_pconn_ends_at(struct vyx_pool *p, struct vyx_pconn *c, uint64_t until);
/* Tunnels count apart, as many as may be; the others as connections. */
void vyx_pinst_assort(struct vyx_pinst *i);
void vyx_pconn_count(struct vyx_pconn *c, uint8_t counts);
/* None of i numbered below `mark` may be used again. */
void vyx_pinst_void(struct vyx_pool *p, struct vyx_pinst *i, uint64_t mark);
/* Void what is over max, lowest first. */
void vyx_pinst_trim(struct vyx_pool *p, struct vyx_pinst *i);

/* pool_serve.c */
uint32_t vyx_pinst_max(const struct vyx_pinst *i);
/* Idle connections it should have, by its class. */
uint32_t vyx_pinst_min(const struct vyx_pinst *i);
int vyx_pinst_usable(const struct vyx_pinst *i);
/* Can the peer in slot k be sent a connection? */
int vyx_ppeer_ready(const struct vyx_pool *p, uint32_t k, uint64_t now);
/* Lend what is owed, then what is lacking. */
void vyx_pworker_serve(struct vyx_pool *p, struct vyx_pworker *w, uint64_t now);

/* pool_tell.c */
int vyx_ppeer_put(struct vyx_pool *p, struct vyx_ppeer *q,
    const struct vyx_pool_msg *m, int fd);
/* Routers that share the idle connections out among them. */
uint32_t vyx_pool_routers(const struct vyx_pool *p);
/* Windows and recalls; void marks. */
void vyx_pworker_tell(struct vyx_pool *p, struct vyx_pworker *w, uint64_t now);
void vyx_pinst_tell(struct vyx_pool *p, struct vyx_pinst *i);

/* pool_class.c */
void vyx_pinst_says(struct vyx_pool *p, struct vyx_pinst *i, int keeps);
void vyx_pinst_stuck(struct vyx_pool *p, struct vyx_pconn *c, int byte,
    uint64_t now);
/* c ends: no evidence can come of it any more. */
void vyx_pinst_unstuck(struct vyx_pconn *c);
void vyx_pinst_class_turn(struct vyx_pool *p, struct vyx_pinst *i,
    uint64_t now);

static inline void
vyx_pool_by(struct vyx_pool *p, uint64_t at)
{
	if (at < p->due)
		p->due = at;
}

#endif
