/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_STORE_H
#define VYX_SYS_STORE_H

#include "base/bytes.h"

/*
 * store - rows on disk, in one SQLite file (WAL), for one process at a time.
 *
 * Owns	    the file, its -wal beside it, and the lock on it.
 * Needs    umask 077 for a new file to be 0600.
 * Returns  1 when done; 0 when not: s->text says what and where, for people.
 *	    After a put, del or commit that failed nothing may be
 *	    acknowledged any more: close it.
 * Cost	    what is put and deleted between two commits is one transaction;
 *	    vyx_store_commit is one fsync of a VYX_STORE_SYNC store, else none.
 *
 * Opening says why it fails by errno: EBUSY: another process has it open.
 * EPROTONOSUPPORT: a newer version of this program wrote it. EBADMSG: no
 * store, or damaged. EIO: the system refuses, see text.
 */

#define VYX_STORE_VERSION 1

enum vyx_store_kind {
	VYX_STORE_SYNC, /* a commit is on disk when it returns */
	VYX_STORE_LAZY, /* a commit outlives this process, not the power */
};

struct sqlite3;
struct sqlite3_stmt;

struct vyx_store {
	struct sqlite3 *db;
	struct sqlite3_stmt *put, *del, *note;
	const char *path;
	int open;      /* a transaction is under way */
	int pages;     /* in the -wal */
	uint64_t done; /* commits so far */
	char text[512];
};

/* Open or create; an older version is brought up to this one's. `path` is
 * borrowed. */
int vyx_store_open(struct vyx_store *s, const char *path,
    enum vyx_store_kind kind);
void vyx_store_close(struct vyx_store *s);

/* Remove the file and what belongs to it. */
void vyx_store_unlink(const char *path);

/* A row as it was put. 0 from `fn` ends the walk, which then returns 0. */
typedef int vyx_store_row(void *arg, struct vyx_str table, struct vyx_str key,
    uint64_t rev, struct vyx_str cols);
int vyx_store_each(struct vyx_store *s, vyx_store_row *fn, void *arg);

int vyx_store_put(struct vyx_store *s, const char *table, struct vyx_str key,
    uint64_t rev, struct vyx_str cols);
int vyx_store_del(struct vyx_store *s, const char *table, struct vyx_str key);

/* A note about the whole, such as a ceiling; read into `value`, "" when there
 * is none. */
int vyx_store_note(struct vyx_store *s, const char *name, const char *value);
int vyx_store_noted(struct vyx_store *s, const char *name, char *value,
    size_t size);

/* Make what was put since the last commit last. */
int vyx_store_commit(struct vyx_store *s);

#endif
