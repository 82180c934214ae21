/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/doors_int.h"

#define TURN 64 /* clients of one socket in one turn */
#define PAUSE (UINT64_C(100) * VYX_MS)
#define BUCKETS 4096
/* Bytes that wait in the kernel beyond what a client said he has room for: it
 * would take megabytes from us for who reads nothing. */
#define UNSENT 131072

/* How many connections each address has. */
struct addr {
	struct addr *next;
	uint8_t ip[16];
	uint64_t n;
};

struct vyx_doors_addrs {
	uint8_t key[16];
	struct addr *bucket[BUCKETS];
};

static struct addr **
find(struct vyx_doors_addrs *t, const uint8_t ip[16])
{
	struct addr **p = &t->bucket[vyx_hash(t->key, ip, 16) % BUCKETS];

	while (*p && memcmp((*p)->ip, ip, 16))
		p = &(*p)->next;
	return p;
}

/* Count a client by its address; 0: that one has too many. */
static int
enter(struct vyx_doors *d, struct vyx_guest *g)
{
	struct addr **p, *a;

	if (g->local)
		return 1;
	p = find(d->addrs, g->ip);
	if ((a = *p) != NULL && d->per_address && a->n >= d->per_address)
		return 0;
	if (!a) {
		if (!(a = calloc(1, sizeof *a)))
			return 0;
		memcpy(a->ip, g->ip, 16);
		*p = a;
	}
	a->n++;
	g->counted = 1;
	return 1;
}

static void
leave(struct vyx_doors *d, const struct vyx_guest *g)
{
	struct addr **p, *a;

	if (!g->counted)
		return;
	p = find(d->addrs, g->ip);
	a = *p;
	if (--a->n)
		return;
	*p = a->next;
	free(a);
}

void
vyx_doors_left(struct vyx_doors *d, const struct vyx_guest *g)
{
	leave(d, g);
	d->clients--;
}

static void
name(struct vyx_guest *g, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *v4 = (const void *)ss;
	const struct sockaddr_in6 *v6 = (const void *)ss;
	struct in6_addr ip = { 0 };

	if (ss->ss_family == AF_INET) {
		ip.s6_addr[10] = ip.s6_addr[11] = 0xff;
		memcpy(ip.s6_addr + 12, &v4->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6)
		ip = v6->sin6_addr;
	else
		return;
	memcpy(g->ip, &ip, 16);
	if (IN6_IS_ADDR_V4MAPPED(&ip))
		inet_ntop(AF_INET, ip.s6_addr + 12, g->text, sizeof g->text);
	else
		inet_ntop(AF_INET6, &ip, g->text, sizeof g->text);
}

/* 0: no more now, errno says why. */
static int
let_in(struct vyx_door *l)
{
	struct vyx_doors *d = l->all;
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;
	struct vyx_guest g = { .local = (uint8_t)l->local,
		.tls = (uint8_t)l->tls };
	int one = 1, over;
	int fd = accept4(l->io.fd, (struct sockaddr *)&ss, &n,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	if (!l->local) {
		name(&g, &ss);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	}
	over = !enter(d, &g);
	d->clients++;
	if (d->on_client(d, fd, &g, over))
		return 1;
	vyx_doors_left(d, &g);
	close(fd);
	errno = ENOMEM;
	return 0;
}

static void
on_accept(struct vyx_io *io, uint32_t events)
{
	struct vyx_door *l = VYX_OF(io, struct vyx_door, io);
	struct vyx_doors *d = l->all;
	int i = 0;

	(void)events;
	while (i < TURN && d->clients < d->most && let_in(l))
		i++;
	if (i == TURN || (d->clients < d->most && errno == EAGAIN))
		return;
	/* No room, or no descriptor: those that come wait in the backlog. */
	d->full = 1;
	vyx_doors_poll(d);
	vyx_loop_timer(d->loop, &d->again, d->loop->now + PAUSE);
}

static void
again(struct vyx_timer *t)
{
	struct vyx_doors *d = VYX_OF(t, struct vyx_doors, again);

	if (d->clients >= d->most) {
		vyx_loop_timer(d->loop, t, d->loop->now + PAUSE);
		return;
	}
	d->full = 0;
	vyx_doors_poll(d);
}

static int
wanted(const struct vyx_doors *d, const struct vyx_door *l)
{
	return d->open && !d->full &&
	    (l->local || l->slot == d->slot || !d->ready[l->slot]);
}

int
vyx_doors_poll(struct vyx_doors *d)
{
	int ok = 1;

	for (unsigned i = 0; i < d->n; i++) {
		struct vyx_door *l = &d->door[i];
		int want = wanted(d, l);

		if (want == l->polled)
			continue;
		if (!want)
			vyx_loop_del(d->loop, &l->io);
		else if (!vyx_loop_add(d->loop, &l->io, EPOLLIN)) {
			d->why = "cannot poll a listening socket";
			ok = 0;
			continue;
		}
		l->polled = want;
	}
	return ok;
}

void
vyx_doors_stop(struct vyx_doors *d)
{
	d->open = 0;
	vyx_doors_poll(d);
	for (unsigned i = 0; i < d->n; i++)
		close(d->door[i].io.fd);
	d->n = 0;
	vyx_loop_cancel(d->loop, &d->again);
}

int
vyx_doors_add(struct vyx_doors *d, int fd, unsigned slot, struct vyx_str addr)
{
	struct vyx_door *l = &d->door[d->n];
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss, size = sizeof(int);
	int listens = 0, unsent = UNSENT;

	errno = 0;
	d->why = "too many listening sockets, or a name too long";
	if (d->n == VYX_DOORS || addr.n >= sizeof l->addr)
		return 0;
	d->why = "descriptor does not listen";
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) ||
	    !listens || getsockname(fd, (struct sockaddr *)&ss, &n))
		return 0;
	*l = (struct vyx_door){ .io = { on_accept, fd, 0 },
		.all = d,
		.slot = slot,
		.local = ss.ss_family == AF_UNIX };
	memcpy(l->addr, addr.p, addr.n);
	if (!l->local) /* its clients have it too */
		setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent,
		    sizeof unsent);
	d->n++;
	return 1;
}

int
vyx_doors_start(struct vyx_doors *d)
{
	d->again.fn = again;
	d->why = "cannot prepare for clients";
	return (d->addrs = calloc(1, sizeof *d->addrs)) != NULL &&
	    getrandom(d->addrs->key, 16, 0) == 16;
}
