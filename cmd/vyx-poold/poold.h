/* SPDX-License-Identifier: ISC */
#ifndef VYX_POOLD_H
#define VYX_POOLD_H

#include "base/prog.h"
#include "state/pool.h"
#include "sys/ctl.h"
#include "sys/reg.h"

/*
 * vyx-poold - the glue around lib/state/pool: it carries records, dials,
 * polls and closes; every decision is the module's.
 *
 *	peers.c	 the edge: listener, channels, records
 *	conns.c	 worker connections: dial, poll, end
 *	rows.c	 what regd says: workers, endpoints, routers; the rows `use`
 *	main.c	 start, stop, figures
 */

struct poold;

/* A router or vyx-acquire. */
struct peer {
	struct poold *d;
	struct vyx_chan chan;
	struct vyx_ppeer *peer;
	struct peer *next;
	const char *cut; /* why it is to be closed at the end of this turn */
	int dead;        /* closed; freed at the end of this turn */
};

struct worker {
	struct worker *next;
	uint64_t idle_ms;
	int explicit; /* min-idle was written */
	char id[VYX_POOL_W + 1];
};

struct endpoint {
	struct endpoint *next;
	struct poold *d;
	struct vyx_pinst *inst; /* NULL: the module was not told yet */
	struct vyx_pool_conf conf;
	int gone;    /* its row is; goes at the commit */
	int changed; /* since the last commit */
	int down;    /* it refuses connections */
	int drained;
	int dirty; /* its row `use` is not told */
	int told;
	int serial;
	char i[VYX_POOL_I + 1];
	char w[VYX_POOL_W + 1];
	char path[VYX_PATH_MAX + 1];
};

/* A router of which regd's `proc` knows. */
struct router {
	struct router *next;
	char name[129];
};

struct poold {
	struct vyx_loop loop;
	struct vyx_opt opt;
	const char *run;
	struct vyx_pool *pool;
	struct vyx_io listen;
	struct peer *peers;
	struct worker *workers;
	struct endpoint *endpoints;
	struct router *routers;
	struct vyx_task turn; /* the module's turn, at the end of ours */
	struct vyx_timer due;
	struct vyx_reg reg;
	struct vyx_ctl ctl;
	struct vyx_buf out; /* one record of the edge */
	uint64_t fds_may;   /* our limit */
	uint64_t fds_want;  /* what the rows can ask for */
	unsigned asked;     /* of regd, unanswered */
	int syncing;        /* `synced` is still to be said */
	int settled;
};

/* The module has, or may have, something to do at the end of this turn. */
void poold_touch(struct poold *d);

void peers_start(struct poold *d);
void peers_stop(struct poold *d);
/* Close those that were cut, free those that are gone. */
void peers_sweep(struct poold *d);
/* Whether router `name` has said all that it holds. */
int peers_held(const struct poold *d, const char *name);
int peers_send(void *arg, void *peer, const struct vyx_pool_msg *m, int fd);
void peers_cut(void *arg, void *peer, const char *why);

int conns_dial(void *arg, void *endpoint);
int conns_watch(void *arg, struct vyx_pconn *c, int how);
void conns_end(void *arg, struct vyx_pconn *c);

void rows_start(struct poold *d);
/* Tell the module once every router that regd knows has said held. */
void rows_settle(struct poold *d);
void rows_drained(void *arg, void *endpoint);
void rows_up(void *arg, void *endpoint, int up, int error);
void rows_serial(void *arg, void *endpoint, int serial);
/* Write what `use` rows are dirty. */
void rows_tell(struct poold *d);

void figures(struct vyx_ctl *t, struct vyx_chan *to);

#endif
