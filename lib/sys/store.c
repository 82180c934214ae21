/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "sys/store.h"

#define APPLICATION 1987672178 /* "vyxr", in the file's header */
#define TEXT(macro) TEXT_OF(macro)
#define TEXT_OF(x) #x
#define WAL_PAGES 1000 /* then the -wal is copied into the file */

/*
 * What makes version n + 1 of version n; the first makes a new file. Steps
 * are only ever added, and VYX_STORE_VERSION counts them.
 */
static const char *const steps[] = {
	"CREATE TABLE row (tab TEXT NOT NULL, key TEXT NOT NULL,"
	" rev INTEGER NOT NULL, cols TEXT NOT NULL,"
	" PRIMARY KEY (tab, key)) WITHOUT ROWID;"
	"CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
	" WITHOUT ROWID;"
	"PRAGMA application_id = " TEXT(APPLICATION) ";",
};
_Static_assert(VYX_COUNT(steps) == VYX_STORE_VERSION, "a step a version");

static int
fail(struct vyx_store *s)
{
	int code = sqlite3_errcode(s->db);
	const char *why = sqlite3_errmsg(s->db);
	int os = sqlite3_system_errno(s->db);

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		errno = EBUSY;
		snprintf(s->text, sizeof s->text,
		    "%s: another process has it open; is a vyx-regd running "
		    "on it?",
		    s->path);
		break;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		errno = EBADMSG;
		snprintf(s->text, sizeof s->text,
		    "%s: no store, or damaged (%s): put a copy in its place, "
		    "or move it away to begin anew",
		    s->path, why);
		break;
	default:
		errno = EIO;
		snprintf(s->text, sizeof s->text, "%s: %s%s%s", s->path, why,
		    os ? ": " : "", os ? strerror(os) : "");
	}
	return 0;
}

static int
sql(struct vyx_store *s, const char *text)
{
	return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK ||
	    fail(s);
}

static int
ready(struct vyx_store *s, sqlite3_stmt **q, const char *text)
{
	return sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, q,
	           NULL) == SQLITE_OK ||
	    fail(s);
}

/* The one number that a query answers. */
static int
number(struct vyx_store *s, const char *text, sqlite3_int64 *n)
{
	sqlite3_stmt *q;
	int ok;

	if (!ready(s, &q, text))
		return 0;
	ok = sqlite3_step(q) == SQLITE_ROW;
	*n = sqlite3_column_int64(q, 0);
	if (!ok)
		fail(s);
	sqlite3_finalize(q);
	return ok;
}

/* Bring it to our version, step by step, each whole or not at all. */
static int
upgrade(struct vyx_store *s)
{
	sqlite3_int64 version, app, things;
	char set[64];

	if (!number(s, "PRAGMA user_version", &version) ||
	    !number(s, "PRAGMA application_id", &app) ||
	    !number(s, "SELECT count(*) FROM sqlite_master", &things))
		return 0;
	if (things && app != APPLICATION) {
		snprintf(s->text, sizeof s->text,
		    "%s: a database of something else, left alone", s->path);
		return errno = EBADMSG, 0;
	}
	if (version > VYX_STORE_VERSION) {
		snprintf(s->text, sizeof s->text,
		    "%s: is of version %lld, this program knows up to %d: "
		    "run the newer vyx again, or another state directory",
		    s->path, (long long)version, VYX_STORE_VERSION);
		return errno = EPROTONOSUPPORT, 0;
	}
	for (; version < VYX_STORE_VERSION; version++) {
		snprintf(set, sizeof set, "PRAGMA user_version = %lld; COMMIT",
		    (long long)version + 1);
		if (!sql(s, "BEGIN IMMEDIATE") || !sql(s, steps[version]) ||
		    !sql(s, set))
			return 0;
	}
	return 1;
}

static int
grown(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct vyx_store *s = arg;

	(void)db;
	(void)name;
	s->pages = pages;
	return SQLITE_OK;
}

int
vyx_store_open(struct vyx_store *s, const char *path, enum vyx_store_kind kind)
{
	*s = (struct vyx_store){ .path = path };
	if (sqlite3_open_v2(path, &s->db,
	        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	            SQLITE_OPEN_NOMUTEX,
	        NULL) != SQLITE_OK) {
		if (s->db)
			return fail(s);
		snprintf(s->text, sizeof s->text, "%s: no memory", path);
		return errno = ENOMEM, 0;
	}
	/* exclusive: one owner, and no -shm file; the lock is taken by the
	 * first write and kept */
	if (!sql(s, "PRAGMA locking_mode = EXCLUSIVE") ||
	    !sql(s, "PRAGMA journal_mode = WAL") ||
	    !sql(s,
	        kind == VYX_STORE_SYNC ? "PRAGMA synchronous = FULL"
	                               : "PRAGMA synchronous = OFF") ||
	    !sql(s, "PRAGMA journal_size_limit = 16777216") ||
	    !sql(s, "BEGIN EXCLUSIVE; COMMIT"))
		return 0;
	sqlite3_wal_hook(s->db, grown, s);
	if (!upgrade(s))
		return 0;
	return ready(s, &s->put,
	           "INSERT INTO row VALUES (?1, ?2, ?3, ?4) "
	           "ON CONFLICT DO UPDATE SET rev = ?3, cols = ?4") &&
	    ready(s, &s->del, "DELETE FROM row WHERE tab = ?1 AND key = ?2") &&
	    ready(s, &s->note, "REPLACE INTO note VALUES (?1, ?2)");
}

