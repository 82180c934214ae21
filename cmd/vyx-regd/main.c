/* SPDX-License-Identifier: ISC */
/* vyx-regd - the registry: one owner of all shared state. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/prog.h"
#include "regd.h"

static const struct vyx_prog prog = { "vyx-regd", "dsnv", "",
	"keeps what is wanted and what is seen, and tells whoever watches",
	"sockets: RUN/regd/{read,seen,ops,ctl}; vyx-regd(8) says who may\n" };

/* clang-format off */
#define TABLE(id, name, life, writers, columns) [VYX_T_##id] = REGD_##life,
static const enum regd_life lives[VYX_T_COUNT] = { VYX_TABLES(TABLE) };
/* clang-format on */

static struct regd regd;

enum regd_life
regd_life(enum vyx_table t)
{
	return lives[t];
}

static void
stop(struct vyx_loop *l, int signo)
{
	(void)signo;
	regd.stopping = 1;
	vyx_loop_stop(l);
}

static void
figures(struct vyx_ctl *t, struct vyx_chan *to)
{
	struct regd *d = VYX_OF(t, struct regd, ctl);
	uint64_t rows = 0, bytes = 0, watchers = 0;

	for (unsigned i = 1; i < VYX_T_COUNT; i++) {
		rows += d->table[i].n;
		bytes += d->table[i].bytes;
	}
	for (const struct regd_peer *p = d->peers; p; p = p->next)
		watchers += p->watch.mode != VYX_WATCH_OFF;
	vyx_ctl_figure(to, "rows", rows, NULL, NULL);
	vyx_ctl_figure(to, "row-bytes", bytes, NULL, NULL);
	vyx_ctl_figure(to, "revision", d->ring.rev, NULL, NULL);
	vyx_ctl_figure(to, "floor", d->ring.floor, NULL, NULL);
	vyx_ctl_figure(to, "connections", d->npeers, NULL, NULL);
	vyx_ctl_figure(to, "watchers", watchers, NULL, NULL);
	vyx_ctl_figure(to, "ring-bytes", d->ring.head - d->ring.tail, NULL,
	    NULL);
	vyx_ctl_figure(to, "commits", d->store.done, NULL, NULL);
	vyx_ctl_figure(to, "cut", d->cut, NULL, NULL);
}

/* Where the store is, when nobody says: beside the run directory if that was
 * given, else where the system keeps such things. */
static const char *
state_dir(const struct vyx_opt *o)
{
	static char path[4096];
	const char *home = getenv("XDG_STATE_HOME");
	int n;

	if (o->state)
		return o->state;
	if (o->run || getenv("VYX_RUN"))
		n = snprintf(path, sizeof path, "%s/state", vyx_prog_run(o));
	else if (geteuid() == 0)
		return "/var/lib/vyx";
	else if (home && *home)
		n = snprintf(path, sizeof path, "%s/vyx", home);
	else if ((home = getenv("HOME")) != NULL && *home)
		n = snprintf(path, sizeof path, "%s/.local/state/vyx", home);
	else
		vyx_die(VYX_USAGE,
		    "no -s, no -d, no HOME: where is the store?");
	if (n < 0 || n >= (int)sizeof path)
		vyx_die(VYX_USAGE, "the state directory's path is too long");
	return path;
}

static void
this_host(struct regd *d)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || fscanf(f, "%64s", d->boot) != 1)
		vyx_die_sys(VYX_SYSTEM, "/proc/sys/kernel/random/boot_id");
	fclose(f);
	if (gethostname(d->host, sizeof d->host - 1))
		vyx_die_sys(VYX_SYSTEM, "host name");
}

static void
listen_all(struct regd *d, const char *run)
{
	char dir[VYX_PATH_MAX + 1];
	int n = snprintf(dir, sizeof dir, "%s/regd", run);

	if (n < 0 || n > VYX_PATH_MAX)
		vyx_die(VYX_USAGE, "%s: too long for a socket's path", run);
	if (mkdir(dir, 0711) ? errno != EEXIST : chmod(dir, 0711))
		vyx_die_sys(VYX_SYSTEM, "%s", dir);
	if (!regd_listen(d, run) || !vyx_ctl_start(&d->ctl, run, "regd")) {
		if (errno == EADDRINUSE)
			vyx_die(VYX_SYSTEM, "%s: another vyx-regd listens here",
			    dir);
		vyx_die_sys(VYX_SYSTEM, "%s: cannot listen", dir);
	}
}

int
main(int argc, char **argv)
{
	struct regd *d = &regd;
	struct vyx_opt opt;
	const char *run;

	vyx_prog_start(&prog, &opt, argc, argv);
	run = vyx_prog_run(&opt);
	/* a connection each, the stores, the sockets: never short of them */
	if (vyx_prog_fds() < REGD_PEERS + 64)
		vyx_die(VYX_SYSTEM, "needs a limit of %d descriptors",
		    REGD_PEERS + 64);
	signal(SIGXFSZ, SIG_IGN); /* a write that fails is seen as that */
	umask(077); /* for the stores; sockets get their modes by chmod */
	this_host(d);
	if (!vyx_loop_init(&d->loop) ||
	    !vyx_loop_signal(&d->loop, SIGTERM, stop) ||
	    !vyx_loop_signal(&d->loop, SIGINT, stop))
		vyx_die_sys(VYX_SYSTEM, "cannot wait for events");
	regd_load(d, state_dir(&opt));
	d->ctl.loop = &d->loop;
	d->ctl.name = "regd";
	d->ctl.figures = figures;
	listen_all(d, run);
	vyx_prog_ready(&opt);
	if (!vyx_loop_run(&d->loop))
		vyx_die_sys(VYX_SYSTEM, "wait for events");
	vyx_ctl_stop(&d->ctl);
	regd_unlisten(d);
	regd_hang_up(d);
	regd_close(d);
	vyx_loop_free(&d->loop);
	return 0;
}
