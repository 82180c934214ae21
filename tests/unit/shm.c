/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "sys/shm.h"

/*
 * shm: one file for all who start at once, whatever lay there before; what is
 * not ours is replaced, what cannot be told is left.
 *
 * Not tested: a full disk, and a file that is truncated under its users.
 */

#define SIZE 20000
#define MAGIC UINT64_C(0x1122334455667788)
#define STARTERS 10

static char base[32], dir[48], path[64], made[64];

/* What lies in the memory. */
struct thing {
	uint64_t magic;
	uint8_t random[16];
	uint64_t count;
};

static int
valid(const void *mem, size_t size)
{
	return size == SIZE && ((const struct thing *)mem)->magic == MAGIC;
}

static void
make(void *mem, size_t size, const uint8_t random_[16])
{
	struct thing *t = mem;

	assert_int_equal(size, SIZE);
	t->magic = MAGIC;
	memcpy(t->random, random_, 16);
}

static int
opened(struct vyx_shm *m)
{
	return vyx_shm_open(m, dir, "t", SIZE, valid, make);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(base, "/tmp/vyx.XXXXXX");
	if (!mkdtemp(base))
		return -1;
	sprintf(dir, "%s/shm", base);
	sprintf(path, "%s/t", dir);
	sprintf(made, "%s/.new.t", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(made);
	rmdir(dir);
	rmdir(base);
	return 0;
}

/* What is there is a whole file that we can open. */
static struct stat
whole(void)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_size, SIZE);
	assert_true(st.st_blocks * 512 >= SIZE);
	assert_int_equal(access(made, F_OK), -1);
	return st;
}

static void
test_shared(void **state)
{
	struct vyx_shm one, two;
	struct stat st;

	(void)state;
	assert_true(opened(&one));
	assert_int_equal(lstat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	whole();
	((struct thing *)one.p)->count = 5;
	assert_true(opened(&two));
	assert_int_equal(((struct thing *)two.p)->count, 5);
	assert_memory_equal(one.p, two.p, SIZE);
	vyx_shm_close(&one);
	assert_null(one.p);
	vyx_shm_close(&one);
	vyx_shm_close(&two);
	/* and the file stays */
	assert_true(opened(&one));
	assert_int_equal(((struct thing *)one.p)->count, 5);
	vyx_shm_close(&one);
}

static void
test_umask(void **state)
{
	mode_t old = umask(0277);
	struct vyx_shm m;
	ino_t first;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_true(opened(&m));
	vyx_shm_close(&m);
	first = whole().st_ino;
	assert_true(opened(&m));
	vyx_shm_close(&m);
	umask(old);
	assert_int_equal(whole().st_ino, first);
}

static void
shorter(void)
{
	assert_int_equal(truncate(path, SIZE - 1), 0);
}

static void
empty(void)
{
	assert_int_equal(truncate(path, 0), 0);
}

static void
longer(void)
{
	assert_int_equal(truncate(path, SIZE + 1), 0);
}

static void
other_kind(void)
{
	uint64_t bad = MAGIC + 1;
	int fd = open(path, O_WRONLY);

	assert_int_equal(write(fd, &bad, sizeof bad), sizeof bad);
	close(fd);
}

static void
readable(void)
{
	assert_int_equal(chmod(path, 0644), 0);
}

static void
closed(void)
{
	assert_int_equal(chmod(path, 0), 0);
}

static void
others(void)
{
	/* as far as we may */
	assert_true(chown(path, 1, (gid_t)-1) == 0 || chmod(path, 0644) == 0);
}

static void
link_(void)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
}

static void
fifo(void)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void
leftover(void)
{
	int fd = open(made, O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlink(path), 0);
}

static void (*const spoils[])(void) = { shorter, empty, longer, other_kind,
	readable, closed, others, link_, fifo, leftover };

static void
test_replaced(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VYX_COUNT(spoils); i++) {
		struct vyx_shm one, two;

		assert_true(opened(&one));
		((struct thing *)one.p)->count = 5;
		spoils[i]();
		assert_true(opened(&two));
		whole();
		assert_int_equal(((struct thing *)two.p)->count, 0);
		vyx_shm_close(&one);
		vyx_shm_close(&two);
	}
}

