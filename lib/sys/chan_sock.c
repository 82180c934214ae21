/* SPDX-License-Identifier: ISC */
/* chan_sock - dial, listen, accept, and who may. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/chan.h"

#define BACKLOG 128

static int
address(struct sockaddr_un *a, const char *path)
{
	size_t n = strlen(path);

	if (n > VYX_PATH_MAX)
		return errno = ENAMETOOLONG, 0;
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(a->sun_path, path, n);
	return 1;
}

static int
make(int packet)
{
	return socket(AF_UNIX,
	    (packet ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC |
	        SOCK_NONBLOCK,
	    0);
}

static int
give_up(int fd)
{
	int e = errno;

	close(fd);
	return errno = e, -1;
}

int
vyx_chan_dial(const char *path, int packet)
{
	struct sockaddr_un a;
	int fd;

	if (!address(&a, path) || (fd = make(packet)) < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&a, sizeof a))
		return give_up(fd);
	return fd;
}

/* Whether nobody answers at `path` any more, so that its file may go. */
static int
dead(const char *path, int packet)
{
	int fd = vyx_chan_dial(path, packet);

	if (fd >= 0)
		close(fd);
	return fd < 0 && (errno == ECONNREFUSED || errno == ENOENT);
}

int
vyx_chan_listen(const char *path, int packet, mode_t mode)
{
	struct sockaddr_un a;
	int fd;

	if (!address(&a, path) || (fd = make(packet)) < 0)
		return -1;
	if (!dead(path, packet)) {
		errno = EADDRINUSE;
		return give_up(fd);
	}
	unlink(path);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) || chmod(path, mode) ||
	    listen(fd, BACKLOG))
		return give_up(fd);
	return fd;
}

int
vyx_chan_accept(int fd, pid_t *pid, uid_t *uid)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (c < 0)
		return -1;
	if (getsockopt(c, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return give_up(c);
	*pid = peer.pid;
	*uid = peer.uid;
	return c;
}

/* clang-format off */
#define PROC(id, program, dir, user, uid, trusts, keeps) \
	[VYX_P_##id] = { #id, user, uid },
static const struct { const char *id, *user; uid_t uid; } procs[VYX_P_COUNT] = {
	VYX_PROCS(PROC)
};
#define EDGE(id, socket, kind, listens, may) [VYX_E_##id] = may,
static const char *const mays[VYX_E_COUNT] = { VYX_EDGES(EDGE) };
/* clang-format on */

uid_t
vyx_chan_uid(enum vyx_proc p)
{
	static uid_t known[VYX_P_COUNT];
	struct passwd *pw;

	if (!known[p] && procs[p].uid) {
		pw = getpwnam(procs[p].user);
		known[p] = pw ? pw->pw_uid : procs[p].uid;
	}
	return known[p];
}

static enum vyx_proc
proc_of(struct vyx_str id)
{
	for (unsigned p = 1; p < VYX_P_EACH; p++)
		if (vyx_str_eq(VYX_STRZ(procs[p].id), id))
			return (enum vyx_proc)p;
	return VYX_P_NONE;
}

unsigned
vyx_chan_may(enum vyx_edge edge, uid_t uid)
{
	const char *map = getenv("VYX_UIDS");
	struct vyx_str rest = VYX_STRZ(mays[edge]), id;
	unsigned may = 0;

	if (uid == 0 || uid == geteuid())
		return ~0U;
	if (!map || strcmp(map, "map"))
		return 0;
	while (rest.p && (id = vyx_str_cut(&rest, ' ')).n)
		if (vyx_chan_uid(proc_of(id)) == uid)
			may |= 1U << proc_of(id);
	return may;
}
