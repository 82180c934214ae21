/* SPDX-License-Identifier: ISC */
#include "sys/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void
drain(struct vyx_lines *l)
{
	while (l->written < l->buf.n) {
		ssize_t n = write(l->io.fd, l->buf.p + l->written,
		    l->buf.n - l->written);

		if (n >= 0)
			l->written += (size_t)n;
		else if (errno == EAGAIN) {
			l->blocked = 1;
			return;
		} else if (errno != EINTR) {
			/* Nobody reads it any more: not worth an end. */
			l->dropped++;
			break;
		}
	}
	l->buf.n = l->written = 0;
}

static void
turn(struct vyx_task *t)
{
	struct vyx_lines *l = VYX_OF(t, struct vyx_lines, task);

	if (!l->blocked)
		drain(l);
}

static void
room(struct vyx_io *io, uint32_t events)
{
	struct vyx_lines *l = VYX_OF(io, struct vyx_lines, io);

	(void)events;
	l->blocked = 0;
	drain(l);
}

int
vyx_lines_open(struct vyx_lines *l, struct vyx_loop *loop, int fd)
{
	struct stat st;
	int flags;

	*l = (struct vyx_lines){
		.loop = loop, .io = { room, fd, 0 }, .task = { .fn = turn }
	};
	if (fstat(fd, &st))
		return 0;
	if (!S_ISFIFO(st.st_mode))
		return 1;
	if ((flags = fcntl(fd, F_GETFL)) < 0 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return 0;
	return vyx_loop_add(loop, &l->io, EPOLLOUT | EPOLLET);
}

struct vyx_buf *
vyx_lines_begin(struct vyx_lines *l)
{
	if (l->buf.n - l->written < VYX_LINES_MAX) {
		if (l->written > VYX_LINES_MAX) {
			vyx_buf_shift(&l->buf, l->written);
			l->written = 0;
		}
		return &l->buf;
	}
	l->dropped++;
	return NULL;
}

void
vyx_lines_end(struct vyx_lines *l)
{
	vyx_loop_defer(l->loop, &l->task);
}

void
vyx_lines_close(struct vyx_lines *l)
{
	drain(l);
	if (l->blocked)
		l->dropped++;
	vyx_buf_free(&l->buf);
}
