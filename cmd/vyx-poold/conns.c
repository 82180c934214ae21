/* SPDX-License-Identifier: ISC */
/* conns - worker connections: dial, poll, end. HOP 4 is decided in
 * lib/state/pool.c and done here. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "poold.h"

/* What a connection has while it is polled. */
struct watch {
	struct poold *d;
	struct vyx_io io;
	struct vyx_pconn *c;
	int discard; /* LINGER: read and throw away */
};

int
conns_dial(void *arg, void *endpoint)
{
	const struct endpoint *e = endpoint;

	(void)arg;
	return vyx_chan_dial(e->path, 0);
}

/* Read what a worker still sends to a client that has gone. 1: the end. */
static int
discard(int fd)
{
	char sink[16384];
	ssize_t n;

	while ((n = recv(fd, sink, sizeof sink, MSG_DONTWAIT)) > 0)
		if ((size_t)n < sizeof sink)
			return 0;
	return n == 0 || (errno != EAGAIN && errno != EINTR);
}

static void
event(struct vyx_io *io, uint32_t events)
{
	struct watch *w = VYX_OF(io, struct watch, io);
	struct poold *d = w->d;

	(void)events;
	if (w->discard && !discard(io->fd))
		return;
	poold_touch(d);
	vyx_pool_event(d->pool, w->c, d->loop.now);
}

static void
unwatch(struct poold *d, struct vyx_pconn *c)
{
	struct watch *w = c->user;

	if (!w)
		return;
	vyx_loop_del(&d->loop, &w->io);
	free(w);
	c->user = NULL;
}

int
conns_watch(void *arg, struct vyx_pconn *c, int how)
{
	struct poold *d = arg;
	struct watch *w;

	unwatch(d, c);
	if (!how)
		return 1;
	if (!(w = calloc(1, sizeof *w)))
		return 0;
	*w = (struct watch){ d, { event, c->fd, 0 }, c, how == 2 };
	if (!vyx_loop_add(&d->loop, &w->io, EPOLLIN | EPOLLRDHUP)) {
		free(w);
		return 0;
	}
	c->user = w;
	return 1;
}

/* The only way out: a connection ends by shutdown, for the borrower's
 * descriptor would keep it. */
void
conns_end(void *arg, struct vyx_pconn *c)
{
	unwatch(arg, c);
	if (c->fd < 0)
		return;
	shutdown(c->fd, SHUT_RDWR);
	close(c->fd);
}
