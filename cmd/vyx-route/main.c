/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "router.h"

#define IDLE_GRACE_NS (UINT64_C(500) * VYX_MS)

static struct router router;

static const struct vyx_prog prog = { "vyx-route", "dniv", "[ADDRESS...]",
	"the HTTP gateway: reads, checks and relays requests",
	"Listening sockets come in VYX_LISTEN, as vyx-bind leaves them. Each\n"
	"ADDRESS is one of our own: 127.0.0.1:8080, [::1]:8080, unix:/path.\n"
	"Without both, the addresses of the registry are bound.\n"
	"-i NAME is the slot, route.0 when it is not given.\n" };

/* "route.N" */
static unsigned
slot(const char *name)
{
	struct vyx_str s = VYX_STRZ(name), word = vyx_str_cut(&s, '.');
	uint64_t n;

	if (!vyx_str_eq(word, VYX_STR("route")) || !s.p ||
	    !vyx_dec_scan(s, VYX_SLOTS - 1, &n))
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
		client_drain(c);
	}
}

static void
drain_late(struct vyx_timer *t)
{
	struct router *r = VYX_OF(t, struct router, drain);

	vyx_log(VYX_WARN, "drain limit reached", "clients",
	    VYX_NUM(r->doors.clients), NULL);
	vyx_loop_stop(&r->loop);
}

/* First: finish what is in flight, each answer the last of its connection.
 * Second: at once. */
static void
terminate(struct vyx_loop *l, int signo)
{
	struct router *r = VYX_OF(l, struct router, loop);

	(void)signo;
	if (r->draining || !r->doors.clients) {
		r->draining = 1;
		watch_say(r);
		vyx_loop_stop(l);
		return;
	}
	r->draining = 1;
	vyx_doors_stop(&r->doors);
	watch_say(r);
	vyx_window_bye(r->window, l->now);
	pool_touch(r);
	vyx_loop_timer(l, &r->drain_idle, l->now + IDLE_GRACE_NS);
	vyx_loop_timer(l, &r->drain, l->now + r->plan.set.drain_timeout);
}

/* A file with keys may have changed. */
static void
reload(struct vyx_loop *l, int signo)
{
	(void)signo;
	gate_keys(VYX_OF(l, struct router, loop));
}

/* All descriptors that we may have, and the sockets that we were given. */
static void
doors(struct router *r)
{
	const char *words = getenv("VYX_LISTEN");

	r->fds = vyx_prog_fds();
	r->doors.loop = &r->loop;
	r->doors.on_client = client_accept;
	if (!vyx_doors_start(&r->doors))
		vyx_die_sys(VYX_SYSTEM, "%s", r->doors.why);
	if (words && !vyx_doors_inherit(&r->doors, words))
		vyx_die(VYX_CONFIG, "VYX_LISTEN='%s': %s", words, r->doors.why);
}

static void
start(struct router *r)
{
	char dir[VYX_PATH_MAX + 1];

	if (!vyx_loop_init(&r->loop) ||
	    !vyx_loop_signal(&r->loop, SIGTERM, terminate) ||
	    !vyx_loop_signal(&r->loop, SIGINT, terminate) ||
	    !vyx_loop_signal(&r->loop, SIGHUP, reload) ||
	    !vyx_lines_open(&r->log, &r->loop, 1))
		vyx_die_sys(VYX_SYSTEM, "cannot start");
	r->drain.fn = drain_late;
	r->places.fn = stream_turn;
	r->drain_idle.fn = drain_idle;
	vyx_prog_socket(dir, &r->opt, r->name);
	if (mkdir(dir, 0711) && errno != EEXIST)
		vyx_die_sys(VYX_SYSTEM, "%s", dir);
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
	r->doors.slot = slot(r->name);
	r->run = vyx_prog_run(&r->opt);
	start(r);
	doors(r);
	for (; arg < argc; arg++)
		watch_bind(r, argv[arg]);
	pool_start(r);
	watch_start(r);
	if (!vyx_loop_run(&r->loop))
		vyx_die_sys(VYX_SYSTEM, "cannot wait for events");
	vyx_lines_close(&r->log);
	vyx_ctl_stop(&r->ctl);
	return 0;
}
