/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_ROWS_H
#define VYX_STATE_ROWS_H

#include "base/bytes.h"

/*
 * rows - one table of the registry in memory: rows in the order of keys.
 *
 * Owns	    the rows, from vyx_rows_put until they are replaced or deleted.
 * Needs    malloc. Columns come encoded as record lines in the table's order
 *	    (vyx_rec_putrow), so that rows are equal when their bytes are.
 * Returns  1 when done; 0 when refused, errno says why, nothing has changed.
 * Cost	    O(log n) expected: a treap. A row is one allocation.
 */

struct vyx_row {
	struct vyx_row *left, *right;
	uint32_t prio;
	int unseen;         /* its source has not named it since `sync` */
	uint64_t conn;      /* who put it, where rows end with that; else 0 */
	uint64_t rev;       /* of its last change */
	struct vyx_str key; /* these three lie in data[] */
	struct vyx_str who; /* its owner or source, may be empty */
	struct vyx_str cols;
	char data[];
};

/* Zero is an empty table. */
struct vyx_rows {
	struct vyx_row *root;
	size_t n;
	size_t bytes;  /* of keys, owners and columns */
	uint64_t rev;  /* of the last change here, deletions too */
	uint32_t seed; /* of the priorities */
};

/* The row of that key; NULL: none. */
struct vyx_row *vyx_rows_get(const struct vyx_rows *t, struct vyx_str key);

/* The first row behind `key`, which need not exist; NULL: none. Before the
 * first row lies the empty key. */
struct vyx_row *vyx_rows_after(const struct vyx_rows *t, struct vyx_str key);

/* Put a copy in, in place of the row of that key. The row, or NULL: ENOMEM. */
struct vyx_row *vyx_rows_put(struct vyx_rows *t, struct vyx_str key,
    struct vyx_str who, struct vyx_str cols, uint64_t rev);

/* Take it out at revision `rev`. ENOENT. */
int vyx_rows_del(struct vyx_rows *t, struct vyx_str key, uint64_t rev);

void vyx_rows_free(struct vyx_rows *t);

#endif
