/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/chan.h"

#define CHUNK 16384 /* asked of a stream at a time */
#define PACKETS 64  /* taken in one wake-up */
#define SURPLUS 8   /* descriptors a peer may send us to be closed */
#define STALL (10 * VYX_SEC)
#define OUT_MAX 1048576

#ifndef SO_PASSRIGHTS /* Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

/* Whether the peer may send descriptors on this edge. */
static int
takes_fds(const struct vyx_chan *c)
{
	for (unsigned v = 1; v < VYX_V_COUNT; v++) {
		const struct vyx_message *m =
		    vyx_rec_message(c->edge, !c->us, v);

		if (m && m->fds)
			return 1;
	}
	return 0;
}

static void
let_go(struct vyx_chan *c)
{
	vyx_loop_del(c->loop, &c->io);
	close(c->io.fd);
	c->io.fd = -1;
	c->closed = 1;
	vyx_loop_cancel(c->loop, &c->stall);
	vyx_loop_undefer(c->loop, &c->flush);
	vyx_buf_free(&c->out);
	if (!c->delivering)
		vyx_buf_free(&c->in);
}

void
vyx_chan_close(struct vyx_chan *c)
{
	if (!c->closed)
		let_go(c);
	c->told = 1;
}

/* End it for a reason of the peer's, once; the caller touches c no more. */
static void
end(struct vyx_chan *c, int error, const char *why)
{
	int told = c->told;

	if (!c->closed && error)
		vyx_log(error == EPROTO ? VYX_WARN : VYX_INFO, "peer refused",
		    "reason", why, "pid", VYX_NUM(c->pid), "uid",
		    VYX_NUM(c->uid), NULL);
	if (!c->closed)
		let_go(c);
	c->told = 1;
	if (!told)
		c->on_close(c, error);
}

/* Not now, but at the end of this turn: the caller is in somebody's code. */
static void
end_later(struct vyx_chan *c, int error)
{
	c->error = error;
	vyx_loop_defer(c->loop, &c->flush);
}

struct got {
	ssize_t n; /* as recvmsg */
	int fd;
	int fds;   /* how many came */
	int flags; /* MSG_CTRUNC, MSG_TRUNC */
};

/*
 * The one place that receives: all descriptors that come are seen, those
 * beyond the first are closed here.
 */
static struct got
receive(int sock, char *p, size_t n)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(SURPLUS * sizeof(int))];
	} control;
	struct iovec iov = { p, n };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	struct got g = { .fd = -1 };

	g.n = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (g.n < 0)
		return g;
	g.flags = m.msg_flags;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= h->cmsg_len;
		     at += sizeof(int)) {
			int fd;

			memcpy(&fd, (char *)h + at, sizeof fd);
			if (g.fds++)
				close(fd);
			else
				g.fd = fd;
		}
	}
	return g;
}

/* One whole record. 0: the channel has ended. */
static int
deliver(struct vyx_chan *c, char *p, size_t n, const struct got *g)
{
	const struct vyx_message *m;
	struct vyx_rec r;
	int want;

	if (!vyx_rec_parse(&r, c->edge, !c->us, p, n, c->strict)) {
		if (c->on_bad && !c->packet) {
			c->on_bad(c, &r);
			return !c->closed;
		}
		end(c, EPROTO, r.text);
		goto refused;
	}
	m = vyx_rec_message(c->edge, !c->us, r.verb);
	want = m->fds;
	if (g->fds != want && !(want && !g->fds && g->flags & MSG_CTRUNC)) {
		end(c, EPROTO, "wrong number of descriptors");
		goto refused;
	}
	c->delivering = 1; /* the record lies in c->in */
	c->on_rec(c, &r, g->fd);
	c->delivering = 0;
	if (c->closed)
		vyx_buf_free(&c->in);
	return !c->closed;
refused:
	if (g->fd >= 0)
		close(g->fd);
	return 0;
}

