/* SPDX-License-Identifier: ISC */
#include <time.h>
#include <unistd.h>

#include "router.h"

/* The edge to vyx-regd. While it is away the copy goes on. */

#define LATE_NS (UINT64_C(2) * VYX_SEC) /* ready without regd after this */

static void
put(struct vyx_reg *g, const struct vyx_rec *row)
{
	rows_put(VYX_OF(g, struct router, reg), row);
}

static void
del(struct vyx_reg *g, enum vyx_table t, struct vyx_str key)
{
	rows_del(VYX_OF(g, struct router, reg), t, key);
}

/* Once: clients are let in, and whoever started us is told. */
void
watch_ready(struct router *r)
{
	if (r->ready)
		return;
	r->ready = 1;
	vyx_loop_cancel(&r->loop, &r->ready_late);
	listen_poll(r);
	vyx_prog_ready(&r->opt);
	watch_say(r);
}

static void
commit(struct vyx_reg *g, uint64_t rev)
{
	struct router *r = VYX_OF(g, struct router, reg);

	(void)rev;
	rows_commit(r);
	watch_ready(r);
}

static void
link_up(struct vyx_reg *g, int up)
{
	if (up)
		watch_say(VYX_OF(g, struct router, reg));
}

static void
late(struct vyx_timer *t)
{
	struct router *r = VYX_OF(t, struct router, ready_late);

	vyx_log(VYX_WARN, "vyx-regd is away; no routes yet", NULL);
	watch_ready(r);
}

/* Our row of `proc`; siblings poll our sockets unless it says ready. */
void
watch_say(struct router *r)
{
	enum vyx_state s = r->draining ? VYX_S_DRAINING
	    : r->ready                 ? VYX_S_READY
	                               : VYX_S_STARTING;
	struct vyx_rec_out o;
	struct timespec t;

	if (!r->reg.up)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	o = vyx_reg_ask(&r->reg, VYX_V_PUT);
	vyx_rec_putz(&o, VYX_F_TABLE, "proc");
	vyx_rec_putz(&o, VYX_F_KEY, r->name);
	vyx_rec_putz(&o, VYX_F_PROGRAM, "vyx-route");
	vyx_rec_putu(&o, VYX_F_PID, (uint64_t)getpid());
	vyx_rec_putz(&o, VYX_F_VERSION, VYX_VERSION);
	vyx_rec_putu(&o, VYX_F_SLOT, r->slot);
	vyx_rec_putz(&o, VYX_F_STATE, vyx_rec_state_name(s));
	vyx_rec_putu(&o, VYX_F_SINCE,
	    (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000);
	if (!vyx_reg_send(&r->reg, &o, NULL, NULL))
		vyx_log_sys(VYX_WARN, "cannot put the proc row", NULL);
}

void
watch_start(struct router *r)
{
	static const struct vyx_reg_ops ops = { put, del, commit, link_up };

	r->reg.loop = &r->loop;
	r->reg.ops = &ops;
	r->reg.name = r->name;
	r->reg.role = "vyx-route";
	r->reg.edge = VYX_E_SEEN;
	r->reg.tables = 1u << VYX_T_SETTING | 1u << VYX_T_LISTENER |
	    1u << VYX_T_WORKER | 1u << VYX_T_ROUTE | 1u << VYX_T_ENDPOINT |
	    1u << VYX_T_PROC;
	r->ready_late.fn = late;
	if (!(r->rows = rows_new()) || !vyx_reg_start(&r->reg, r->run) ||
	    !vyx_loop_timer(&r->loop, &r->ready_late, r->loop.now + LATE_NS))
		vyx_die_sys(VYX_SYSTEM, "cannot watch the registry");
}