void
vyx_store_close(struct vyx_store *s)
{
	sqlite3_finalize(s->put);
	sqlite3_finalize(s->del);
	sqlite3_finalize(s->note);
	sqlite3_close(s->db);
	s->put = s->del = s->note = NULL;
	s->db = NULL;
	s->open = 0;
}

void
vyx_store_unlink(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char name[4096];

	for (size_t i = 0; i < VYX_COUNT(ends); i++) {
		snprintf(name, sizeof name, "%s%s", path, ends[i]);
		unlink(name);
	}
}

static struct vyx_str
column(sqlite3_stmt *q, int i)
{
	const void *p = sqlite3_column_blob(q, i);

	return (struct vyx_str){ p ? p : "",
		(size_t)sqlite3_column_bytes(q, i) };
}

int
vyx_store_each(struct vyx_store *s, vyx_store_row *fn, void *arg)
{
	sqlite3_stmt *q;
	int got, ok = 1;

	if (!ready(s, &q, "SELECT tab, key, rev, cols FROM row"))
		return 0;
	while (ok && (got = sqlite3_step(q)) == SQLITE_ROW)
		ok = fn(arg, column(q, 0), column(q, 1),
		    (uint64_t)sqlite3_column_int64(q, 2), column(q, 3));
	if (ok && got != SQLITE_DONE)
		ok = fail(s);
	sqlite3_finalize(q);
	return ok;
}

static int
bind(sqlite3_stmt *q, int i, struct vyx_str v)
{
	return sqlite3_bind_text(q, i, v.p ? v.p : "", (int)v.n,
	           SQLITE_STATIC) == SQLITE_OK;
}

static int
run(struct vyx_store *s, sqlite3_stmt *q, int bound)
{
	int ok;

	if (!s->open && !(s->open = sql(s, "BEGIN IMMEDIATE")))
		return 0;
	ok = (bound && sqlite3_step(q) == SQLITE_DONE) || fail(s);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return ok;
}

int
vyx_store_put(struct vyx_store *s, const char *table, struct vyx_str key,
    uint64_t rev, struct vyx_str cols)
{
	return run(s, s->put,
	    bind(s->put, 1, VYX_STRZ(table)) && bind(s->put, 2, key) &&
	        sqlite3_bind_int64(s->put, 3, (sqlite3_int64)rev) ==
	            SQLITE_OK &&
	        bind(s->put, 4, cols));
}

int
vyx_store_del(struct vyx_store *s, const char *table, struct vyx_str key)
{
	return run(s, s->del,
	    bind(s->del, 1, VYX_STRZ(table)) && bind(s->del, 2, key));
}

int
vyx_store_note(struct vyx_store *s, const char *name, const char *value)
{
	return run(s, s->note,
	    bind(s->note, 1, VYX_STRZ(name)) &&
	        bind(s->note, 2, VYX_STRZ(value)));
}

int
vyx_store_noted(struct vyx_store *s, const char *name, char *value, size_t size)
{
	sqlite3_stmt *q;
	int got;

	value[0] = 0;
	if (!ready(s, &q, "SELECT value FROM note WHERE name = ?1"))
		return 0;
	bind(q, 1, VYX_STRZ(name));
	if ((got = sqlite3_step(q)) == SQLITE_ROW)
		snprintf(value, size, "%s",
		    (const char *)sqlite3_column_text(q, 0));
	else if (got != SQLITE_DONE)
		fail(s);
	sqlite3_finalize(q);
	return got == SQLITE_ROW || got == SQLITE_DONE;
}

int
vyx_store_commit(struct vyx_store *s)
{
	if (!s->open)
		return 1;
	if (!sql(s, "COMMIT"))
		return 0;
	s->open = 0;
	s->done++;
	if (s->pages < WAL_PAGES)
		return 1;
	/* by ourselves, for SQLite's own would pass over a failed fsync, and
	 * try again where the kernel has forgotten what it could not write */
	s->pages = 0;
	return sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
	           NULL, NULL) == SQLITE_OK ||
	    fail(s);
}
