/* SPDX-License-Identifier: ISC */
/*
 * store: what is committed is there when it is opened again; the Nth write,
 * sync or truncation fails, for each N, and nothing acknowledged is lost.
 *
 * Not tested here: a power cut (the kernel keeps what was written).
 */
#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/store.h"

#define SIZE 50000 /* of a row */
#define KEYS 16

static char dir[64], path[80];

/*
 * A VFS over the default one: counts calls that change a file, and fails one
 * of them, as the disk would. The file of the real one lies behind ours.
 */
struct file {
	sqlite3_file base;
	sqlite3_file *real;
};
static sqlite3_vfs *below, shim;
static sqlite3_io_methods methods;
static long calls, fail_at, syncs;

static int
fails(int code)
{
	return ++calls == fail_at ? code : SQLITE_OK;
}

#define REAL(f) (((struct file *)(void *)(f))->real)

static int
x_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int r = fails(SQLITE_FULL);

	if (r) /* a part of it got through */
		REAL(f)->pMethods->xWrite(REAL(f), p, n / 2, at);
	return r ? r : REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int
x_sync(sqlite3_file *f, int flags)
{
	int r = fails(SQLITE_IOERR_FSYNC);

	(void)f;
	(void)flags;
	syncs++;
	return r; /* the kernel keeps it for as long as the test runs */
}

static int
x_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	int r = fails(SQLITE_IOERR_TRUNCATE);

	return r ? r : REAL(f)->pMethods->xTruncate(REAL(f), n);
}

static int
x_close(sqlite3_file *f)
{
	int r = REAL(f)->pMethods->xClose(REAL(f));

	sqlite3_free(REAL(f));
	return r;
}

/* Plainly passed on. */
static int
x_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}
static int
x_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), n);
}
static int
x_lock(sqlite3_file *f, int how)
{
	return REAL(f)->pMethods->xLock(REAL(f), how);
}
static int
x_unlock(sqlite3_file *f, int how)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), how);
}
static int
x_reserved(sqlite3_file *f, int *out)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}
static int
x_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}
static int
x_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}
static int
x_character(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static int
x_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct file *ours = (struct file *)(void *)f;
	int r;

	(void)v;
	ours->base.pMethods = NULL;
	ours->real = sqlite3_malloc(below->szOsFile);
	r = below->xOpen(below, name, ours->real, flags, out);
	if (r == SQLITE_OK)
		ours->base.pMethods = &methods;
	else
		sqlite3_free(ours->real);
	return r;
}

static int
start(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/vyx-store.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/s.db", dir);
	below = sqlite3_vfs_find(NULL);
	shim = *below;
	shim.zName = "shim";
	shim.szOsFile = sizeof(struct file);
	shim.xOpen = x_open;
	methods = (sqlite3_io_methods){ 1, x_close, x_read, x_write, x_truncate,
		x_sync, x_size, x_lock, x_unlock, x_reserved, x_control,
		x_sector, x_character, NULL, NULL, NULL, NULL, NULL, NULL };
	return sqlite3_vfs_register(&shim, 1);
}

static int
finish(void **state)
{
	(void)state;
	return rmdir(dir);
}

static int
clean(void **state)
{
	(void)state;
	fail_at = 0;
	vyx_store_unlink(path);
	return 0;
}

static int
count(void *arg, struct vyx_str table, struct vyx_str key, uint64_t rev,
    struct vyx_str cols)
{
	int *seen = arg;
	uint64_t k;

	assert_true(vyx_str_eq(table, VYX_STR("worker")));
	assert_true(vyx_dec_scan(key, 99, &k));
	assert_int_equal(rev, k + 1000);
	assert_int_equal(cols.n, SIZE);
	seen[k]++;
	return 1;
}

/* Put row `k`, large enough that a checkpoint comes by and by. */
static int
put(struct vyx_store *s, unsigned k)
{
	static char cols[SIZE];
	static int fill;
	char key[8];

	memset(cols, 'a' + fill++ % 26, sizeof cols); /* pages differ */
	snprintf(key, sizeof key, "%u", k);
	return vyx_store_put(s, "worker", VYX_STRZ(key), k + 1000,
	    (struct vyx_str){ cols, sizeof cols });
}

static void
rows_and_notes_come_back(void **state)
{
	struct vyx_store s;
	char note[32];
	int seen[100] = { 0 };

	(void)state;
	assert_true(vyx_store_open(&s, path, VYX_STORE_SYNC));
	assert_true(vyx_store_noted(&s, "ceiling", note, sizeof note));
	assert_string_equal(note, "");
	for (unsigned k = 0; k < 10; k++)
		assert_true(put(&s, k));
	assert_true(vyx_store_del(&s, "worker", VYX_STR("3")));
	assert_true(put(&s, 4));
	assert_true(vyx_store_note(&s, "ceiling", "17"));
	assert_true(vyx_store_commit(&s));
	assert_true(put(&s, 11)); /* never committed */
	vyx_store_close(&s);
	assert_true(vyx_store_open(&s, path, VYX_STORE_SYNC));
	assert_true(vyx_store_each(&s, count, seen));
	for (int k = 0; k < 12; k++)
		assert_int_equal(seen[k], k < 10 && k != 3);
	assert_true(vyx_store_noted(&s, "ceiling", note, sizeof note));
	assert_string_equal(note, "17");
	vyx_store_close(&s);
}

