/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_RING_H
#define VYX_STATE_RING_H

#include "wire/rec.h"

/*
 * ring - the last changes of the registry, encoded once for all watchers.
 *
 * Owns	    one block of memory. A change is dropped when newer ones need its
 *	    place; whoever still stands before it has been overtaken.
 * Needs    changes in the order of their revisions, and vyx_ring_commit
 *	    behind each transaction. Nobody reads within one.
 * Returns  1 when done; 0 when not, errno says why.
 * Cost	    a copy of the change; reading is by reference. vyx_ring_seek walks
 *	    the ring.
 *
 * A transaction of more than half of the ring empties it: watchers begin
 * again from a snapshot.
 */

#define VYX_RING_SIZE ((size_t)8 << 20)

struct vyx_ring {
	char *p;
	size_t size;
	uint64_t head, tail; /* bytes ever put, ever dropped */
	uint64_t rev;        /* of the last commit */
	uint64_t floor;      /* every change behind this one is here */
	size_t open;         /* bytes of the transaction under way */
	int huge;            /* it is too large: the ring empties at commit */
};

struct vyx_change {
	enum vyx_verb verb; /* PUT, DEL or COMMIT */
	enum vyx_table table;
	uint64_t rev;
	struct vyx_str key;
	struct vyx_str body; /* record lines behind id=, the last one empty */
};

/* `size` is a power of 2. Begins empty at revision `rev`. ENOMEM. */
int vyx_ring_init(struct vyx_ring *r, size_t size, uint64_t rev);
void vyx_ring_free(struct vyx_ring *r);

/* Add PUT or DEL; `body` is empty for COMMIT. */
void vyx_ring_add(struct vyx_ring *r, const struct vyx_change *c);
void vyx_ring_commit(struct vyx_ring *r, uint64_t rev);

/* The position behind revision `from`. ESTALE: below the floor, or not a
 * revision of this life. */
int vyx_ring_seek(const struct vyx_ring *r, uint64_t from, uint64_t *pos);

/* The change at *pos, and *pos behind it. EAGAIN: none yet. ESTALE: *pos has
 * been overtaken. Valid until the next vyx_ring_add. */
int vyx_ring_next(const struct vyx_ring *r, uint64_t *pos,
    struct vyx_change *c);

#endif
