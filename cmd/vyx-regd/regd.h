/* SPDX-License-Identifier: ISC */
#ifndef VYX_REGD_H
#define VYX_REGD_H

#include "state/watch.h"
#include "sys/chan.h"
#include "sys/ctl.h"
#include "sys/store.h"

/*
 * vyx-regd: rows in memory, the wanted ones on disk before their answer, and
 * a ring of changes for all who watch. It knows rows; what a worker or a
 * route is stands in the column tables of vyx.h alone.
 *
 * A turn of the loop is one transaction on disk: requests change memory, the
 * ring and the open transaction at once and put their answers into the
 * channels; regd_turn() commits, and only then are answers and changes sent.
 * So whatever fails on disk ends the process with nothing acknowledged.
 *
 *	main.c	 options, start, stop
 *	peer.c	 connections, and what they end with
 *	serve.c	 one function a request
 *	rights.c who may write what
 *	stage.c	 begin ... commit
 *	source.c sync ... synced
 *	change.c a change to memory, ring and disk
 *	disk.c	 the two stores, loading, the turn's commit
 */

#define REGD_PEERS 1000      /* connections */
#define REGD_ROWS 100000     /* in all tables */
#define REGD_BYTES 268435456 /* of all rows */
#define REGD_ASKED 64        /* requests of one connection in one turn */
#define REGD_OUT 1048576     /* unsent bytes, before one more record */
#define REGD_FILL 65536      /* unsent bytes up to which a watcher is told */
#define REGD_LS 262144       /* bytes of rows in one answer to ls */
#define REGD_STAGED 50000    /* changes of one transaction */
#define REGD_STAGE 67108864  /* their bytes */
#define REGD_STAGES 4        /* transactions being told at one time */
#define REGD_AHEAD (UINT64_C(1) << 20) /* revisions reserved on disk */

struct regd;

struct regd_listener {
	struct regd *d;
	struct vyx_io io;
	enum vyx_edge edge;
	char path[VYX_PATH_MAX + 1];
};

struct regd_peer {
	struct vyx_chan chan;
	struct regd *d;
	struct regd_peer *next, **at; /* in d->peers */
	uint64_t serial;              /* of the connection, never 0 */
	enum vyx_proc role;           /* by hello; VYX_P_NONE: nobody known */
	unsigned asked;               /* in this turn */
	int ending;                   /* after this turn's commit */
	int waits;                    /* its watch goes on when it has read */
	struct vyx_watch watch;
	struct regd_stage *stage; /* between begin and commit */
	char source[65];          /* that it speaks for, or "" */
};

struct regd {
	struct vyx_loop loop;
	struct vyx_ctl ctl;
	struct regd_listener listen[3];
	struct regd_peer *peers;
	unsigned npeers, nstages;
	uint64_t serial;
	int stopping;

	struct vyx_rows table[VYX_T_COUNT];
	struct vyx_ring ring;
	uint64_t rev;     /* of the last change */
	uint64_t ceiling; /* on disk; revisions up to it may be told */

	struct vyx_store store, seen;
	char store_path[4096], seen_path[4096];
	uint64_t seen_lost; /* when the seen store failed; 0: it is good */

	struct vyx_task turn;
	struct vyx_timer more; /* a watcher has room: another turn */
	struct vyx_buf scratch, cols;
	uint64_t cut; /* watchers that were too slow */
	char boot[65], host[256];
};

/* main.c: the kind of each table, by vyx.h. */
enum regd_life { REGD_WANTED, REGD_STATE, REGD_SEEN, REGD_PROC };
enum regd_life regd_life(enum vyx_table t);

/* peer.c */
int regd_listen(struct regd *d, const char *run);
void regd_unlisten(struct regd *d);
void regd_hang_up(struct regd *d);
/* Answer request `id`; the text is for people. */
void regd_ok(struct regd_peer *p, uint64_t id, uint64_t rev);
void regd_no(struct regd_peer *p, uint64_t id, const char *why, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
/* Send the record that was ended in p->chan.out. */
void regd_said(struct regd_peer *p, int whole);
/* The end of a turn: commit, then tell. */
void regd_turn(struct vyx_task *t);

/* serve.c */
void regd_serve(struct regd_peer *p, const struct vyx_rec *r);

/* A refusal: the word and the text of `no`. */
struct regd_why {
	const char *why;
	char text[256];
};
int regd_refuse(struct regd_why *w, const char *why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The argument pair of %.*s, cut where a text for people would be flooded. */
#define REGD_SHOW(s) (int)((s).n < 100 ? (s).n : 100), (s).p

/* A change as it was asked for, checked by rights.c. */
struct regd_ask {
	enum vyx_table table;
	int del;
	int has_if;
	uint64_t if_rev;
	struct vyx_str key;
	struct vyx_str who;  /* owner, or source */
	struct vyx_str cols; /* encoded; in d->cols */
};

/* The change that `r` (put or del) asks for; 1 unless its form is refused. */
int regd_ask(struct regd *d, const struct vyx_rec *r, struct regd_ask *a,
    struct regd_why *w);
/* rights.c: whether `p` may. */
int regd_may(const struct regd_peer *p, const struct regd_ask *a,
    struct regd_why *w);
/* Whether the row's revision is the one asked for, and a new one has room. */
int regd_fits(const struct regd *d, const struct regd_ask *a,
    struct regd_why *w);

/*
 * change.c: do it, on behalf of connection `conn` (0: none). An equal row
 * changes nothing but that its source has named it. The row's revision. What
 * cannot be done on disk or for want of memory ends the process: 111.
 */
uint64_t regd_change(struct regd *d, const struct regd_ask *a, uint64_t conn);
/* The end of a transaction, of one change or many. Its revision. */
uint64_t regd_changed(struct regd *d);
/* Mark the rows of `t` that are of `who`; delete those of them that nobody
 * put since. */
void regd_mark(struct regd *d, enum vyx_table t, struct vyx_str who);
void regd_sweep(struct regd *d, enum vyx_table t, struct vyx_str who);

/* stage.c: within begin ... commit. regd_staged: 1 when it took the request. */
void regd_begin(struct regd_peer *p, const struct vyx_rec *r);
/* A record that cannot be read: within a transaction, or for a begin, commit
 * will be refused for it. 0: there is none. */
int regd_spoil(struct regd_peer *p, const struct vyx_rec *r);
void regd_staged(struct regd_peer *p, const struct vyx_rec *r);
void regd_commit(struct regd_peer *p, const struct vyx_rec *r);
void regd_unstage(struct regd_peer *p);

/* source.c */
void regd_sync(struct regd_peer *p, const struct vyx_rec *r);
void regd_synced(struct regd_peer *p, const struct vyx_rec *r);
int regd_speaks(const struct regd_peer *p);
/* The connection ends: its source is stale, its own rows go. */
void regd_source_gone(struct regd_peer *p);
/* At start: nobody speaks for any source yet. */
void regd_all_stale(struct regd *d);

/* disk.c: both exit when the disk is not as it must be. */
void regd_load(struct regd *d, const char *state);
void regd_sync_disk(struct regd *d);
void regd_disk_put(struct regd *d, enum vyx_table t, const struct vyx_row *row);
void regd_disk_del(struct regd *d, enum vyx_table t, struct vyx_str key);
void regd_close(struct regd *d);

#endif