/* What a commit costs: one sync when it is waited for, else none. */
static void
one_sync_a_commit(void **state)
{
	struct vyx_store s;
	long before;

	(void)state;
	for (int kind = VYX_STORE_SYNC; kind <= VYX_STORE_LAZY; kind++) {
		assert_true(vyx_store_open(&s, path,
		    (enum vyx_store_kind)kind));
		assert_true(put(&s, 0) && vyx_store_commit(&s));
		before = syncs;
		for (unsigned k = 1; k < 20; k++)
			assert_true(put(&s, k));
		assert_true(vyx_store_commit(&s));
		assert_int_equal(syncs - before, kind == VYX_STORE_SYNC);
		vyx_store_close(&s);
		vyx_store_unlink(path);
	}
}

/* Commits of two rows each, enough of them for a checkpoint, up to the first
 * failure. */
static int
work(int *acknowledged)
{
	struct vyx_store s;
	int ok = vyx_store_open(&s, path, VYX_STORE_SYNC);

	for (unsigned k = 0; ok && k < 50; k++) {
		unsigned other = (k + KEYS / 2) % KEYS;

		ok = put(&s, k % KEYS) && put(&s, other) &&
		    vyx_store_note(&s, "n", "x") && vyx_store_commit(&s);
		if (ok)
			acknowledged[k % KEYS] = acknowledged[other] = 1;
		else
			assert_true(strlen(s.text) > strlen(path));
	}
	vyx_store_close(&s);
	return ok;
}

static void
the_nth_call_fails(void **state)
{
	long n, failed = 0, unseen = 0;
	int done;

	(void)state;
	/* each of the first, then one here and there */
	for (n = 1;; n += n < 150 ? 1 : 17) {
		int acknowledged[100] = { 0 }, seen[100] = { 0 };
		struct vyx_store s;

		clean(state);
		calls = 0;
		fail_at = n;
		done = work(acknowledged);
		if (calls < n) /* no such call any more */
			break;
		failed += !done;
		unseen += done;
		fail_at = 0;
		assert_true(vyx_store_open(&s, path, VYX_STORE_SYNC));
		assert_true(vyx_store_each(&s, count, seen));
		for (int k = 0; k < KEYS; k++)
			assert_true(seen[k] >= acknowledged[k]);
		vyx_store_close(&s);
	}
	assert_true(done);
	/* only what the close does may fail unseen: all is in the -wal */
	assert_true(failed > 250);
	assert_true(unseen < 30);
}

static void
no_two_at_a_time(void **state)
{
	struct vyx_store a, b;

	(void)state;
	assert_true(vyx_store_open(&a, path, VYX_STORE_SYNC));
	assert_false(vyx_store_open(&b, path, VYX_STORE_SYNC));
	assert_int_equal(errno, EBUSY);
	assert_non_null(strstr(b.text, "another process"));
	vyx_store_close(&b);
	vyx_store_close(&a);
	assert_true(vyx_store_open(&b, path, VYX_STORE_SYNC));
	vyx_store_close(&b);
}

static void
run_sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(path, &db,
	                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	                     below->zName),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
of_another_version_or_kind(void **state)
{
	struct vyx_store s;
	FILE *f;

	(void)state;
	assert_true(vyx_store_open(&s, path, VYX_STORE_SYNC));
	vyx_store_close(&s);
	run_sql("PRAGMA user_version = 99");
	assert_false(vyx_store_open(&s, path, VYX_STORE_SYNC));
	assert_int_equal(errno, EPROTONOSUPPORT);
	assert_non_null(strstr(s.text, "version 99"));
	vyx_store_close(&s);

	vyx_store_unlink(path);
	run_sql("CREATE TABLE theirs (x)");
	assert_false(vyx_store_open(&s, path, VYX_STORE_SYNC));
	assert_int_equal(errno, EBADMSG);
	vyx_store_close(&s);

	vyx_store_unlink(path);
	assert_non_null(f = fopen(path, "w"));
	for (int i = 0; i < 5000; i++)
		fputs("no database", f);
	fclose(f);
	assert_false(vyx_store_open(&s, path, VYX_STORE_SYNC));
	assert_int_equal(errno, EBADMSG);
	vyx_store_close(&s);

	snprintf(path, sizeof path, "%s/no/s.db", dir);
	assert_false(vyx_store_open(&s, path, VYX_STORE_SYNC));
	assert_int_equal(errno, EIO);
	vyx_store_close(&s);
	snprintf(path, sizeof path, "%s/s.db", dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(rows_and_notes_come_back, clean),
		cmocka_unit_test_teardown(one_sync_a_commit, clean),
		cmocka_unit_test_teardown(the_nth_call_fails, clean),
		cmocka_unit_test_teardown(no_two_at_a_time, clean),
		cmocka_unit_test_teardown(of_another_version_or_kind, clean),
	};

	return cmocka_run_group_tests(tests, start, finish);
}
