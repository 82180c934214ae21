/* SPDX-License-Identifier: ISC */
/* vyx-poold - dials and owns every worker connection, lends them out. */
#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>
#include <time.h>

#include "poold.h"

static struct poold poold;

static const struct vyx_prog prog = { "vyx-poold", "dnv", "",
	"dials and owns every worker connection, lends them to routers", NULL };

static void
turn(struct vyx_task *t)
{
	struct poold *d = VYX_OF(t, struct poold, turn);
	uint64_t due;

	vyx_pool_turn(d->pool, d->loop.now);
	peers_sweep(d);
	rows_tell(d);
	if ((due = vyx_pool_due(d->pool)) != UINT64_MAX)
		vyx_loop_timer(&d->loop, &d->due, due);
	else
		vyx_loop_cancel(&d->loop, &d->due);
}

static void
due(struct vyx_timer *t)
{
	poold_touch(VYX_OF(t, struct poold, due));
}

void
poold_touch(struct poold *d)
{
	vyx_loop_defer(&d->loop, &d->turn);
}

/* Connections that are lent live on with the routers that have them. */
static void
terminate(struct vyx_loop *l, int signo)
{
	(void)signo;
	vyx_loop_stop(l);
}

/* Numbers rise over all our lives on this host. */
static uint64_t
first_number(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return ((uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000)
	    << 20;
}

static void
start(struct poold *d)
{
	static const struct vyx_pool_ops ops = { conns_dial, conns_watch,
		conns_end, peers_send, peers_cut, rows_drained, rows_up,
		rows_serial };
	uint64_t seed = 0;

	d->turn.fn = turn;
	d->due.fn = due;
	d->fds_may = vyx_prog_fds();
	if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed ||
	    !vyx_loop_init(&d->loop) ||
	    !vyx_loop_signal(&d->loop, SIGTERM, terminate) ||
	    !vyx_loop_signal(&d->loop, SIGINT, terminate))
		vyx_die_sys(VYX_SYSTEM, "cannot start");
	d->pool = vyx_pool_new(&ops, d, first_number(), seed, d->loop.now);
	if (!d->pool)
		vyx_die_sys(VYX_SYSTEM, "cannot make the pool");
}

static void
start_ctl(struct poold *d)
{
	d->ctl = (struct vyx_ctl){
		.loop = &d->loop, .name = "pool", .figures = figures
	};
	if (!vyx_ctl_start(&d->ctl, d->run, "pool"))
		vyx_die_sys(VYX_SYSTEM, "%s/pool/ctl", d->run);
}

int
main(int argc, char **argv)
{
	struct poold *d = &poold;

	vyx_prog_start(&prog, &d->opt, argc, argv);
	d->run = vyx_prog_run(&d->opt);
	start(d);
	peers_start(d);
	start_ctl(d);
	rows_start(d);
	poold_touch(d);
	if (!vyx_loop_run(&d->loop))
		vyx_die_sys(VYX_SYSTEM, "cannot wait for events");
	vyx_reg_stop(&d->reg);
	peers_stop(d);
	vyx_pool_free(d->pool);
	vyx_ctl_stop(&d->ctl);
	return 0;
}
