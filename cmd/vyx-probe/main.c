/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/prog.h"
#include "base/units.h"
#include "vyx.h"
#include "wire/http1.h"

#define NOT_READY 1

static const struct vyx_prog prog = { "vyx-probe", "Tv", "SOCKET [PATH]",
	"asks once whether a worker is ready: exit 0 yes, 1 no",
	"  without PATH, a connection is enough; with it, a GET of PATH must\n"
	"  be answered with a status from 200 to 399\n"
	"  -T is for all of it, 1s when not given; -v says why it is not\n" };

static int verbose;
static int64_t deadline; /* CLOCK_MONOTONIC ns */

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * VYX_NS_S + ts.tv_nsec;
}

static void
not_ready(const char *what, const char *why)
{
	if (verbose)
		fprintf(stderr, "vyx-probe: %s: %s\n", what, why);
	_exit(NOT_READY);
}

/* Until `fd` can be read, within the time limit. */
static void
wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left = deadline - now();
	int n = left > 0 ? poll(&p, 1, (int)(left / VYX_NS_MS + 1)) : 0;

	if (n < 0)
		vyx_die_sys(VYX_SYSTEM, "poll");
	if (!n)
		not_ready("no answer", "the time is up");
}

static int
dial(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		vyx_die_sys(VYX_SYSTEM, "socket");
	memcpy(un.sun_path, path, strlen(path));
	/* over UDS a connect that would block is refused: a full backlog */
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
		not_ready(path, strerror(errno));
	return fd;
}

/* The status of the answer, interim ones passed over. */
static unsigned int
answer(int fd)
{
	static char in[VYX_HTTP1_HEAD_MAX];
	static struct vyx_http1 h;
	size_t n = 0;

	vyx_http1_start(&h, VYX_HTTP1_RESPONSE, NULL);
	for (;;) {
		enum vyx_http1_got got = vyx_http1_parse(&h, in, n);
		ssize_t r;

		if (got == VYX_HTTP1_BAD)
			not_ready("no HTTP", h.why);
		if (got == VYX_HTTP1_DONE && h.code >= 200)
			return h.code;
		if (got == VYX_HTTP1_DONE) {
			n -= h.len;
			memmove(in, in + h.len, n);
			vyx_http1_start(&h, VYX_HTTP1_RESPONSE, NULL);
			continue;
		}
		wait_readable(fd);
		r = read(fd, in + n, sizeof(in) - n);
		if (r <= 0)
			not_ready("no answer", r ? strerror(errno) : "closed");
		n += (size_t)r;
	}
}

static void
ask(int fd, const char *path)
{
	char text[16], req[5000];
	unsigned int code;
	int n = snprintf(req, sizeof(req),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\n"
	    "User-Agent: vyx-probe\r\nConnection: close\r\n\r\n",
	    path);

	/* a fresh socket takes so little at once */
	if (send(fd, req, (size_t)n, MSG_NOSIGNAL) != n)
		not_ready("cannot ask", strerror(errno));
	code = answer(fd);
	snprintf(text, sizeof(text), "%u", code);
	if (code >= 400)
		not_ready(path, text);
}

int
main(int argc, char **argv)
{
	struct vyx_opt opt;
	int arg = vyx_prog_start(&prog, &opt, argc, argv);
	int64_t limit = VYX_NS_S;
	const char *path;
	int fd;

	if (arg >= argc || argc - arg > 2)
		vyx_die(VYX_USAGE, "a socket and at most a path are needed");
	if (opt.limit &&
	    (!vyx_dur_scan(VYX_STRZ(opt.limit), &limit) || limit <= 0))
		vyx_die(VYX_USAGE, "-T %s: a time is needed, such as 500ms",
		    opt.limit);
	if (!*argv[arg] || strlen(argv[arg]) > VYX_PATH_MAX)
		vyx_die(VYX_USAGE, "%s: a socket's path has 1 to %d bytes",
		    argv[arg], VYX_PATH_MAX);
	path = argv[arg + 1];
	/* nothing that would end the request line early */
	if (path &&
	    (*path != '/' || path[strcspn(path, " \t\r\n")] ||
	        strlen(path) > 4096))
		vyx_die(VYX_USAGE, "%s: a path begins with / and has no blank",
		    path);
	verbose = opt.verbose;
	deadline = now() + limit;
	fd = dial(argv[arg]);
	if (path)
		ask(fd, path);
	return 0;
}
