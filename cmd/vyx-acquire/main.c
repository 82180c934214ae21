/* SPDX-License-Identifier: ISC */
/*
 * vyx-acquire - take a warm connection and run a program with it. To poold it
 * is a router that has one waiter and holds nothing ahead.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/prog.h"
#include "base/units.h"
#include "state/window.h"
#include "sys/chan.h"

#define LIMIT_NS INT64_C(10000000000)

static const struct vyx_prog prog = { "vyx-acquire", "dkTv", "WORKER PROG...",
	"runs a program with a connection to a worker as descriptors 6 and 7",
	"  -T is how long to wait for a connection, else 10s\n" };

/* One thing to do, so one of each. */
static struct vyx_opt opt;
static struct vyx_loop loop;
static struct vyx_chan chan;
static int chan_open;
static struct vyx_buf out;
static struct vyx_window *win;
static struct vyx_wworker *worker;
static struct vyx_waiter waiter;
static struct vyx_wconn *conn;
static struct vyx_task turn_task;
static struct vyx_timer turn_due;
static char *const *child_argv;
static pid_t child;

static void
touch(void)
{
	vyx_loop_defer(&loop, &turn_task);
}

static void
turn(struct vyx_task *t)
{
	(void)t;
	vyx_window_turn(win, loop.now);
	if (vyx_window_due(win) == UINT64_MAX)
		vyx_loop_cancel(&loop, &turn_due);
	else
		vyx_loop_timer(&loop, &turn_due, vyx_window_due(win));
}

static void
on_due(struct vyx_timer *t)
{
	(void)t;
	touch();
}

/* ---- the edge ---- */

static void
edge_down(void)
{
	chan_open = 0;
	vyx_window_down(win, loop.now);
	touch();
}

static void
on_rec(struct vyx_chan *c, struct vyx_rec *r, int fd)
{
	struct vyx_pool_msg m;

	if (!vyx_pool_msg_read(&m, r) ||
	    !vyx_window_record(win, &m, fd, loop.now)) {
		if (fd >= 0)
			close(fd);
		vyx_chan_close(c);
		edge_down();
	}
	touch();
}

static void
on_close(struct vyx_chan *c, int error)
{
	(void)c;
	(void)error;
	edge_down();
}

static void
on_room(struct vyx_chan *c)
{
	(void)c;
	vyx_window_writable(win);
	touch();
}

static int
dial(void *arg)
{
	char path[VYX_PATH_MAX + 1];
	int fd;

	(void)arg;
	vyx_prog_socket(path, &opt, "pool/s");
	if ((fd = vyx_chan_dial(path, 1)) < 0) {
		if (errno == EACCES || errno == EPERM)
			vyx_die_sys(VYX_SYSTEM, "%s", path);
		return 0;
	}
	chan = (struct vyx_chan){ .loop = &loop,
		.on_rec = on_rec,
		.on_close = on_close,
		.on_room = on_room };
	return chan_open = vyx_chan_open(&chan, fd, VYX_E_POOL, VYX_CONNECTS);
}

static int
send_msg(void *arg, const struct vyx_pool_msg *m, int fd)
{
	(void)arg;
	out.n = 0;
	return chan_open && vyx_pool_msg_write(m, &out) &&
	    vyx_chan_send(&chan, &out, fd);
}

static int
adopt(void *arg, struct vyx_wconn *c)
{
	(void)arg;
	(void)c;
	return 1; /* it is the program's at once: nobody polls it */
}

static void
let(void *arg, struct vyx_wconn *c, int how)
{
	(void)arg;
	if (how >= 0)
		shutdown(c->fd, how);
	close(c->fd);
}

static void
expire(void *arg, struct vyx_waiter *q)
{
	(void)arg;
	(void)q;
	if (!chan_open)
		vyx_die(VYX_SYSTEM, "%s/pool/s: vyx-poold is away",
		    vyx_prog_run(&opt));
	vyx_die(VYX_SYSTEM, "no connection in time: %s",
	    vyx_window_up(worker) ? "all are in use" : "no instance is up");
}

/* ---- the program ---- */

/* O_NONBLOCK belongs to all who have the connection: a program wants it off,
 * a router on. */
