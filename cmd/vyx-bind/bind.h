/* SPDX-License-Identifier: ISC */
#ifndef VYX_BIND_H
#define VYX_BIND_H

#include <sys/types.h>

#include "base/prog.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */
#define ADDR_MAX 128 /* unix: and a path */
#define SLOTS_MAX 65
#define LISTENERS_MAX 64

/* Addresses to listen on, "127.0.0.1:8080". */
struct addrs {
	char v[LISTENERS_MAX][ADDR_MAX + 1];
	unsigned n;
};

/* wanted.c: the listeners that vyx-regd has rows for; 0: it is away. */
int wanted_ask(struct addrs *a, const char *run, uint64_t limit);

/* holder.c: sockets kept in s6-fdholderd. holder_open waits 3 s for it where
 * it has a directory: two routers that start before it would each bind the
 * other's sockets, which nobody polls. All others are allowed to find it away:
 * then nothing is kept, and each returns 0 or -1. */
void holder_open(const char *run);
int holder_take(const char *name); /* a listening socket, or -1 */
int holder_keep(const char *name, int fd);
void holder_drop(const char *name);
void holder_each(void (*fn)(void *arg, const char *name), void *arg);
void holder_close(void);

/* open.c: a new listening socket, or exit with a message. `share`: one of
 * several of this address, the others being ours too. */
int open_tcp(const char *addr, int share);
int open_unix(const char *path, mode_t mode);

/* taken.c: the process that listens on a TCP port of this family, 0: not
 * found. */
pid_t taken_by(int family, unsigned port);

#endif
