/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "sys/shm.h"

#define TRIES 100 /* for the lock */
#define PAUSE (10 * VYX_NS_MS)

static int
close_with(int fd, int err)
{
	if (fd >= 0)
		close(fd);
	errno = err;
	return 0;
}

/* A directory nobody else can lock, or put things into. */
static int
ours(int dir)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return 0;
	if (st.st_uid == geteuid() && !(st.st_mode & 066))
		return 1;
	errno = EPERM;
	return 0;
}

static int
lock(int dir)
{
	for (int i = 0; i < TRIES; i++) {
		if (flock(dir, LOCK_EX | LOCK_NB) == 0)
			return 1;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return 0;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE }, NULL);
	}
	errno = ETIMEDOUT;
	return 0;
}

static int
map(struct vyx_shm *m, int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return 0;
	*m = (struct vyx_shm){ p, size };
	return 1;
}

/*
 * Blocks where the file has none. Where the file system has no such call it is
 * left as it is; posix_fallocate would write then, over what others count.
 */
static int
reserve(int fd, size_t size)
{
	int r;

	do
		r = fallocate(fd, 0, 0, (off_t)size);
	while (r < 0 && errno == EINTR);
	return r == 0 || errno == EOPNOTSUPP;
}

/* Whether DIR/name could be ours. -1: that cannot be told. */
static int
fits(int dir, const char *name, size_t size)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	return S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & 07777) == 0600 && st.st_size == (off_t)size;
}

/* The file that is there: 1. 0: none that was asked for. -1: an error. */
static int
use(struct vyx_shm *m, int dir, const char *name, size_t size,
    vyx_shm_valid *valid)
{
	int fd, r = fits(dir, name, size);

	if (r <= 0)
		return r;
	fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (!reserve(fd, size) || !map(m, fd, size)) {
		close_with(fd, errno);
		return -1;
	}
	close(fd);
	if (valid(m->p, size))
		return 1;
	vyx_shm_close(m);
	return 0;
}

static int
create(struct vyx_shm *m, int dir, const char *name, size_t size,
    vyx_shm_make *make)
{
	char tmp[NAME_MAX + 1];
	uint8_t random[16];
	int fd, err;

	if (snprintf(tmp, sizeof tmp, ".new.%s", name) >= (int)sizeof tmp)
		return close_with(-1, ENAMETOOLONG);
	/* what one that died has left */
	unlinkat(dir, tmp, 0);
	if (getrandom(random, sizeof random, 0) != sizeof random ||
	    (fd = openat(dir, tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	         0600)) < 0)
		return 0;
	if (fchmod(fd, 0600) == 0 && /* whatever the umask */
	    (errno = posix_fallocate(fd, 0, (off_t)size)) == 0 &&
	    map(m, fd, size)) {
		make(m->p, size, random);
		if (renameat(dir, tmp, dir, name) == 0) {
			close(fd);
			return 1;
		}
		err = errno;
		vyx_shm_close(m);
		errno = err;
	}
	err = errno;
	unlinkat(dir, tmp, 0);
	return close_with(fd, err);
}

int
vyx_shm_open(struct vyx_shm *m, const char *dir, const char *name, size_t size,
    vyx_shm_valid *valid, vyx_shm_make *make)
{
	int fd, r;

	*m = (struct vyx_shm){ 0 };
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return 0;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !ours(fd) || !lock(fd))
		return close_with(fd, errno);
	if ((r = use(m, fd, name, size, valid)) == 0)
		r = create(m, fd, name, size, make);
	close_with(fd, errno);
	return r > 0;
}

void
vyx_shm_close(struct vyx_shm *m)
{
	if (m->p)
		munmap(m->p, m->size);
	*m = (struct vyx_shm){ 0 };
}
