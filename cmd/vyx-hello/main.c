/* SPDX-License-Identifier: ISC */
#include "hello.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/prog.h"
#include "base/units.h"
#include "vyx.h"

#define DRAIN_NS UINT64_C(10000000000) /* what is in flight may last, -T less */

struct hello_opts hello_opts;
struct hello_count hello_count;
uint64_t hello_now;
int hello_draining;

struct server {
	int epoll;
	int signals;
	int listener;
	int full; /* `single`: one connection is served, none is accepted */
	uint64_t limit;
	uint64_t until; /* end of the drain */
	struct hello_conn *conns;
	const char *path; /* to unlink at the end; NULL: not ours */
};

static const struct vyx_prog prog = { "vyx-hello", "nT",
	"SOCKET|FD [close] [single] [accept=TIME] [jitter=TIME]",
	"a small HTTP worker that answers, and misbehaves, on demand",
	"  close        closes each connection after one answer\n"
	"  single       serves one connection at a time, until it closes\n"
	"  accept=TIME  takes that long to accept a connection\n"
	"  jitter=TIME  answers after a random time up to that\n"
	"paths, or values of a request header Vyx-Hello:\n"
	"  /hello /echo /headers /sleep/MS /stream/N/BYTES/MS /bytes/N\n"
	"  /fail/STATUS /early/STATUS /count /trailers /103 /ws /close\n"
	"  /hangup /reset /half /extra; vyx-hello(1) says what each does\n" };

static uint64_t
clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t
duration(const char *word, const char *text)
{
	int64_t ns;

	if (!vyx_dur_scan(VYX_STRZ(text), &ns) || ns < 0)
		vyx_die(VYX_USAGE, "%s: '%s' is no time, such as 5ms", word,
		    text);
	return (uint64_t)ns;
}

static void
word(const char *w)
{
	if (!strcmp(w, "close"))
		hello_opts.close_each = 1;
	else if (!strcmp(w, "single"))
		hello_opts.one_only = 1;
	else if (!strncmp(w, "accept=", 7))
		hello_opts.accept = duration(w, w + 7);
	else if (!strncmp(w, "jitter=", 7))
		hello_opts.jitter = duration(w, w + 7);
	else
		vyx_die(VYX_USAGE, "unknown word '%s', see --help", w);
}

/* The listening socket: an inherited one by its number, else one of ours. */
static int
listener(struct server *s, const char *where)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(int);
	uint64_t fd;
	struct stat st;
	int l, listens = 0;

	if (vyx_dec_scan(VYX_STRZ(where), INT32_MAX, &fd)) {
		if (getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &listens,
		        &size) < 0 ||
		    !listens)
			vyx_die(VYX_USAGE,
			    "descriptor %s is no listening "
			    "socket",
			    where);
		if (fcntl((int)fd, F_SETFL, O_NONBLOCK) < 0)
			vyx_die_sys(VYX_SYSTEM, "descriptor %s", where);
		return (int)fd;
	}
	if (*where == 0)
		vyx_die(VYX_USAGE, "a path for the socket is needed");
	if (strlen(where) > VYX_PATH_MAX)
		vyx_die(VYX_USAGE, "%s: over %d bytes, too long for a socket",
		    where, VYX_PATH_MAX);
	strcpy(un.sun_path, where);
	l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l < 0)
		vyx_die_sys(VYX_SYSTEM, "socket");
	if (!lstat(where, &st) && !S_ISSOCK(st.st_mode))
		vyx_die(VYX_SYSTEM,
		    "%s: a file that is no socket has that "
		    "name",
		    where);
	if (unlink(where) < 0 && errno != ENOENT)
		vyx_die_sys(VYX_SYSTEM, "%s: cannot take its place", where);
	if (bind(l, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(l, SOMAXCONN) < 0)
		vyx_die_sys(VYX_SYSTEM, "%s", where);
	s->path = where;
	return l;
}

static void
poll_for(const struct server *s, int op, int fd, uint32_t events, void *ptr)
{
	struct epoll_event e = { .events = events, .data.ptr = ptr };

	if (epoll_ctl(s->epoll, op, fd, &e) < 0)
		vyx_die_sys(VYX_SYSTEM, "epoll_ctl");
}

