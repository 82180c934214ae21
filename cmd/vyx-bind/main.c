/* SPDX-License-Identifier: ISC */
/* vyx-bind - listening sockets that outlive the programs that use them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <s6/supervise.h>

#include "base/units.h"
#include "bind.h"
#include "sys/loop.h"

static const struct vyx_prog prog = { "vyx-bind", "dwiT",
	"SLOT PROG... | -i NAME PATH PROG...",
	"takes listening sockets from s6-fdholderd, or binds them and leaves "
	"them there, then runs PROG",
	"  -w is how many slots have sockets; else $VYX_SLOTS, else 1\n"
	"  -T is how long to wait for the registry's first listener; for "
	"ever without\n" };

#define UNIX_MODE 0666   /* as a TCP port of loopback: every local user */
#define WORKER_MODE 0770 /* its directory says who gets that far */

static struct addrs addrs;
static const char *run;

static void
give(int fd)
{
	if (fcntl(fd, F_SETFD, 0) < 0) /* PROG inherits it */
		vyx_die_sys(VYX_SYSTEM, "fcntl");
}

static void __attribute__((noreturn)) become(char *const *argv)
{
	holder_close();
	execvp(*argv, argv);
	vyx_die_sys(errno == ENOENT ? 127 : 126, "%s", *argv);
}

/* One at a time: two that find nothing kept would both bind all, and a
 * socket of the lesser one would be polled by nobody. */
static void
lock(void)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/bind.lock", run);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		vyx_die_sys(VYX_SYSTEM, "%s", path);
}

static void
name_of(char *name, unsigned slot, const char *addr)
{
	snprintf(name, ADDR_MAX + 32, "listen:%u:%s", slot, addr);
}

/* Parse a name back; 0: it is none of ours. */
static int
named(const char *name, uint64_t *slot, const char **addr)
{
	struct vyx_str left = VYX_STRZ(name), num;

	if (!vyx_str_starts(left, VYX_STR("listen:")))
		return 0;
	vyx_str_cut(&left, ':');
	num = vyx_str_cut(&left, ':');
	if (!left.p || !vyx_dec_scan(num, UINT32_MAX, slot))
		return 0;
	*addr = left.p;
	return 1;
}

static int
known(const char *addr)
{
	for (unsigned i = 0; i < addrs.n; i++)
		if (!strcmp(addrs.v[i], addr))
			return 1;
	return 0;
}

/* The registry is away: what is kept is what was wanted last. */
static void
recall(void *arg, const char *name)
{
	const char *addr;
	uint64_t slot;

	(void)arg;
	if (named(name, &slot, &addr) && !known(addr) &&
	    addrs.n < LISTENERS_MAX && strlen(addr) <= ADDR_MAX)
		strcpy(addrs.v[addrs.n++], addr);
}

static void
drop_unwanted(void *arg, const char *name)
{
	const unsigned *slots = arg;
	const char *addr;
	uint64_t slot;

	if (named(name, &slot, &addr) && (slot >= *slots || !known(addr)))
		holder_drop(name);
}

/* Whether a route slot of this tree, perhaps still on its way through us,
 * has the port: then it is no stranger's. */
static int
ours(pid_t pid)
{
	char dir[512];
	s6_svstatus_t st;

	for (unsigned i = 0; pid && i < SLOTS_MAX; i++) {
		snprintf(dir, sizeof dir, "%s/sv/route.%u", run, i);
		if (s6_svstatus_read(dir, &st) && st.pid == pid)
			return 1;
	}
	return 0;
}

static int
socket_of(const char *addr, unsigned slot, int *share)
{
	char name[ADDR_MAX + 32];
	int local = !strncmp(addr, "unix:", 5);
	const char *port = strrchr(addr, ':');
	uint64_t n = 0;
	int fd;

	name_of(name, slot, addr);
	if ((fd = holder_take(name)) < 0) {
		if (!local && !*share && port &&
		    vyx_dec_scan(VYX_STRZ(port + 1), 65535, &n))
			*share =
			    ours(taken_by(*addr == '[' ? AF_INET6 : AF_INET,
			        (unsigned)n));
		fd = local ? open_unix(addr + 5, UNIX_MODE)
		           : open_tcp(addr, *share);
		if (!holder_keep(name, fd))
			vyx_log(VYX_WARN, "not kept by fdholder", "socket",
			    name, NULL);
	}
	*share = 1;
	give(fd);
	return fd;
}

