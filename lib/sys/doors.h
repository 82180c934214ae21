/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_DOORS_H
#define VYX_SYS_DOORS_H

#include "sys/loop.h"

/*
 * doors - the listening sockets of all slots, which of them are polled here,
 * and how many clients come in.
 *
 * Each slot has sockets of its own on every address, and every router has all
 * of them. A SO_REUSEPORT socket that nobody polls lets its clients hang: so
 * those of a slot that is not ready are polled by its siblings.
 *
 * Owns	    the sockets; the count of clients by address.
 * Needs    a loop; on_client.
 * Returns  1 when done; 0 when refused: `why` says so in words, errno is 0 or
 *	    what the kernel said.
 * Cost	    a client: one accept4, one hash.
 */

#define VYX_DOORS 256
#define VYX_SLOTS 65

struct vyx_doors;

struct vyx_door {
	struct vyx_io io;
	struct vyx_doors *all;
	unsigned slot;
	int local; /* a Unix socket: it belongs to no slot */
	int tls;   /* TLS was taken off in front of it */
	int polled;
	char addr[129];
};

/* Who came in. */
struct vyx_guest {
	uint8_t ip[16]; /* IPv4 as ::ffff:0:0/96 */
	char text[46];  /* "" on a Unix socket */
	uint8_t local;
	uint8_t tls;
	uint8_t counted;
};

struct vyx_doors {
	struct vyx_loop *loop;
	unsigned slot; /* ours */
	/* Take over fd, non-blocking, until vyx_doors_left. `over`: his address
	 * has too many connections; say so and close. 0: closed here. */
	int (*on_client)(struct vyx_doors *d, int fd, const struct vyx_guest *g,
	    int over);

	uint64_t most;        /* clients, from the descriptors there are */
	uint64_t per_address; /* 0: any number */
	uint64_t clients;
	int open; /* polled at all; see vyx_doors_poll */
	int full;
	const char *why;
	int bad_name; /* ... it was the address that was wrong */
	uint8_t ready[VYX_SLOTS];
	struct vyx_timer again;
	struct vyx_doors_addrs *addrs;
	unsigned n;
	struct vyx_door door[VYX_DOORS];
};

/* loop, slot and on_client are set before. */
int vyx_doors_start(struct vyx_doors *d);

/* Sockets that were inherited: "FD:SLOT:ADDRESS ...". */
int vyx_doors_inherit(struct vyx_doors *d, const char *words);

/* One of our own: 127.0.0.1:8080, [::1]:8080, unix:/path. */
int vyx_doors_bind(struct vyx_doors *d, const char *addr);

/* What `open`, `full` or `ready` says has changed. 0: one cannot be polled. */
int vyx_doors_poll(struct vyx_doors *d);

/* Let all sockets go; whoever else has them goes on. */
void vyx_doors_stop(struct vyx_doors *d);

/* A client has gone. */
void vyx_doors_left(struct vyx_doors *d, const struct vyx_guest *g);

#endif
