/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_REG_H
#define VYX_SYS_REG_H

#include "sys/chan.h"

/*
 * reg - a daemon's connection to vyx-regd: keeps it up, watches tables,
 * sends requests.
 *
 * Owns	    the channel and the set of keys that the program was told of.
 * Needs    a loop; the callbacks below.
 * Returns  1 when done; 0 when refused, errno says why.
 * Cost	    per row its key, twice; per change one callback.
 *
 * The program sees rows come and go, and a commit behind each consistent
 * set; what a snapshot no longer names is told as gone. While regd is away it
 * sees nothing: its copy stays good. Reconnects after 10, 20, 40 ... 500 ms.
 */

struct vyx_reg;

struct vyx_reg_ops {
	/* A row is so now. Applied only at the commit it belongs to. */
	void (*put)(struct vyx_reg *g, const struct vyx_rec *row);
	/* A row of `table` is gone. */
	void (*del)(struct vyx_reg *g, enum vyx_table table,
	    struct vyx_str key);
	/* All of revision `rev` has been told. The first one after a connect
	 * is the snapshot's. */
	void (*commit)(struct vyx_reg *g, uint64_t rev);
	/* Connected, hello done (1): put your rows now; or lost (0). May be
	 * NULL. */
	void (*link)(struct vyx_reg *g, int up);
};

/* The answer to a request: verb OK, NO, ROW or END; NULL: the connection was
 * lost before it came, and nobody knows whether it took effect. */
typedef void vyx_reg_answer(void *arg, const struct vyx_rec *r);

struct vyx_reg {
	struct vyx_loop *loop;
	const struct vyx_reg_ops *ops;
	const char *name; /* ours in hello: "route.0" */
	const char *role; /* program */
	char path[VYX_PATH_MAX + 1];
	enum vyx_edge edge; /* VYX_E_READ, _SEEN, or _OPS */
	uint32_t tables;    /* watched: 1 << VYX_T_... */
	uint64_t rev;       /* applied last */
	int up;             /* hello done */
	int synced;         /* the first snapshot is in */

	struct vyx_chan chan;
	struct vyx_timer retry;
	unsigned tries;
	uint32_t next_id;
	uint32_t watch_id;
	int many; /* the request being written has many answers */
	struct vyx_reg_asked *asked; /* requests without an answer yet */
	unsigned nasked;
	struct vyx_buf batch; /* changes of the commit that is coming in */
	int snapshot;         /* between snapshot and synced */
	struct vyx_reg_keys *keys;
	char boot[65]; /* of regd's host, from hello */
};

/* Start connecting. RUN is the run directory. loop, ops, name, role, edge and
 * tables are set by the caller before; the rest is zero. */
int vyx_reg_start(struct vyx_reg *g, const char *run);
void vyx_reg_stop(struct vyx_reg *g);

/*
 * A request: begin it, add fields, send it. At most 64 without an answer:
 * EBUSY. ENOTCONN while regd is away. `fn` may be NULL.
 *	struct vyx_rec_out o = vyx_reg_ask(g, VYX_V_PUT);
 *	vyx_rec_putz(&o, VYX_F_TABLE, "proc"); ...
 *	vyx_reg_send(g, &o, fn, arg);
 */
struct vyx_rec_out vyx_reg_ask(struct vyx_reg *g, enum vyx_verb verb);
int vyx_reg_send(struct vyx_reg *g, struct vyx_rec_out *o, vyx_reg_answer *fn,
    void *arg);

/*
 * For commands (vyx-reg, vyx-conf, vyx): connect, say hello, wait for its
 * answer, all blocking, `limit` ns at most. A blocking socket, or -1.
 */
struct vyx_reg_sync {
	int fd;
	enum vyx_edge edge;
	uint64_t until; /* CLOCK_MONOTONIC ns */
	struct vyx_buf in, out;
	size_t taken; /* bytes of `in` that the last record had */
	struct vyx_rec rec;
	uint32_t next_id;
	uint64_t rev, floor;
	char said[128]; /* why regd turned us away (EACCES) */
};
int vyx_reg_connect(struct vyx_reg_sync *s, const char *run, enum vyx_edge edge,
    const char *role, uint64_t limit);
/* Begin a request in s->out (id set); send all that is in s->out. */
struct vyx_rec_out vyx_reg_sync_ask(struct vyx_reg_sync *s, enum vyx_verb verb);
int vyx_reg_sync_send(struct vyx_reg_sync *s);
/* The next record from regd, valid until the next call. 0: ETIMEDOUT, EPIPE
 * (regd closed), EPROTO (s->rec.text). */
int vyx_reg_sync_recv(struct vyx_reg_sync *s);
void vyx_reg_disconnect(struct vyx_reg_sync *s);

#endif
