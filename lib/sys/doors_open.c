/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/doors_int.h"
#include "vyx.h"
#include "wire/http1.h"

int
vyx_doors_inherit(struct vyx_doors *d, const char *words)
{
	struct vyx_str all = VYX_STRZ(words), one, fd, slot;
	uint64_t f, s;

	while (all.p && all.n) {
		one = vyx_str_cut(&all, ' ');
		if (!one.n)
			continue;
		fd = vyx_str_cut(&one, ':');
		slot = one.p ? vyx_str_cut(&one, ':') : one;
		errno = 0;
		d->why = "not of the form FD:SLOT:ADDRESS";
		if (!one.p || !vyx_dec_scan(fd, INT32_MAX, &f) ||
		    !vyx_dec_scan(slot, VYX_SLOTS - 1, &s))
			return 0;
		d->why = "no such descriptor";
		if (fcntl((int)f, F_SETFD, FD_CLOEXEC) ||
		    fcntl((int)f, F_SETFL, O_NONBLOCK) ||
		    !vyx_doors_add(d, (int)f, (unsigned)s, one))
			return 0;
	}
	return 1;
}

static int
unix_addr(struct sockaddr_un *un, const char *path)
{
	if (strlen(path) > VYX_PATH_MAX)
		return 0;
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	return 1;
}

static int
tcp_addr(struct sockaddr_storage *ss, const char *addr)
{
	struct sockaddr_in *v4 = (void *)ss;
	struct sockaddr_in6 *v6 = (void *)ss;
	struct vyx_span host;
	char ip[INET6_ADDRSTRLEN] = "";
	int32_t port;
	unsigned six = addr[0] == '[';

	if (!vyx_http1_authority(VYX_STRZ(addr), &host, &port) || port < 0 ||
	    host.n - 2 * six >= sizeof ip)
		return 0;
	memcpy(ip, addr + six, host.n - 2 * six);
	ss->ss_family = six ? AF_INET6 : AF_INET;
	v4->sin_port = htons((uint16_t)port);
	return inet_pton(ss->ss_family, ip,
	           six ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) == 1;
}

int
vyx_doors_bind(struct vyx_doors *d, const char *addr)
{
	struct sockaddr_storage ss = { 0 };
	int fd, one = 1, local = !strncmp(addr, "unix:", 5);
	socklen_t n =
	    local ? sizeof(struct sockaddr_un) : sizeof(struct sockaddr_in6);

	errno = 0;
	d->bad_name = 1;
	d->why = "not ADDRESS:PORT, [IPV6]:PORT or unix:/PATH";
	if (!(local ? unix_addr((void *)&ss, addr + 5) : tcp_addr(&ss, addr)))
		return 0;
	d->bad_name = 0;
	d->why = "cannot listen";
	fd =
	    socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	if ((local ||
	        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ==
	            0) &&
	    bind(fd, (struct sockaddr *)&ss, n) == 0 &&
	    listen(fd, SOMAXCONN) == 0 &&
	    vyx_doors_add(d, fd, d->slot, VYX_STRZ(addr)))
		return 1;
	close(fd);
	return 0;
}
