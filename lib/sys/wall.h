/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_WALL_H
#define VYX_SYS_WALL_H

#include <time.h>

#include "base/bytes.h"
#include "sys/loop.h"

/*
 * wall - the time of day as text, and random names.
 *
 * Owns	    two lines of text and some random bytes.
 * Needs    a loop, for its clock. Zero is a start.
 * Cost	    the wall clock is read once a second and moved by the loop's; a
 *	    text is made once a second. Random bytes come by the KiB.
 */
struct vyx_wall {
	uint64_t next; /* ns, monotonic: read the wall clock again then */
	uint64_t less; /* ms, wall clock less monotonic clock */
	time_t stamp_at, date_at;
	char stamp[25], date[30];
	unsigned char random[1024];
	size_t left; /* of random */
};

/* 2026-11-21T21:18:55.879Z; valid until the next call. */
struct vyx_str vyx_wall_stamp(struct vyx_wall *w, uint64_t now);

/* Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 5.6.7). */
struct vyx_str vyx_wall_date(struct vyx_wall *w, uint64_t now);

/* A random UUID (RFC 9562 5.4) into out. 0: the kernel gave none. */
#define VYX_UUID 36
int vyx_wall_uuid(struct vyx_wall *w, char out[VYX_UUID]);

/* A traceparent that begins a trace, not sampled (W3C Trace Context 3.2). 0:
 * the kernel gave no random bytes. */
int vyx_wall_trace(struct vyx_wall *w, char out[55]);

/* Seconds since 1970. */
int64_t vyx_wall_seconds(struct vyx_wall *w, uint64_t now);

#endif
