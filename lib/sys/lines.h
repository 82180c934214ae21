/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_LINES_H
#define VYX_SYS_LINES_H

#include "base/bytes.h"
#include "sys/loop.h"

/*
 * lines - whole lines to one descriptor, gathered over a turn.
 *
 * Owns	    the lines not written yet; not the descriptor.
 * Needs    a loop.
 * Cost	    one write a turn. A pipe is made non-blocking: what it does not
 *	    take is kept up to VYX_LINES_MAX bytes; further whole lines are
 *	    dropped and counted. Files and terminals may block.
 */

#define VYX_LINES_MAX 1048576

struct vyx_lines {
	struct vyx_loop *loop;
	struct vyx_io io;
	struct vyx_task task;
	struct vyx_buf buf;
	size_t written; /* of buf */
	int blocked;
	uint64_t dropped;
};

int vyx_lines_open(struct vyx_lines *l, struct vyx_loop *loop, int fd);
/* The buffer to append one line to, newline included, NULL: full, counted as
 * dropped. Then vyx_lines_end. */
struct vyx_buf *vyx_lines_begin(struct vyx_lines *l);
void vyx_lines_end(struct vyx_lines *l);
/* Write what is left, as far as it is taken now. */
void vyx_lines_close(struct vyx_lines *l);

#endif
