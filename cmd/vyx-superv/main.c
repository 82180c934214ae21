/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/prog.h"
#include "superv.h"

static const struct vyx_prog prog = { "vyx-superv", "dnv", "",
	"makes the service directories of the wanted local workers",
	"  $VYX_SCAN is the scan directory, else DIR/scan\n"
	"  VYX_ALLOW_ROOT=1 allows workers to run as root\n" };

static struct superv superv;

static void
stop(struct vyx_loop *l, int signo)
{
	(void)signo;
	vyx_loop_stop(l); /* the workers go on: a successor adopts them */
}

static void
tick(struct vyx_timer *t)
{
	struct superv *s = VYX_OF(t, struct superv, tick);

	inst_tick(s);
	beat_tick(s);
	vyx_loop_timer(&s->loop, t, s->loop.now + VYX_BEAT_NS);
}

static void
figures(struct vyx_ctl *t, struct vyx_chan *to)
{
	struct superv *s = VYX_OF(t, struct superv, ctl);
	uint64_t all = 0, ready = 0;

	for (struct inst *n = s->insts; n; n = n->next) {
		all++;
		ready += n->state == VYX_S_READY;
	}
	vyx_ctl_figure(to, "instances", all, NULL, NULL);
	vyx_ctl_figure(to, "ready", ready, NULL, NULL);
	vyx_ctl_figure(to, "starts", s->starts, NULL, NULL);
	vyx_ctl_figure(to, "silent-killed", s->killed, NULL, NULL);
}

/* RUN/name, made when it is not there, with this mode whatever the umask. */
static void
place(char *path, size_t size, const char *run, const char *name, mode_t mode)
{
	if (snprintf(path, size, "%s/%s", run, name) >= (int)size)
		vyx_die(VYX_USAGE, "%s: too long a path", run);
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		vyx_die_sys(VYX_SYSTEM, "%s", path);
	if (chmod(path, mode) < 0)
		vyx_die_sys(VYX_SYSTEM, "%s", path);
}

static gid_t
pool_gid(void)
{
#define POOL_USER(id, program, dir, user, uid, ...) \
	if (VYX_P_##id == VYX_P_POOLD)              \
		return getpwnam(user) ? getpwnam(user)->pw_gid : uid;
	VYX_PROCS(POOL_USER)
	return 0;
}

static void
prepare(struct superv *s, const struct vyx_opt *opt)
{
	char log[VYX_PATH_MAX + 1];
	const char *scan = getenv("VYX_SCAN");
	char *made;

	s->run = vyx_prog_run(opt);
	if (*s->run != '/')
		vyx_die(VYX_USAGE, "%s: an absolute run directory is needed",
		    s->run);
	s->root = geteuid() == 0;
	s->allow_root =
	    getenv("VYX_ALLOW_ROOT") && !strcmp(getenv("VYX_ALLOW_ROOT"), "1");
	s->pool_gid = pool_gid();
	umask(022);
	place(s->sv, sizeof s->sv, s->run, "sv", 0755);
	place(s->w, sizeof s->w, s->run, "w", 0711);
	place(s->own, sizeof s->own, s->run, "superv", 0755);
	place(log, sizeof log, s->run, "log", 0755);
	if (scan && *scan)
		s->scan = scan;
	else if (asprintf(&made, "%s/scan", s->run) < 0)
		vyx_die_sys(VYX_SYSTEM, "malloc");
	else
		s->scan = made;
}

int
main(int argc, char **argv)
{
	struct superv *s = &superv;
	struct vyx_opt opt;

	vyx_prog_start(&prog, &opt, argc, argv);
	prepare(s, &opt);
	s->plan.fn = plan_run;
	s->tell.fn = tell_run;
	s->tick.fn = tick;
	signal(SIGCHLD, SIG_IGN); /* s6-fdholder-delete is not waited for */
	if (!vyx_loop_init(&s->loop) ||
	    !vyx_loop_signal(&s->loop, SIGTERM, stop) ||
	    !vyx_loop_signal(&s->loop, SIGINT, stop) || !watch_start(s))
		vyx_die_sys(VYX_SYSTEM, "cannot set up the loop");
	if (!inst_adopt_all(s))
		vyx_die_sys(VYX_SYSTEM, "%s", s->sv);
	s->ctl.loop = s->reg.loop = &s->loop;
	s->ctl.name = s->reg.name = "superv";
	s->ctl.figures = figures;
	s->reg.ops = &tell_ops;
	s->reg.role = "vyx-superv";
	s->reg.edge = VYX_E_SEEN;
	s->reg.tables = 1U << VYX_T_WORKER | 1U << VYX_T_USE;
	if (!vyx_ctl_start(&s->ctl, s->run, "superv") ||
	    !vyx_reg_start(&s->reg, s->run))
		vyx_die_sys(VYX_SYSTEM, "%s", s->run);
	tick(&s->tick);
	vyx_prog_ready(&opt);
	if (!vyx_loop_run(&s->loop))
		vyx_die_sys(VYX_BUG, "epoll");
	vyx_ctl_stop(&s->ctl);
	vyx_reg_stop(&s->reg);
	return 0;
}