static void
take_all(unsigned own, unsigned slots, struct vyx_buf *list)
{
	char name[ADDR_MAX + 32];

	for (unsigned i = 0; i < addrs.n; i++) {
		const char *addr = addrs.v[i];
		int share = 0, local = !strncmp(addr, "unix:", 5);

		/* one that is kept is ours, and so are those beside it */
		for (unsigned k = 0; !local && !share && k < slots; k++) {
			int fd;

			name_of(name, k, addr);
			if ((fd = holder_take(name)) >= 0) {
				share = 1;
				close(fd);
			}
		}
		/* the one Unix socket is everybody's own */
		for (unsigned k = 0; k < (local ? 1 : slots); k++)
			vyx_buf_fmt(list, "%s%d:%u:%s", list->n ? " " : "",
			    socket_of(addr, k, &share), local ? own : k, addr);
	}
}

static void
find_addrs(const struct vyx_opt *o, unsigned slots)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	int64_t limit = 0;
	uint64_t start = vyx_now();

	if (o->limit &&
	    (!vyx_dur_scan(VYX_STRZ(o->limit), &limit) || limit < 0))
		vyx_die(VYX_USAGE, "-T %s: a time is needed, such as 2s",
		    o->limit);
	for (;;) {
		holder_open(run);
		if (wanted_ask(&addrs, run, VYX_SEC)) {
			if (addrs.n) {
				holder_each(drop_unwanted, &slots);
				return;
			}
		} else {
			addrs.n = 0;
			holder_each(recall, NULL);
			if (addrs.n)
				return;
		}
		holder_close();
		if (o->limit && vyx_now() - start >= (uint64_t)limit)
			vyx_die(VYX_SYSTEM, "no listener is wanted yet");
		nanosleep(&pause, NULL);
	}
}

static unsigned
number(const char *text, const char *what, uint64_t least, uint64_t most)
{
	uint64_t n;

	if (!vyx_dec_scan(VYX_STRZ(text), most, &n) || n < least)
		vyx_die(VYX_USAGE, "%s %s: a number from %ju to %ju is needed",
		    what, text, (uintmax_t)least, (uintmax_t)most);
	return (unsigned)n;
}

static void __attribute__((noreturn))
for_route(const struct vyx_opt *o, char *const *argv)
{
	const char *env = getenv("VYX_SLOTS");
	const char *count = o->processes ? o->processes
	    : env && *env                ? env
	                                 : "1";
	unsigned slots = number(count, "-w", 1, SLOTS_MAX);
	unsigned own = number(argv[0], "slot", 0, slots - 1);
	struct vyx_buf list = { 0 };

	find_addrs(o, slots);
	lock();
	take_all(own, slots, &list);
	if (!vyx_buf_putc(&list, 0) || setenv("VYX_LISTEN", list.p, 1) < 0)
		vyx_die_sys(VYX_SYSTEM, "malloc");
	become(argv + 1);
}

static void __attribute__((noreturn))
for_worker(const struct vyx_opt *o, char *const *argv)
{
	char pid[VYX_DEC + 1] = { 0 };
	int fd;

	holder_open(run);
	if ((fd = holder_take(o->name)) < 0) {
		fd = open_unix(argv[0], WORKER_MODE);
		if (!holder_keep(o->name, fd))
			vyx_log(VYX_WARN, "not kept by fdholder", "socket",
			    o->name, NULL);
	}
	holder_close(); /* it may have descriptor 3 */
	if (fd != 3 && (dup2(fd, 3) < 0 || close(fd) < 0))
		vyx_die_sys(VYX_SYSTEM, "dup2");
	give(3);
	vyx_dec_fmt(pid, (uint64_t)getpid());
	if (setenv("LISTEN_FDS", "1", 1) < 0 ||
	    setenv("LISTEN_PID", pid, 1) < 0)
		vyx_die_sys(VYX_SYSTEM, "setenv");
	become(argv + 1);
}

int
main(int argc, char **argv)
{
	struct vyx_opt o;
	int arg = vyx_prog_start(&prog, &o, argc, argv);

	run = vyx_prog_run(&o);
	if (argc - arg < 2)
		vyx_die(VYX_USAGE,
		    o.name ? "a path and a program are needed"
		           : "a slot and a program are needed");
	if (o.name)
		for_worker(&o, argv + arg);
	for_route(&o, argv + arg);
}
