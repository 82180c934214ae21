/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "router.h"

/* The edge to vyx-regd. While it is away the copy goes on. */

#define LATE_NS (UINT64_C(2) * VYX_SEC) /* ready without regd after this */
#define RESERVE 64     /* descriptors for all that is no connection */
#define CLIENTS_MIN 16 /* served however few descriptors there are */

/* ---- what rows change ------------------------------------------------- */

static void
on_slot(struct vyx_plan *p, unsigned slot, int ready)
{
	struct router *r = VYX_OF(p, struct router, plan);

	if (slot < VYX_SLOTS)
		r->doors.ready[slot] = (uint8_t)ready;
}

/* Without sockets from vyx-bind, and none of our own by an operand, we bind
 * what the registry says before anybody is let in. */
static void
on_listener(struct vyx_plan *p, struct vyx_str addr, int tls)
{
	struct router *r = VYX_OF(p, struct router, plan);
	char own[129];

	for (unsigned i = 0; i < r->doors.n; i++)
		if (vyx_str_eq(VYX_STRZ(r->doors.door[i].addr), addr)) {
			r->doors.door[i].tls = tls;
			return;
		}
	if (!r->binds || r->ready || addr.n >= sizeof own)
		return;
	snprintf(own, sizeof own, "%.*s", (int)addr.n, addr.p);
	watch_bind(r, own);
	r->doors.door[r->doors.n - 1].tls = tls;
}

static void
on_note(struct vyx_plan *p, struct vyx_str route, struct vyx_str other,
    const char *why, int fatal)
{
	char a[256], b[256];

	(void)p;
	snprintf(a, sizeof a, "%.*s", (int)route.n, route.p);
	snprintf(b, sizeof b, "%.*s", (int)other.n, other.p);
	vyx_log(fatal ? VYX_ERROR : VYX_WARN, why, "row", a,
	    vyx_str_eq(route, other) ? NULL : "other", b, NULL);
}

void
watch_bind(struct router *r, const char *addr)
{
	if (vyx_doors_bind(&r->doors, addr))
		return;
	if (r->doors.bad_name)
		vyx_die(VYX_USAGE, "%s: %s", addr, r->doors.why);
	vyx_die_sys(VYX_SYSTEM, "%s: %s", addr, r->doors.why);
}

/* What is left of the descriptors when every worker has all it may have. */
static void
limits(struct router *r)
{
	uint64_t taken = vyx_plan_connections(&r->plan) + RESERVE;

	r->doors.per_address = r->plan.set.max_per_client;
	r->routers = 0;
	for (unsigned i = 0; i < VYX_SLOTS; i++)
		r->routers += r->doors.ready[i];
	r->doors.most = CLIENTS_MIN;
	if (r->fds > taken + CLIENTS_MIN)
		r->doors.most = r->fds - taken;
	else
		vyx_log(VYX_WARN, "too few descriptors for these workers",
		    "limit", VYX_NUM(r->fds), "wanted",
		    VYX_NUM(taken + CLIENTS_MIN), NULL);
}

/* Once: clients are let in, and whoever started us is told. */
static void
ready(struct router *r)
{
	if (r->ready)
		return;
	r->ready = 1;
	r->doors.open = 1;
	vyx_loop_cancel(&r->loop, &r->ready_late);
	vyx_prog_ready(&r->opt);
	watch_say(r);
}

/* ---- the registry ----------------------------------------------------- */

static void
put(struct vyx_reg *g, const struct vyx_rec *row)
{
	struct router *r = VYX_OF(g, struct router, reg);

	vyx_plan_put(&r->plan, row, r->loop.now);
}

static void
del(struct vyx_reg *g, enum vyx_table t, struct vyx_str key)
{
	struct router *r = VYX_OF(g, struct router, reg);

	vyx_plan_del(&r->plan, t, key, r->loop.now);
}

static void
open_doors(struct router *r)
{
	limits(r);
	if (!r->draining && !vyx_doors_poll(&r->doors))
		vyx_log_sys(VYX_ERROR, r->doors.why, NULL);
}

static void
commit(struct vyx_reg *g, uint64_t rev)
{
	struct router *r = VYX_OF(g, struct router, reg);

	(void)rev;
	if (!vyx_plan_commit(&r->plan, r->loop.now))
		vyx_log_sys(VYX_ERROR, "routes kept as they were", NULL);
	gate_commit(r);
	pool_touch(r);
	ready(r);
	open_doors(r);
}

static void
late(struct vyx_timer *t)
{
	struct router *r = VYX_OF(t, struct router, ready_late);

	vyx_log(VYX_WARN, "vyx-regd is away; no routes yet", NULL);
	ready(r);
	open_doors(r);
}

static void
link_up(struct vyx_reg *g, int up)
{
	if (up)
		watch_say(VYX_OF(g, struct router, reg));
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
	vyx_rec_putu(&o, VYX_F_SLOT, r->doors.slot);
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

	r->plan.window = r->window;
	r->plan.on_note = on_note;
	r->plan.on_slot = on_slot;
	r->plan.on_listener = on_listener;
	r->binds = !r->doors.n;
	r->reg.loop = &r->loop;
	r->reg.ops = &ops;
	r->reg.name = r->name;
	r->reg.role = "vyx-route";
	r->reg.edge = VYX_E_SEEN;
	r->reg.tables = 1u << VYX_T_SETTING | 1u << VYX_T_LISTENER |
	    1u << VYX_T_WORKER | 1u << VYX_T_ROUTE | 1u << VYX_T_ENDPOINT |
	    1u << VYX_T_SCHEMA | 1u << VYX_T_PROC;
	r->ready_late.fn = late;
	if (!vyx_plan_start(&r->plan) || !vyx_reg_start(&r->reg, r->run) ||
	    !vyx_loop_timer(&r->loop, &r->ready_late, r->loop.now + LATE_NS))
		vyx_die_sys(VYX_SYSTEM, "cannot watch the registry");
	limits(r);
}
