/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_WATCH_H
#define VYX_STATE_WATCH_H

#include "state/ring.h"
#include "state/rows.h"

/*
 * watch - what one watcher has been told of the registry, and what comes next.
 *
 * Owns	    a position in the ring and, during a snapshot, a key: no row, no
 *	    queue.
 * Needs    all tables as an array by enum vyx_table, and the ring, between two
 *	    transactions.
 * Returns  1 when done; 0 when not, errno says why.
 * Cost	    the bytes written; the rest of a snapshot is found by key.
 *
 * A snapshot is rows in the order of table and key, while the registry goes
 * on changing: a change behind the cursor is told at once, one ahead of it is
 * left to the cursor. So what was told is whole at `synced`, and only then;
 * from there on at each `commit`.
 */

enum vyx_watch_mode {
	VYX_WATCH_OFF,
	VYX_WATCH_NEW, /* `snapshot` is still to be said */
	VYX_WATCH_SNAPSHOT,
	VYX_WATCH_LIVE,
};

struct vyx_watch {
	enum vyx_watch_mode mode;
	uint32_t id;     /* of the request */
	uint32_t tables; /* 1 << VYX_T_... */
	uint64_t pos;    /* in the ring */
	int owed;        /* changes were told, their commit was not */
	unsigned table;  /* the snapshot's cursor: all rows of tables before */
	struct vyx_buf key; /* and of this one up to this key are told */
};

/*
 * Begin after revision `from`; without one (NULL) by a snapshot. `w` is zero
 * but for id and tables. ESTALE: `from` is below the floor.
 */
int vyx_watch_start(struct vyx_watch *w, const struct vyx_ring *ring,
    const uint64_t *from);

/*
 * Write records to `out` until it holds `limit` bytes or all is told. EAGAIN:
 * there is more. ESTALE: overtaken by the ring, the watch is off. ENOMEM.
 */
int vyx_watch_fill(struct vyx_watch *w, const struct vyx_rows *tables,
    const struct vyx_ring *ring, struct vyx_buf *out, size_t limit);

void vyx_watch_stop(struct vyx_watch *w);

/* Write one row, as an answer to `id` by `verb` (ROW or PUT). */
int vyx_watch_row(struct vyx_buf *out, enum vyx_verb verb, uint64_t id,
    enum vyx_table table, const struct vyx_row *row);

#endif
