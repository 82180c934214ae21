/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bind.h"
#include "vyx.h"

union any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* ADDRESS:PORT or [IPV6]:PORT, as vyx-conf writes them. */
static socklen_t
parse(const char *addr, union any *a, unsigned *port)
{
	const char *colon = strrchr(addr, ':');
	char host[INET6_ADDRSTRLEN];
	size_t len = colon ? (size_t)(colon - addr) : 0;
	int v6 = len > 2 && addr[0] == '[' && addr[len - 1] == ']';
	uint64_t p;

	memset(a, 0, sizeof *a);
	if (v6)
		len -= 2;
	if (!len || len >= sizeof host ||
	    !vyx_dec_scan(VYX_STRZ(colon + 1), 65535, &p) || !p)
		goto bad;
	memcpy(host, addr + v6, len);
	host[len] = 0;
	*port = (unsigned)p;
	a->sa.sa_family = v6 ? AF_INET6 : AF_INET;
	if (v6)
		a->in6.sin6_port = htons((uint16_t)p);
	else
		a->in.sin_port = htons((uint16_t)p);
	if (inet_pton(a->sa.sa_family, host,
	        v6 ? (void *)&a->in6.sin6_addr : (void *)&a->in.sin_addr) == 1)
		return v6 ? sizeof a->in6 : sizeof a->in;
bad:
	vyx_die(VYX_CONFIG,
	    "%s: no address to listen on: ADDRESS:PORT, [IPV6]:PORT or "
	    "unix:/PATH is needed",
	    addr);
}

static void
set(int fd, int level, int option)
{
	const int one = 1;

	if (setsockopt(fd, level, option, &one, sizeof one) < 0)
		vyx_die_sys(VYX_SYSTEM, "setsockopt");
}

static void __attribute__((noreturn))
cannot(const char *addr, int family, unsigned port)
{
	int error = errno; /* looking for who has it takes others */
	pid_t pid = error == EADDRINUSE ? taken_by(family, port) : 0;

	if (pid)
		vyx_die(VYX_SYSTEM,
		    "cannot listen on %s: it is taken by process %d: end "
		    "that, or choose another `listen`",
		    addr, (int)pid);
	if (error == EADDRINUSE)
		vyx_die(VYX_SYSTEM,
		    "cannot listen on %s: it is taken by another process: "
		    "choose another `listen`",
		    addr);
	errno = error;
	vyx_die_sys(VYX_SYSTEM, "cannot listen on %s", addr);
}

/*
 * SO_REUSEPORT would let us join another program's sockets of the same user
 * unnoticed, and clients would reach it by halves. So the first socket of an
 * address is tried without it, and bound again with it.
 */
int
open_tcp(const char *addr, int share)
{
	union any a;
	unsigned port;
	socklen_t len = parse(addr, &a, &port);

	for (int reuse = share;; reuse = 1) {
		int fd = socket(a.sa.sa_family, SOCK_STREAM, 0);

		if (fd < 0)
			vyx_die_sys(VYX_SYSTEM, "socket");
		set(fd, SOL_SOCKET, SO_REUSEADDR);
		if (reuse)
			set(fd, SOL_SOCKET, SO_REUSEPORT);
		if (a.sa.sa_family == AF_INET6)
			set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
		if (bind(fd, &a.sa, len) < 0 || (reuse && listen(fd, BACKLOG)))
			cannot(addr, a.sa.sa_family, port);
		if (reuse)
			return fd;
		/* two that bind at once are told apart by listen only */
		if (listen(fd, 1) < 0)
			cannot(addr, a.sa.sa_family, port);
		close(fd);
	}
}

/* A socket file that nobody listens on is one left over. */
static void
clear(const char *path, const struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		vyx_die_sys(VYX_SYSTEM, "socket");
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		vyx_die(VYX_SYSTEM,
		    "cannot listen on %s: a file that is no "
		    "socket has that name",
		    path);
	if (connect(fd, (const struct sockaddr *)un, sizeof *un) == 0 ||
	    errno == EAGAIN)
		vyx_die(VYX_SYSTEM,
		    "cannot listen on %s: it is taken by another process",
		    path);
	if (errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

int
open_unix(const char *path, mode_t mode)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (*path != '/' || strlen(path) > VYX_PATH_MAX)
		vyx_die(VYX_CONFIG,
		    "%s: an absolute path of at most %d bytes is needed", path,
		    VYX_PATH_MAX);
	if (fd < 0)
		vyx_die_sys(VYX_SYSTEM, "socket");
	memcpy(un.sun_path, path, strlen(path));
	clear(path, &un);
	if (bind(fd, (struct sockaddr *)&un, sizeof un) < 0 ||
	    chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0)
		vyx_die_sys(VYX_SYSTEM, "cannot listen on %s", path);
	return fd;
}
