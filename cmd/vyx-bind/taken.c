/* SPDX-License-Identifier: ISC */
/* taken - who has a port, by /proc: the inode of the listening socket, then
 * the process with a descriptor of it. As an ordinary user, own ones only. */
#include <dirent.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bind.h"

#define LISTENING "0A"

/* The inode of a socket that listens on `port`, by one file of /proc/net. */
static unsigned long
inode_in(const char *file, unsigned port)
{
	char line[512], state[3], addr[64];
	unsigned long inode;
	unsigned p;
	FILE *f = fopen(file, "re");

	if (!f)
		return 0;
	while (fgets(line, sizeof line, f))
		if (sscanf(line,
		        "%*d: %63[0-9A-F]:%x %*s %2s %*s %*s %*s %*s %*s %lu",
		        addr, &p, state, &inode) == 4 &&
		    p == port && !strcmp(state, LISTENING)) {
			fclose(f);
			return inode;
		}
	fclose(f);
	return 0;
}

static int
has(const char *pid, const char *want)
{
	char path[64], link[PATH_MAX], to[64];
	struct dirent *e;
	int found = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	if ((d = opendir(path)) == NULL)
		return 0;
	while (!found && (e = readdir(d)) != NULL) {
		ssize_t n;

		snprintf(link, sizeof link, "%s/%s", path, e->d_name);
		n = readlink(link, to, sizeof to - 1);
		to[n > 0 ? n : 0] = 0;
		found = !strcmp(to, want);
	}
	closedir(d);
	return found;
}

pid_t
taken_by(int family, unsigned port)
{
	unsigned long inode = 0;
	struct dirent *e;
	uint64_t pid = 0;
	char want[64];
	DIR *d;

	if (family == AF_INET)
		inode = inode_in("/proc/net/tcp", port);
	if (!inode) /* one of IPv6 may take IPv4 too */
		inode = inode_in("/proc/net/tcp6", port);
	if (!inode || (d = opendir("/proc")) == NULL)
		return 0;
	snprintf(want, sizeof want, "socket:[%lu]", inode);
	while (!pid && (e = readdir(d)) != NULL)
		if (vyx_dec_scan(VYX_STRZ(e->d_name), INT_MAX, &pid) &&
		    !has(e->d_name, want))
			pid = 0;
	closedir(d);
	return (pid_t)pid;
}
