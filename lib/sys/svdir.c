/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/svdir.h"

#define DEPTH 16 /* of what we make; deeper is not ours */

static int
all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno != EINTR)
			return 0;
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	return 1;
}

static int empty(int dir, unsigned depth);

static int
unlink_one(int dir, const char *name, unsigned depth)
{
	int fd, ok;

	if (unlinkat(dir, name, 0) == 0)
		return 1;
	if (errno != EISDIR && errno != EPERM)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ok = empty(fd, depth);
	return ok && unlinkat(dir, name, AT_REMOVEDIR) == 0;
}

/* Take all out of the directory `dir`, which is closed. */
static int
empty(int dir, unsigned depth)
{
	struct dirent *e;
	int ok = 1;
	DIR *d;

	if (depth == 0 || (d = fdopendir(dir)) == NULL) {
		close(dir);
		return depth ? 0 : (errno = ELOOP, 0);
	}
	while (ok && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			ok = unlink_one(dirfd(d), e->d_name, depth - 1);
	closedir(d);
	return ok;
}

static int
named(char *tmp, const char *prefix, const char *name)
{
	int n = snprintf(tmp, VYX_SVDIR_NAME + 1, "%s%s", prefix, name);

	if (n < 0 || n > VYX_SVDIR_NAME || strchr(name, '/'))
		return errno = ENAMETOOLONG, 0;
	return 1;
}

void
vyx_svdir_begin(struct vyx_svdir *d, const char *parent, const char *name,
    mode_t mode)
{
	*d = (struct vyx_svdir){ .parent = -1,
		.fd = -1,
		.name = name,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1 };
	d->parent = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->parent < 0 || !named(d->tmp, ".new.", name))
		goto bad;
	if (!unlink_one(d->parent, d->tmp, DEPTH) && errno != ENOENT)
		goto bad;
	if (mkdirat(d->parent, d->tmp, 0700) < 0)
		goto bad;
	d->fd = openat(d->parent, d->tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0 || fchmod(d->fd, mode) < 0)
		goto bad;
	return;
bad:
	d->bad = errno;
}

void
vyx_svdir_dir(struct vyx_svdir *d, const char *path, mode_t mode)
{
	if (d->bad)
		return;
	if (mkdirat(d->fd, path, 0700) < 0 ||
	    fchownat(d->fd, path, d->uid, d->gid, 0) < 0 ||
	    fchmodat(d->fd, path, mode, 0) < 0)
		d->bad = errno;
}

void
vyx_svdir_file(struct vyx_svdir *d, const char *path, mode_t mode,
    struct vyx_str content)
{
	int fd;

	if (d->bad)
		return;
	fd = openat(d->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || !all(fd, content.p, content.n) ||
	    fchown(fd, d->uid, d->gid) < 0 || fchmod(fd, mode) < 0)
		d->bad = errno;
	if (fd >= 0)
		close(fd);
}

void
vyx_svdir_number(struct vyx_svdir *d, const char *path, uint64_t n)
{
	char s[VYX_DEC + 1];
	size_t len = vyx_dec_fmt(s, n);

	s[len++] = '\n';
	vyx_svdir_file(d, path, 0644, (struct vyx_str){ s, len });
}

void
vyx_svdir_as(struct vyx_svdir *d, uid_t uid, gid_t gid)
{
	d->uid = uid;
	d->gid = gid;
}

void
vyx_svdir_owner(struct vyx_svdir *d, uid_t uid, gid_t gid)
{
	struct stat st;

	/* chown takes the setgid bit off */
	if (!d->bad &&
	    (fstat(d->fd, &st) < 0 || fchown(d->fd, uid, gid) < 0 ||
	        fchmod(d->fd, st.st_mode & 07777) < 0))
		d->bad = errno;
}

int
vyx_svdir_end(struct vyx_svdir *d)
{
	/* rename would replace an empty directory of that name */
	if (!d->bad &&
	    faccessat(d->parent, d->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		d->bad = EEXIST;
	if (!d->bad && renameat(d->parent, d->tmp, d->parent, d->name) < 0)
		d->bad = errno;
	if (d->fd >= 0) {
		close(d->fd);
		if (d->bad)
			unlink_one(d->parent, d->tmp, DEPTH);
	}
	if (d->parent >= 0)
		close(d->parent);
	errno = d->bad;
	return !d->bad;
}

int
vyx_svdir_remove(const char *parent, const char *name)
{
	char old[VYX_SVDIR_NAME + 1];
	int dir, ok;

	dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return 0;
	ok = named(old, ".old.", name) &&
	    (unlink_one(dir, old, DEPTH) || errno == ENOENT) &&
	    renameat(dir, name, dir, old) == 0 && unlink_one(dir, old, DEPTH);
	close(dir);
	return ok;
}

int
vyx_svdir_write(const char *dir, const char *name, struct vyx_str content)
{
	char tmp[VYX_SVDIR_NAME + 1];
	int at, fd, ok;

	at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return 0;
	fd = -1;
	ok = named(tmp, ".new.", name) &&
	    (fd = openat(at, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	         0644)) >= 0 &&
	    all(fd, content.p, content.n) && renameat(at, tmp, at, name) == 0;
	if (fd >= 0)
		close(fd);
	close(at);
	return ok;
}

ssize_t
vyx_svdir_read(const char *dir, const char *name, char *out, size_t max)
{
	int at, fd;
	ssize_t n;

	at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -1;
	fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	close(at);
	if (fd < 0)
		return -1;
	n = read(fd, out, max);
	close(fd);
	if (n > 0 && out[n - 1] == '\n')
		n--;
	if (n >= 0)
		out[n] = 0;
	return n;
}
