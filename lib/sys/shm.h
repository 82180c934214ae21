/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_SHM_H
#define VYX_SYS_SHM_H

#include <stddef.h>
#include <stdint.h>

/*
 * shm - memory that processes of one user share, in a file.
 *
 * Owns	    DIR/name, and DIR/.new.name while it is made.
 * Needs    a directory of this user that nobody else reads or writes, since
 *	    who may read it may hold its lock; one that is missing is made,
 *	    0700, when its parent lets us.
 * Returns  1 when mapped; 0 when not, errno says why. EPERM: the directory is
 *	    another's or too open. ETIMEDOUT: somebody held its lock for a
 *	    second.
 * Cost	    at start a few system calls; the file's blocks are taken at once,
 *	    so that a full disk is an error then and not SIGBUS later.
 *
 * Of several that start at once one makes the file, under flock(2) of the
 * directory, the others use it; the kernel lets go of a dead one's lock. The
 * file appears whole, by rename. What cannot be it, of another size, kind,
 * owner or mode, is replaced; who has that mapped goes on with it, alone. One
 * that could be it and cannot be opened or mapped is left, and an error: else
 * one process short of memory would part from all others.
 *
 * Who truncates the file under us ends us by SIGBUS; only this user and root
 * can.
 */

struct vyx_shm {
	void *p;
	size_t size;
};

/* Whether mem[size] is what was asked for. */
typedef int vyx_shm_valid(const void *mem, size_t size);
/* Make it so; `random` is 16 bytes from the kernel. */
typedef void vyx_shm_make(void *mem, size_t size, const uint8_t random[16]);

int vyx_shm_open(struct vyx_shm *m, const char *dir, const char *name,
    size_t size, vyx_shm_valid *valid, vyx_shm_make *make);

/* Unmap; the file stays. */
void vyx_shm_close(struct vyx_shm *m);

#endif