/* A file with a hole, as a copy may be, gets its blocks before it is used. */
static void
test_hole(void **state)
{
	const uint64_t magic = MAGIC;
	struct vyx_shm m;
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, &magic, sizeof magic), sizeof magic);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	assert_true(opened(&m));
	assert_int_equal(whole().st_ino, st.st_ino);
	vyx_shm_close(&m);
}

/* What hinders us alone is no reason to part from the others. */
static void
test_left(void **state)
{
	struct rlimit old, few;
	struct vyx_shm m;
	ino_t first;
	int fd, r, err;

	(void)state;
	assert_true(opened(&m));
	vyx_shm_close(&m);
	first = whole().st_ino;
	assert_true((fd = dup(0)) >= 0);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)fd + 1; /* the directory's, and no more */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = opened(&m);
	err = errno;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_false(r);
	assert_int_equal(err, EMFILE);
	assert_int_equal(whole().st_ino, first);
	/* a directory in its place cannot be replaced */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(opened(&m));
	assert_int_equal(errno, EISDIR);
	assert_null(m.p);
	assert_int_equal(access(made, F_OK), -1);
	assert_int_equal(rmdir(path), 0);
}

static void
test_directory(void **state)
{
	static const mode_t open_[] = { 0755, 0722, 0720, 0704, 01777 };
	struct vyx_shm m;

	(void)state;
	assert_true(opened(&m));
	vyx_shm_close(&m);
	for (unsigned i = 0; i < VYX_COUNT(open_); i++) {
		assert_int_equal(chmod(dir, open_[i]), 0);
		assert_false(opened(&m));
		assert_int_equal(errno, EPERM);
	}
	assert_int_equal(chmod(dir, 0711), 0);
	assert_true(opened(&m));
	vyx_shm_close(&m);
	if (chown(dir, 1, (gid_t)-1) == 0) {
		assert_false(opened(&m));
		assert_int_equal(errno, EPERM);
		assert_int_equal(chown(dir, geteuid(), (gid_t)-1), 0);
	}
	assert_false(vyx_shm_open(&m, path, "t", SIZE, valid, make));
	assert_int_equal(errno, ENOTDIR);
}

/* A process that holds the lock; the pipe it leaves open says that it runs. */
static int
holder(pid_t *pid)
{
	int ready[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	if ((*pid = fork()) == 0) {
		int fd = open(dir, O_RDONLY);

		alarm(10); /* a test that fails does not come to kill us */
		if (flock(fd, LOCK_EX) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		fail();
	return ready[0];
}

static void
test_lock(void **state)
{
	struct vyx_shm m;
	pid_t pid, helper;
	int fd;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	fd = holder(&pid);
	assert_false(opened(&m));
	assert_int_equal(errno, ETIMEDOUT);
	/* killed while we wait, it lets go */
	if ((helper = fork()) == 0) {
		usleep(30000);
		_exit(kill(pid, SIGKILL) != 0);
	}
	assert_true(opened(&m));
	vyx_shm_close(&m);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
	close(fd);
}

/* STARTERS that open it at once count in one memory. */
static void
start(void)
{
	struct vyx_shm m;
	int gate[2], status;
	char c;

	assert_int_equal(pipe(gate), 0);
	for (unsigned p = 0; p < STARTERS; p++)
		if (fork() == 0) {
			close(gate[1]);
			if (read(gate[0], &c, 1) != 0 || !opened(&m))
				_exit(1);
			__atomic_fetch_add(&((struct thing *)m.p)->count, 1,
			    __ATOMIC_SEQ_CST);
			_exit(0);
		}
	close(gate[1]);
	for (unsigned p = 0; p < STARTERS; p++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	close(gate[0]);
	assert_true(opened(&m));
	assert_int_equal(((struct thing *)m.p)->count, STARTERS);
	vyx_shm_close(&m);
}

static void
test_start(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VYX_COUNT(spoils) * 2; i++) {
		start();
		spoils[i / 2]();
		start();
		assert_int_equal(unlink(path), 0);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = { T(test_shared), T(test_umask),
		T(test_replaced), T(test_hole), T(test_left), T(test_directory),
		T(test_lock), T(test_start) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
