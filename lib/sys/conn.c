/* SPDX-License-Identifier: ISC */
#include "sys/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct vyx_slab {
	struct vyx_slab *next;
};

static char *
slab(struct vyx_slabs *s, int large)
{
	struct vyx_slab *b = s->free[large];

	if (b) {
		s->free[large] = b->next;
		s->kept[large]--;
	} else
		b = malloc(large ? VYX_SLAB : VYX_SLAB_SMALL);
	s->out += b != NULL;
	return (char *)b;
}

static void
give_back(struct vyx_slabs *s, char *p, int large)
{
	struct vyx_slab *b = (struct vyx_slab *)(void *)p;

	if (!b)
		return;
	s->out--;
	if (s->kept[large] >= VYX_SLABS_KEPT) {
		free(b);
		return;
	}
	b->next = s->free[large];
	s->free[large] = b;
	s->kept[large]++;
}

size_t
vyx_half_room(const struct vyx_half *h)
{
	return VYX_SLAB - (h->hold ? h->n : h->n - h->at);
}

int
vyx_half_want(struct vyx_half *h, struct vyx_slabs *s, size_t need)
{
	size_t skip = h->hold ? 0 : h->at;
	int large = h->n - skip + need > VYX_SLAB_SMALL;
	char *p = h->p;

	if (p && vyx_half_tail(h) >= need)
		return 1;
	if (vyx_half_room(h) < need)
		return 0;
	if ((!p || large > h->large) && !(p = slab(s, large)))
		return 0;
	if (h->p)
		memmove(p, h->p + skip, h->n - skip);
	if (p != h->p) {
		give_back(s, h->p, h->large);
		h->p = p;
		h->large = (uint8_t)large;
	}
	h->n -= skip;
	h->at -= skip;
	return 1;
}

void
vyx_half_free(struct vyx_half *h, struct vyx_slabs *s)
{
	give_back(s, h->p, h->large);
	*h = (struct vyx_half){ 0 };
}

void
vyx_half_take(struct vyx_half *h, struct vyx_slabs *s, size_t n)
{
	h->at += n;
	if (h->at == h->n && !h->hold)
		vyx_half_free(h, s);
}

static void
event(struct vyx_io *io, uint32_t events)
{
	struct vyx_conn *c = VYX_OF(io, struct vyx_conn, io);

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->readable = 1;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->hup = 1;
	if (events & EPOLLOUT && c->blocked) {
		c->blocked = 0;
		if (c->lazy)
			vyx_loop_mod(c->loop, &c->io,
			    EPOLLIN | EPOLLRDHUP | EPOLLET);
		vyx_loop_defer(c->loop, &c->flush);
	}
	c->on_event(c, events);
}

static void
flush(struct vyx_task *t)
{
	struct vyx_conn *c = VYX_OF(t, struct vyx_conn, flush);

	if (c->io.fd < 0)
		return;
	vyx_conn_send(c);
	c->on_sent(c);
}

static void
next_turn(struct vyx_timer *t)
{
	struct vyx_conn *c = VYX_OF(t, struct vyx_conn, again);

	c->on_event(c, EPOLLIN);
}

/* Whether it may read in this turn: nobody has the loop for himself. */
static int
may(struct vyx_conn *c)
{
	if (c->turn != c->loop->now) {
		c->turn = c->loop->now;
		c->share = 0;
	}
	if (c->share < VYX_SHARE)
		return 1;
	vyx_loop_timer(c->loop, &c->again, c->loop->now);
	return 0;
}

int
vyx_conn_open(struct vyx_conn *c, int fd, int lazy)
{
	c->io = (struct vyx_io){ event, fd, 0 };
	c->flush = (struct vyx_task){ .fn = flush };
	c->again = (struct vyx_timer){ .fn = next_turn };
	c->turn = 0;
	c->in = c->out = (struct vyx_half){ 0 };
	c->last_in = c->last_out = c->loop->now;
	c->sent = 0;
	c->error = 0;
	c->lazy = (uint8_t)lazy;
	c->readable = c->hup = c->eof = c->blocked = 0;
	return vyx_loop_add(c->loop, &c->io,
	    EPOLLIN | EPOLLRDHUP | EPOLLET | (lazy ? 0u : EPOLLOUT));
}

void
vyx_conn_close(struct vyx_conn *c, int how)
{
	vyx_half_free(&c->in, c->slabs);
	vyx_half_free(&c->out, c->slabs);
	if (c->io.fd < 0)
		return;
	vyx_loop_cancel(c->loop, &c->again);
	vyx_loop_del(c->loop, &c->io);
	if (how >= 0)
		shutdown(c->io.fd, how);
	close(c->io.fd);
	c->io.fd = -1;
}

int
vyx_conn_recv(struct vyx_conn *c, size_t max)
{
	size_t room;
	ssize_t n;

	if (!c->readable || c->eof || c->error)
		return 0;
	room = c->in.hold ? vyx_half_tail(&c->in) : vyx_half_room(&c->in);
	if (room > max)
		room = max;
	if (!room || !may(c))
		return 0;
	if (!vyx_half_want(&c->in, c->slabs, room)) {
		c->error = ENOMEM;
		return 0;
	}
	do
		n = recv(c->io.fd, c->in.p + c->in.n, room, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		/* A short read has emptied the socket; what comes later is
		 * told. The end may have been told already. */
		if ((size_t)n < room && !c->hup)
			c->readable = 0;
		c->in.n += (size_t)n;
		c->share += (size_t)n;
		c->last_in = c->loop->now;
		return 1;
	}
	c->readable = 0;
	if (n == 0)
		c->eof = 1;
	else if (errno != EAGAIN)
		c->error = errno;
	vyx_half_take(&c->in, c->slabs, 0);
	return 0;
}

int
vyx_conn_peek(const struct vyx_conn *c)
{
	char b;
	ssize_t n = recv(c->io.fd, &b, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0)
		return 1;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

char *
vyx_conn_room(struct vyx_conn *c, size_t need)
{
	return vyx_half_want(&c->out, c->slabs, need) ? c->out.p + c->out.n
	                                              : NULL;
}

void
vyx_conn_wrote(struct vyx_conn *c, size_t n)
{
	if (c->out.n == c->out.at)
		c->last_out = c->loop->now;
	c->out.n += n;
	if (!c->blocked)
		vyx_loop_defer(c->loop, &c->flush);
}

int
vyx_conn_send(struct vyx_conn *c)
{
	while (c->out.at < c->out.n && !c->blocked && !c->error) {
		ssize_t n = send(c->io.fd, c->out.p + c->out.at,
		    c->out.n - c->out.at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			c->sent += (uint64_t)n;
			c->last_out = c->loop->now;
			vyx_half_take(&c->out, c->slabs, (size_t)n);
		} else if (errno == EAGAIN) {
			c->blocked = 1;
			if (c->lazy)
				vyx_loop_mod(c->loop, &c->io,
				    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
		} else if (errno != EINTR)
			c->error = errno;
	}
	return !c->error;
}
