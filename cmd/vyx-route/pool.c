/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <unistd.h>

#include "router.h"

/* The edge to vyx-poold: lib/state/window.h decides, this carries. */

static void
on_rec(struct vyx_chan *c, struct vyx_rec *rec, int fd)
{
	struct router *r = VYX_OF(c, struct router, pool);
	struct vyx_pool_msg m;

	if (vyx_pool_msg_read(&m, rec) &&
	    vyx_window_record(r->window, &m, fd, r->loop.now)) {
		if (m.verb == VYX_V_WINDOW)
			vyx_plan_said(&r->plan, m.w, m.up);
		pool_touch(r);
		return;
	}
	vyx_log_sys(VYX_WARN, "record of vyx-poold refused", "verb",
	    vyx_rec_verb_name(rec->verb), NULL);
	if (fd >= 0)
		close(fd);
	vyx_chan_close(c);
	r->pool_open = 0;
	vyx_window_down(r->window, r->loop.now);
	pool_touch(r);
}

static void
on_close(struct vyx_chan *c, int error)
{
	struct router *r = VYX_OF(c, struct router, pool);

	(void)error;
	r->pool_open = 0;
	vyx_window_down(r->window, r->loop.now);
	pool_touch(r);
}

static void
on_room(struct vyx_chan *c)
{
	struct router *r = VYX_OF(c, struct router, pool);

	vyx_window_writable(r->window);
	pool_touch(r);
}

static int
dial(void *arg)
{
	struct router *r = arg;
	char path[VYX_PATH_MAX + 1];
	int fd;

	vyx_prog_socket(path, &r->opt, "pool/s");
	if ((fd = vyx_chan_dial(path, 1)) < 0)
		return 0;
	r->pool = (struct vyx_chan){ .loop = &r->loop,
		.on_rec = on_rec,
		.on_close = on_close,
		.on_room = on_room };
	return r->pool_open =
	           vyx_chan_open(&r->pool, fd, VYX_E_POOL, VYX_CONNECTS);
}

static int
send_msg(void *arg, const struct vyx_pool_msg *m, int fd)
{
	struct router *r = arg;

	r->pool_out.n = 0;
	return r->pool_open && vyx_pool_msg_write(m, &r->pool_out) &&
	    vyx_chan_send(&r->pool, &r->pool_out, fd);
}

static void
serve(void *arg, struct vyx_waiter *q, struct vyx_wconn *w)
{
	(void)arg;
	back_start(VYX_OF(q, struct exchange, wait), w);
}

static void
expire(void *arg, struct vyx_waiter *q)
{
	(void)arg;
	decide_expired(VYX_OF(q, struct exchange, wait));
}

static void
turn(struct vyx_task *t)
{
	struct router *r = VYX_OF(t, struct router, turn);
	uint64_t due;

	vyx_window_turn(r->window, r->loop.now);
	if ((due = vyx_window_due(r->window)) != UINT64_MAX)
		vyx_loop_timer(&r->loop, &r->turn_due, due);
	else
		vyx_loop_cancel(&r->loop, &r->turn_due);
}

static void
turn_due(struct vyx_timer *t)
{
	pool_touch(VYX_OF(t, struct router, turn_due));
}

/* How it went with the instance that x is at; see vyx_window_result(). */
void
pool_result(struct exchange *x, int good)
{
	struct vyx_wconn *w = x->back->w;
	uint64_t now = x->r->loop.now, out;

	if (!vyx_window_result(x->r->window, w, good, now))
		return;
	if ((out = vyx_window_out(w)) != 0)
		vyx_log(VYX_WARN, "instance ejected", "worker", x->worker->id,
		    "instance", x->instance, "seconds",
		    VYX_NUM((out - now) / VYX_SEC), NULL);
	else
		vyx_log(VYX_INFO, "instance is in again", "worker",
		    x->worker->id, "instance", x->instance, NULL);
}

/* The window has something to do at the end of this turn. */
void
pool_touch(struct router *r)
{
	vyx_loop_defer(&r->loop, &r->turn);
}

void
pool_start(struct router *r)
{
	static const struct vyx_window_ops ops = { dial, send_msg, back_adopt,
		back_let, serve, expire };

	r->turn.fn = turn;
	r->turn_due.fn = turn_due;
	r->window =
	    vyx_window_new(&ops, r, VYX_P_ROUTE, r->name, (uint32_t)getpid());
	if (!r->window)
		vyx_die_sys(VYX_SYSTEM, "cannot make the window");
	pool_touch(r);
}
