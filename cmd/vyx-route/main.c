/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>

#include "router.h"

#define IDLE_GRACE_NS (UINT64_C(500) * VYX_MS)

static struct router router;

static const struct vyx_prog prog = { "vyx-route", "dniv", "[ADDRESS...]",
	"the HTTP gateway: reads, checks and relays requests",
	"Listening sockets come in VYX_LISTEN, as vyx-bind leaves them. Each\n"
	"ADDRESS is one of our own: 127.0.0.1:8080, [::1]:8080, unix:/path.\n"
	"-i NAME is the slot, route.0 when it is not given.\n" };

/* "route.N" */
static unsigned
slot(const char *name)
{
	struct vyx_str s = VYX_STRZ(name), word = vyx_str_cut(&s, '.');
	uint64_t n;

	if (!vyx_str_eq(word, VYX_STR("route")) || !s.p ||
	    !vyx_dec_scan(s, SLOTS - 1, &n))
		vyx_die(VYX_USAGE, "-i %s: not of the form route.N", name);
	return (unsigned)n;
}

static void
drain_idle(struct vyx_timer *t)
{
	struct router *r = VYX_OF(t, struct router, drain_idle);
	struct client *next;

	for (struct client *c = r->clients; c; c = next) {
		next = c->next;
		front_drain(c);
	}
}

static void
drain_late(struct vyx_timer *t)
{
	struct router *r = VYX_OF(t, struct router, drain);

	vyx_log(VYX_WARN, "drain limit reached", "clients",
	    VYX_NUM(r->nclients), NULL);
	vyx_loop_stop(&r->loop);
}

/* First: finish what is in flight, each answer the last of its connection.
 * Second: at once. */
static void
terminate(struct vyx_loop *l, int signo)
{
	struct router *r = VYX_OF(l, struct router, loop);

	(void)signo;
	if (r->draining || !r->nclients) {
		r->draining = 1;
		watch_say(r);
		vyx_loop_stop(l);
		return;
	}
	r->draining = 1;
	listen_stop(r);
	watch_say(r);
	vyx_window_bye(r->window, l->now);
	pool_touch(r);
	vyx_loop_timer(l, &r->drain_idle, l->now + IDLE_GRACE_NS);
	vyx_loop_timer(l, &r->drain, l->now + r->conf.drain_timeout);
}

static void
nothing(struct vyx_loop *l, int signo)
{
	(void)l;
	(void)signo;
}

static void
start(struct router *r)
{
	if (!vyx_loop_init(&r->loop) ||
	    !vyx_loop_signal(&r->loop, SIGTERM, terminate) ||
	    !vyx_loop_signal(&r->loop, SIGINT, terminate) ||
	    !vyx_loop_signal(&r->loop, SIGHUP, nothing) ||
	    !vyx_lines_open(&r->log, &r->loop, 1))
		vyx_die_sys(VYX_SYSTEM, "cannot start");
	r->drain.fn = drain_late;
	r->drain_idle.fn = drain_idle;
	rows_defaults(r);
	r->ctl.loop = &r->loop;
	r->ctl.name = r->name;
	r->ctl.figures = figures;
	if (!vyx_ctl_start(&r->ctl, r->run, r->name))
		vyx_die_sys(VYX_SYSTEM, "%s/%s/ctl", r->run, r->name);
}

int
main(int argc, char **argv)
{
	struct router *r = &router;
	int arg = vyx_prog_start(&prog, &r->opt, argc, argv);

	snprintf(r->name, sizeof r->name, "%s",
	    r->opt.name ? r->opt.name : "route.0");
	r->slot = slot(r->name);
	r->run = vyx_prog_run(&r->opt);
	start(r);
	listen_env(r);
	for (; arg < argc; arg++)
		listen_bind(r, argv[arg]);
	pool_start(r);
	watch_start(r);
	if (!vyx_loop_run(&r->loop))
		vyx_die_sys(VYX_SYSTEM, "cannot wait for events");
	vyx_lines_close(&r->log);
	vyx_ctl_stop(&r->ctl);
	return 0;
}
