/* SPDX-License-Identifier: ISC */
#ifndef VYX_SUPERV_H
#define VYX_SUPERV_H

#include <limits.h>

#include "base/log.h"
#include "sys/ctl.h"
#include "sys/reg.h"

/*
 * superv - what is wanted (rows of `worker`), what is there (instances, each
 * a service directory that s6 runs), and how one becomes the other.
 *
 * The service directories are the memory: s6 and they go on without us, and
 * a new vyx-superv reads them back.
 */

#define NAME_MAX_ 128 /* of an instance, as the map says of field `i` */

/* A row of `worker`. */
struct work {
	struct work *next;
	char id[65];
	char *command, *dir, *user, *env, *health,
	    *owner; /* env: NUL after each */
	uint64_t replicas, max, tunnels, warm, startup_ms, shutdown_ms;
	int remote, native, drain;
	char spec[17]; /* digest of what an instance is made from */
};

enum phase {
	WANTED,   /* to run */
	DRAINING, /* its endpoint is being emptied */
	STOPPING, /* s6 was told to bring it down */
	UNLINKED, /* s6 was told to forget it */
	GONE      /* only its rows are left to delete */
};

struct superv;

struct inst {
	struct inst *next;
	struct superv *s;
	char id[NAME_MAX_ + 1];   /* api-0#7 */
	char name[NAME_MAX_ + 2]; /* api-0@7, its directories */
	char worker[65];
	uint64_t index, gen;
	char spec[17];
	uint64_t max, tunnels, warm, shutdown_ms;
	int fd;   /* its listening socket outlives it */
	int here; /* it has a service directory */

	enum phase phase;
	enum vyx_state state;
	int was_ready; /* once, so it has an endpoint */
	int drained;   /* vyx-poold holds no connection to it */
	uint64_t pid, since, restarts;
	int running, wantup; /* as s6 says; running: or its finish script */
	char code[33];
	char *failed;           /* why, NULL: it has not */
	int watch[2];           /* inotify: supervise/ and data/ */
	struct vyx_timer limit; /* of becoming ready, of draining */

	/* rows: to be put or deleted, and told already */
	int dirty, told_instance, told_endpoint;
};

/* A daemon that must answer. */
struct beat {
	struct beat *next;
	struct superv *s;
	char name[32];
	struct vyx_chan chan;
	int open;
	unsigned silent; /* ticks without an answer */
};

struct superv {
	struct vyx_loop loop;
	struct vyx_reg reg;
	struct vyx_ctl ctl;
	struct vyx_timer tick;
	struct vyx_task plan, tell;
	struct vyx_io inotify;
	const char *run, *scan;
	char sv[VYX_PATH_MAX + 1], w[VYX_PATH_MAX + 1], own[VYX_PATH_MAX + 1];
	struct work *works;
	struct inst *insts;
	struct beat *beats;
	uint64_t gen; /* highest given or seen */
	int root, allow_root;
	uid_t pool_gid;
	int known; /* the first snapshot is in: the plan may be acted on */
	int syncing;
	unsigned asked; /* requests without an answer */
	uint64_t killed, starts;
};

/* work.c: rows of `worker`. */
void work_put(struct superv *s, const struct vyx_rec *row);
void work_del(struct superv *s, struct vyx_str id);
struct work *work_find(struct superv *s, const char *id);

/* user.c: who runs a worker. */
struct who {
	uid_t uid;
	gid_t gid;
	char groups[256]; /* supplementary, 1,2,3 */
	char name[64], home[256];
};
/* NULL when found, else why not (static). */
const char *user_find(struct superv *s, const struct work *w, struct who *u);

/* make.c: directories of an instance. NULL when made, else why not, for
 * free(). */
char *make_inst(struct superv *s, struct inst *n, const struct work *w);
void make_link(struct superv *s, const char *name);

/* run.c: the scripts in a service directory. */
void run_script(struct vyx_buf *b, const struct superv *s, const struct inst *n,
    const struct work *w, const struct who *u);
void run_check(struct vyx_buf *b, const struct superv *s, const struct inst *n,
    const struct work *w, const struct who *u);
void run_finish(struct vyx_buf *b);
void run_log(struct vyx_buf *b, const struct superv *s, const struct inst *n,
    const struct who *u);

/* inst.c: the instances. */
struct inst *inst_new(struct superv *s, const char *worker, uint64_t index,
    int single);
int inst_adopt_all(struct superv *s);
void inst_fail(struct inst *n, char *why);
void inst_retire(struct inst *n);
void inst_tick(struct superv *s); /* what waits for no event */
void inst_drained(struct superv *s, struct vyx_str id);
void inst_free(struct inst *n);
/* Keep the newest logs of its place, remove those before. */
void inst_prune_logs(const struct inst *n);

/* watch.c: what s6 says of them. */
int watch_start(struct superv *s);
void watch_inst(struct inst *n);
void watch_end(struct inst *n);
void watch_read(struct inst *n);

/* plan.c: wanted against there. */
void plan_soon(struct superv *s);
void plan_run(struct vyx_task *t);

/* tell.c: our rows in vyx-regd. */
extern const struct vyx_reg_ops tell_ops;
void tell_soon(struct inst *n);
void tell_run(struct vyx_task *t);

/* beat.c: daemons that must answer. */
void beat_tick(struct superv *s);

#endif
