/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_SVDIR_H
#define VYX_SYS_SVDIR_H

#include <sys/types.h>

#include "base/bytes.h"

/*
 * svdir - directories made whole or not at all: written under a name that
 * s6-svscan and everyone else passes over, renamed when complete.
 *
 * Owns	    PARENT/.new.NAME from begin to end.
 * Needs    a parent directory that only we and root write to.
 * Returns  1 when done; 0 when refused, errno says why. The first failure is
 *	    kept: the calls behind it do nothing, and end tells it.
 * Cost	    a few system calls a file. No fsync: the directory does not
 *	    outlive a power cut, being made again from the registry.
 */

#define VYX_SVDIR_NAME 255

struct vyx_svdir {
	int parent; /* directory descriptors */
	int fd;
	int bad;   /* errno of the first failure */
	uid_t uid; /* of what is made from now on, (uid_t)-1: ours */
	gid_t gid;
	char tmp[VYX_SVDIR_NAME + 1];
	const char *name;
};

/* Start on PARENT/name, which must not exist at the end. What an interrupted
 * one left is removed. `name` is borrowed until end. */
void vyx_svdir_begin(struct vyx_svdir *d, const char *parent, const char *name,
    mode_t mode);

/* A directory in it, "data"; its parents come first. */
void vyx_svdir_dir(struct vyx_svdir *d, const char *path, mode_t mode);

/* A file in it, "log/run". */
void vyx_svdir_file(struct vyx_svdir *d, const char *path, mode_t mode,
    struct vyx_str content);
/* The same with a number and a newline. */
void vyx_svdir_number(struct vyx_svdir *d, const char *path, uint64_t n);

/* What is made from now on belongs to `uid` and `gid`; (uid_t)-1: to us. */
void vyx_svdir_as(struct vyx_svdir *d, uid_t uid, gid_t gid);

/* The directory itself is `uid`'s and `gid`'s. */
void vyx_svdir_owner(struct vyx_svdir *d, uid_t uid, gid_t gid);

/* Rename it into place; after a failure, remove it. EEXIST: a directory of
 * that name is there. */
int vyx_svdir_end(struct vyx_svdir *d);

/* Remove PARENT/name and all in it: out of sight at once, by a rename, then
 * piece by piece. Links are not followed. ENOENT: there is none. */
int vyx_svdir_remove(const char *parent, const char *name);

/* Replace the file DIR/name by one with this content, whole. */
int vyx_svdir_write(const char *dir, const char *name, struct vyx_str content);

/* The first `max` bytes of DIR/name into `out`, terminated, trailing newline
 * cut off; its length, or -1. */
ssize_t vyx_svdir_read(const char *dir, const char *name, char *out,
    size_t max);

#endif