static void
start(struct server *s, const char *where)
{
	sigset_t set;

	s->listener = listener(s, where);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->signals < 0 || s->epoll < 0)
		vyx_die_sys(VYX_SYSTEM, "cannot wait for events");
	poll_for(s, EPOLL_CTL_ADD, s->signals, EPOLLIN, &s->signals);
	poll_for(s, EPOLL_CTL_ADD, s->listener, EPOLLIN, &s->listener);
}

static void
stop_listening(struct server *s)
{
	if (s->listener >= 0)
		close(s->listener);
	s->listener = -1;
}

/* First signal: finish what was begun. Second: at once. */
static void
drain(struct server *s)
{
	struct hello_conn *c, *next;
	struct signalfd_siginfo si;

	if (read(s->signals, &si, sizeof(si)) != sizeof(si))
		return;
	s->until = hello_now + (hello_draining ? 0 : s->limit);
	hello_draining = 1;
	stop_listening(s);
	for (c = s->conns; c; c = next) {
		next = c->next;
		c->req.close = 1;
		if (hello_conn_idle(c))
			hello_conn_end(c);
	}
}

/* The next waits in the backlog while `single` has one. */
static void
set_full(struct server *s, int full)
{
	if (s->listener < 0 || s->full == full)
		return;
	s->full = full;
	poll_for(s, EPOLL_CTL_MOD, s->listener, full ? 0 : EPOLLIN,
	    &s->listener);
}

static void
run(struct server *s, struct hello_conn *c)
{
	if (!hello_conn_run(c)) {
		hello_conn_end(c);
		set_full(s, 0);
	}
}

static void
take(struct server *s)
{
	struct timespec ts = {
		.tv_sec = (time_t)(hello_opts.accept / 1000000000),
		.tv_nsec = (long)(hello_opts.accept % 1000000000),
	};
	struct hello_conn *c;
	int fd;

	nanosleep(&ts, NULL);
	fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	c = hello_conn_new(fd, &s->conns);
	if (!c) {
		close(fd);
		return;
	}
	poll_for(s, EPOLL_CTL_ADD, fd,
	    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, c);
	set_full(s, hello_opts.one_only);
}

/* Milliseconds until something is due, -1 for never. */
static int
pause_ms(const struct server *s)
{
	uint64_t due = hello_draining ? s->until : UINT64_MAX;

	for (const struct hello_conn *c = s->conns; c; c = c->next)
		if (c->wake && c->wake < due)
			due = c->wake;
	if (due == UINT64_MAX)
		return -1;
	return due <= hello_now ? 0 : (int)((due - hello_now) / 1000000 + 1);
}

static void
run_due(struct server *s)
{
	struct hello_conn *c, *next;

	for (c = s->conns; c; c = next) {
		next = c->next;
		if (c->wake && c->wake <= hello_now)
			run(s, c);
	}
}

static void
serve(struct server *s)
{
	struct epoll_event ev[64];

	while (!hello_draining || (s->conns && hello_now < s->until)) {
		int n = epoll_wait(s->epoll, ev, VYX_COUNT(ev), pause_ms(s));
		int drains = 0, accepts = 0;

		hello_now = clock_ns();
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr == &s->signals)
				drains = 1;
			else if (ev[i].data.ptr == &s->listener)
				accepts = 1;
			else
				run(s, ev[i].data.ptr);
		}
		run_due(s);
		/* last: both may end or begin a connection of this turn */
		if (accepts)
			take(s);
		if (drains)
			drain(s);
	}
}

int
main(int argc, char **argv)
{
	struct server s = { .limit = DRAIN_NS };
	struct vyx_opt opt;
	int arg = vyx_prog_start(&prog, &opt, argc, argv);

	if (arg >= argc)
		vyx_die(VYX_USAGE, "a socket is needed, see --help");
	if (opt.limit)
		s.limit = duration("-T", opt.limit);
	for (int i = arg + 1; i < argc; i++)
		word(argv[i]);
	hello_now = clock_ns();
	srandom((unsigned int)hello_now);
	start(&s, argv[arg]);
	vyx_prog_ready(&opt);
	serve(&s);
	while (s.conns)
		hello_conn_end(s.conns);
	if (s.path)
		unlink(s.path);
	return 0;
}