static void
read_packets(struct vyx_chan *c)
{
	char p[VYX_REC_PACKET];

	for (int i = 0; i < PACKETS; i++) {
		struct got g = receive(c->io.fd, p, sizeof p);

		if (g.n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (g.n <= 0) {
			end(c, g.n ? errno : 0, "receive");
			return;
		}
		if (g.flags & MSG_TRUNC) {
			if (g.fd >= 0)
				close(g.fd);
			end(c, EPROTO, "record too long");
			return;
		}
		if (!deliver(c, p, (size_t)g.n, &g))
			return;
	}
}

static void
read_stream(struct vyx_chan *c)
{
	struct got g;
	size_t len, at = 0;

	if (!vyx_buf_room(&c->in, CHUNK)) {
		end(c, errno == EMSGSIZE ? EPROTO : errno, "record too long");
		return;
	}
	g = receive(c->io.fd, c->in.p + c->in.n, c->in.cap - c->in.n);
	if (g.n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (g.n == 0 && c->out.n) {
		/* it says no more, and may still read: `printf ... | socat` */
		c->ended = 1;
		vyx_loop_mod(c->loop, &c->io, EPOLLOUT);
		return;
	}
	if (g.n <= 0) {
		end(c, g.n ? errno : 0, "receive");
		return;
	}
	if (g.fds) {
		close(g.fd);
		end(c, EPROTO, "a descriptor where none may cross");
		return;
	}
	c->in.n += (size_t)g.n;
	while ((len = vyx_rec_len(c->in.p + at, c->in.n - at, c->seen)) > 0) {
		c->seen = 0;
		if (!deliver(c, c->in.p + at, len, &g))
			return;
		at += len;
	}
	vyx_buf_shift(&c->in, at);
	c->seen = c->in.n;
}

static void
send_stream(struct vyx_chan *c)
{
	ssize_t n;

	if (!c->out.n)
		return;
	n = send(c->io.fd, c->out.p, c->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		end(c, errno == EPIPE ? 0 : errno, "send");
		return;
	}
	if (n > 0) {
		vyx_buf_shift(&c->out, (size_t)n);
		vyx_loop_cancel(c->loop, &c->stall);
	}
	if (c->ended && !c->out.n) {
		end(c, 0, "");
		return;
	}
	if (!c->ended && c->want_write != (c->out.n > 0)) {
		c->want_write = c->out.n > 0;
		vyx_loop_mod(c->loop, &c->io,
		    c->want_write ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
	if (c->out.n && !c->stall.due)
		vyx_loop_timer(c->loop, &c->stall, c->loop->now + STALL);
	if (!c->out.n && c->on_room)
		c->on_room(c);
}

static void
writable(struct vyx_chan *c)
{
	if (!c->packet) {
		send_stream(c);
		return;
	}
	c->want_write = 0;
	vyx_loop_mod(c->loop, &c->io, EPOLLIN);
	if (c->on_room)
		c->on_room(c);
}

static void
ready(struct vyx_io *io, uint32_t events)
{
	struct vyx_chan *c = VYX_OF(io, struct vyx_chan, io);

	if (events & EPOLLOUT)
		writable(c);
	else if (c->packet)
		read_packets(c);
	else
		read_stream(c);
}

static void
flush(struct vyx_task *t)
{
	struct vyx_chan *c = VYX_OF(t, struct vyx_chan, flush);

	if (c->error)
		end(c, c->error, "does not read");
	else if (!c->closed && !c->want_write)
		send_stream(c);
}

static void
stalled(struct vyx_timer *t)
{
	end(VYX_OF(t, struct vyx_chan, stall), ETIMEDOUT, "does not read");
}

int
vyx_chan_open(struct vyx_chan *c, int fd, enum vyx_edge edge, enum vyx_side us)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof peer, tl = sizeof c->packet;
	int none = 0, type = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &tl))
		return 0;
	c->edge = edge;
	c->us = us;
	c->pid = peer.pid;
	c->uid = peer.uid;
	c->packet = type == SOCK_SEQPACKET;
	c->in = (struct vyx_buf){ .max = VYX_REC_STREAM + CHUNK };
	if (!c->out_max)
		c->out_max = OUT_MAX;
	c->out = (struct vyx_buf){ 0 };
	c->seen = 0;
	c->closed = c->told = c->error = c->want_write = c->delivering = 0;
	c->ended = 0;
	c->flush = (struct vyx_task){ .fn = flush };
	c->stall = (struct vyx_timer){ .fn = stalled };
	c->io = (struct vyx_io){ ready, fd, 0 };
	if (!takes_fds(c)) /* older kernels: receive() closes what comes */
		setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof none);
	return vyx_loop_add(c->loop, &c->io, EPOLLIN);
}

void
vyx_chan_finish(struct vyx_chan *c)
{
	if (!c->closed && c->out.n)
		send(c->io.fd, c->out.p, c->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	vyx_chan_close(c);
}

int
vyx_chan_put(struct vyx_chan *c)
{
	if (c->closed)
		return errno = EPIPE, 0;
	if (c->out.n > c->out_max) {
		end_later(c, EMSGSIZE);
		return errno = EMSGSIZE, 0;
	}
	vyx_loop_defer(c->loop, &c->flush);
	return 1;
}

int
vyx_chan_send(struct vyx_chan *c, const struct vyx_buf *b, int fd)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec iov = { b->p, b->n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (c->closed)
		return errno = EPIPE, 0;
	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof control;
		control.h.cmsg_level = SOL_SOCKET;
		control.h.cmsg_type = SCM_RIGHTS;
		control.h.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&control.h), &fd, sizeof fd);
	}
	if (sendmsg(c->io.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 1;
	if (errno == EAGAIN && !c->want_write) {
		c->want_write = 1;
		vyx_loop_mod(c->loop, &c->io, EPOLLIN | EPOLLOUT);
		errno = EAGAIN;
	} else if (errno != EAGAIN && errno != ETOOMANYREFS && errno != EINTR) {
		int e = errno;

		end_later(c, e);
		errno = e;
	}
	return 0;
}