static void
nonblock(int fd, int on)
{
	int fl = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, on ? fl | O_NONBLOCK : fl & ~O_NONBLOCK);
}

static void
become(const struct vyx_wconn *c)
{
	char inst[VYX_POOL_I + 1];
	struct vyx_str i = vyx_window_inst(c);
	sigset_t none;

	memcpy(inst, i.p, i.n);
	inst[i.n] = 0;
	/* 6 or 7 may be a descriptor of ours: those close at exec anyway */
	if (dup2(c->fd, 6) < 0 || dup2(6, 7) < 0 || fcntl(6, F_SETFD, 0) ||
	    setenv("PROTO", "UNIX", 1) || setenv("VYX_INSTANCE", inst, 1))
		_exit(VYX_SYSTEM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(child_argv[0], child_argv);
	dprintf(2, "vyx-acquire: %s: %s\n", child_argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void
serve(void *arg, struct vyx_waiter *q, struct vyx_wconn *c)
{
	(void)arg;
	(void)q;
	conn = c;
	nonblock(c->fd, 0);
	child = fork();
	if (child < 0)
		vyx_die_sys(VYX_SYSTEM, "fork");
	if (child == 0)
		become(c);
}

/* May the next one have it? The program vouches for the end of its exchange by
 * -k and exit 0; a byte or a hang-up says that it is wrong. */
static int
clean(int status)
{
	char byte;

	return opt.keep && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    errno == EAGAIN;
}

static void
on_child(struct vyx_loop *l, int signo)
{
	int status;

	(void)signo;
	if (child <= 0 || waitpid(child, &status, WNOHANG) != child)
		return;
	child =
	    WIFEXITED(status) ? -WEXITSTATUS(status) : -128 - WTERMSIG(status);
	vyx_window_bye(win, l->now);
	if (clean(status)) {
		nonblock(conn->fd, 1);
		vyx_window_done(win, conn, l->now);
	} else
		vyx_window_drop(win, conn, VYX_POOL_CLOSE, l->now);
	/* what the edge does not take now, our end says as well */
	vyx_window_turn(win, l->now);
	vyx_loop_stop(l);
}

static void
on_term(struct vyx_loop *l, int signo)
{
	(void)l;
	if (child > 0)
		kill(child, signo);
	else
		vyx_die(VYX_SYSTEM, "no connection: %s", strsignal(signo));
}

int
main(int argc, char **argv)
{
	static const struct vyx_window_ops ops = { dial, send_msg, adopt, let,
		serve, expire };
	int at = vyx_prog_start(&prog, &opt, argc, argv);
	char name[32];
	int64_t limit = LIMIT_NS;

	if (argc - at < 2)
		vyx_die(VYX_USAGE, "a worker and a program are needed");
	if (opt.limit &&
	    (!vyx_dur_scan(VYX_STRZ(opt.limit), &limit) || limit < 0))
		vyx_die(VYX_USAGE, "-T %s: no duration", opt.limit);
	child_argv = argv + at + 1;
	snprintf(name, sizeof name, "acquire.%d", (int)getpid());
	turn_task.fn = turn;
	turn_due.fn = on_due;
	if (!vyx_loop_init(&loop) ||
	    !vyx_loop_signal(&loop, SIGCHLD, on_child) ||
	    !vyx_loop_signal(&loop, SIGTERM, on_term) ||
	    !vyx_loop_signal(&loop, SIGINT, on_term) ||
	    !(win = vyx_window_new(&ops, NULL, VYX_P_ACQUIRE, name,
	          (uint32_t)getpid())))
		vyx_die_sys(VYX_SYSTEM, "cannot start");
	worker = vyx_window_worker(win, VYX_STRZ(argv[at]), 0, 1);
	if (!worker)
		vyx_die(VYX_USAGE, "%s: no worker id", argv[at]);
	waiter.since = loop.now;
	waiter.deadline = loop.now + (uint64_t)limit;
	vyx_window_wait(win, worker, &waiter, loop.now);
	touch();
	if (!vyx_loop_run(&loop))
		vyx_die_sys(VYX_BUG, "epoll");
	return -child;
}
