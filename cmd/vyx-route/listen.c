/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "router.h"
#include "wire/forward.h"

/*
 * Listening sockets. Each slot has sockets of its own on every address, and
 * every router has all of them: one that nobody polled would let its clients
 * hang, so a router also polls those of slots that are not ready.
 */

#define RESERVE 64     /* descriptors for all that is no connection */
#define CLIENTS_MIN 16 /* served however few descriptors there are */
#define ACCEPT_TURN 64 /* of one socket in one turn */
#define ADDR_BUCKETS 4096

/* How many connections each address has. */
struct addr {
	struct addr *next;
	uint8_t ip[16];
	uint64_t n;
};

struct addrs {
	struct addr *bucket[ADDR_BUCKETS];
};

static struct addr **
addr_find(const struct router *r, const uint8_t ip[16])
{
	struct addr **p =
	    &r->addrs->bucket[vyx_hash(r->hash_key, ip, 16) % ADDR_BUCKETS];

	while (*p && memcmp((*p)->ip, ip, 16))
		p = &(*p)->next;
	return p;
}

/* Count a client by its address; 0: that one has too many. */
static int
addr_enter(struct client *c)
{
	struct router *r = c->r;
	struct addr **p, *a;

	if (!c->peer[0])
		return 1;
	p = addr_find(r, c->addr);
	if ((a = *p) != NULL && r->conf.max_per_client &&
	    a->n >= r->conf.max_per_client)
		return 0;
	if (!a) {
		if (!(a = calloc(1, sizeof *a)))
			return 0;
		memcpy(a->ip, c->addr, 16);
		*p = a;
	}
	a->n++;
	c->counted = 1;
	return 1;
}

static void
addr_leave(struct client *c)
{
	struct addr **p = addr_find(c->r, c->addr), *a = *p;

	if (!c->counted || --a->n)
		return;
	*p = a->next;
	free(a);
}

static void
peer(struct client *c, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *v4 = (const void *)ss;
	const struct sockaddr_in6 *v6 = (const void *)ss;
	struct in6_addr ip;

	if (ss->ss_family == AF_INET) {
		c->addr[10] = c->addr[11] = 0xff;
		memcpy(c->addr + 12, &v4->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6)
		memcpy(c->addr, &v6->sin6_addr, 16);
	else
		return;
	memcpy(&ip, c->addr, sizeof ip);
	if (IN6_IS_ADDR_V4MAPPED(&ip))
		inet_ntop(AF_INET, c->addr + 12, c->peer, sizeof c->peer);
	else
		inet_ntop(AF_INET6, c->addr, c->peer, sizeof c->peer);
}

static void
refuse(struct client *c)
{
	char out[VYX_FORWARD_MORE];
	struct vyx_forward_own f = { .status = 429,
		.text = "too many connections",
		.more = VYX_STR("Retry-After: 1\r\n"),
		.id = VYX_STR("-"),
		.date = clock_date(c->r) };
	size_t n = vyx_forward_own(out, sizeof out, &f);

	c->r->counts.refused++;
	send(c->conn.io.fd, out, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	front_close(c);
}

static int
accept_one(struct listener *l)
{
	struct router *r = l->r;
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;
	struct client *c;
	int one = 1;
	int fd = accept4(l->io.fd, (struct sockaddr *)&ss, &n,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	if (!(c = front_accept(r, fd, l->local))) {
		close(fd);
		return 0;
	}
	r->nclients++;
	peer(c, &ss);
	if (!l->local)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (!addr_enter(c))
		refuse(c);
	return 1;
}

static void
on_accept(struct vyx_io *io, uint32_t events)
{
	struct listener *l = VYX_OF(io, struct listener, io);
	struct router *r = l->r;

	(void)events;
	for (int i = 0; i < ACCEPT_TURN; i++) {
		if (r->nclients >= r->clients_max)
			break;
		errno = 0;
		if (accept_one(l))
			continue;
		if (errno == EAGAIN)
			return;
		break;
	}
	if (r->nclients < r->clients_max && errno != EMFILE &&
	    errno != ENFILE && errno != ENOMEM)
		return;
	r->full = 1;
	listen_poll(r);
	vyx_loop_timer(&r->loop, &r->accept_again, r->loop.now + 100 * VYX_MS);
}

static void
accept_again(struct vyx_timer *t)
{
	struct router *r = VYX_OF(t, struct router, accept_again);

	if (r->nclients >= r->clients_max)
		vyx_loop_timer(&r->loop, t, r->loop.now + 100 * VYX_MS);
	else {
		r->full = 0;
		listen_poll(r);
	}
}

/* A client is gone. */
void
listen_left(struct client *c)
{
	struct router *r = c->r;

	addr_leave(c);
	r->nclients--;
	if (r->draining && !r->nclients)
		vyx_loop_stop(&r->loop);
}

/* Poll what is ours, and what nobody else would. */
void
listen_poll(struct router *r)
{
	for (unsigned i = 0; i < r->nlisteners; i++) {
		struct listener *l = &r->listeners[i];
		int want = r->ready && !r->full && !r->draining &&
		    (l->slot == r->slot || l->local || l->slot >= SLOTS ||
		        !r->slot_ready[l->slot]);

		if (want == l->polled)
			continue;
		l->polled = want;
		if (!want)
			vyx_loop_del(&r->loop, &l->io);
		else if (!vyx_loop_add(&r->loop, &l->io, EPOLLIN))
			vyx_log_sys(VYX_ERROR, "cannot poll a listener",
			    "address", l->addr, NULL);
	}
}

/* Let the sockets go. Whoever else has them goes on; no connection in their
 * backlogs is reset. */
void
listen_stop(struct router *r)
{
	listen_poll(r);
	for (unsigned i = 0; i < r->nlisteners; i++)
		close(r->listeners[i].io.fd);
	r->nlisteners = 0;
	vyx_loop_cancel(&r->loop, &r->accept_again);
}

/* What is left of the descriptors when every worker has all it may have. */
void
listen_limits(struct router *r)
{
	uint64_t taken = RESERVE;

	for (struct worker *w = r->workers; w; w = w->next)
		taken += w->present ? w->connections : 0;
	if (r->fds > taken + CLIENTS_MIN) {
		r->clients_max = r->fds - taken;
		return;
	}
	r->clients_max = CLIENTS_MIN;
	vyx_log(VYX_WARN, "too few descriptors for these workers", "limit",
	    VYX_NUM(r->fds), "wanted", VYX_NUM(taken + CLIENTS_MIN), NULL);
}

static void
add(struct router *r, int fd, unsigned slot, struct vyx_str addr)
{
	struct listener *l = &r->listeners[r->nlisteners];
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;
	int listens = 0;
	socklen_t size = sizeof listens;

	if (r->nlisteners == LISTENERS)
		vyx_die(VYX_CONFIG, "over %d listening sockets", LISTENERS);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) ||
	    !listens || getsockname(fd, (struct sockaddr *)&ss, &n))
		vyx_die(VYX_CONFIG, "descriptor %d does not listen", fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, O_NONBLOCK))
		vyx_die_sys(VYX_SYSTEM, "descriptor %d", fd);
	*l = (struct listener){ .io = { on_accept, fd, 0 },
		.r = r,
		.slot = slot,
		.local = ss.ss_family == AF_UNIX };
	snprintf(l->addr, sizeof l->addr, "%.*s", (int)addr.n, addr.p);
	r->nlisteners++;
}

static void
prepare(struct router *r)
{
	struct rlimit lim;

	r->accept_again.fn = accept_again;
	if (!(r->addrs = calloc(1, sizeof *r->addrs)) ||
	    getrandom(r->hash_key, sizeof r->hash_key, 0) !=
	        sizeof r->hash_key ||
	    getrlimit(RLIMIT_NOFILE, &lim))
		vyx_die_sys(VYX_SYSTEM, "cannot prepare");
	lim.rlim_cur = lim.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lim))
		vyx_die_sys(VYX_SYSTEM, "cannot raise the descriptor limit");
	r->fds = lim.rlim_cur;
	listen_limits(r);
}

/* VYX_LISTEN="fd:slot:address ...", as vyx-bind leaves it. */
void
listen_env(struct router *r)
{
	const char *env = getenv("VYX_LISTEN");
	struct vyx_str all = VYX_STRZ(env ? env : ""), one, fd, slot;
	uint64_t f, s;

	prepare(r);
	while (all.p && all.n) {
		one = vyx_str_cut(&all, ' ');
		if (!one.n)
			continue;
		fd = vyx_str_cut(&one, ':');
		slot = one.p ? vyx_str_cut(&one, ':') : one;
		if (!vyx_dec_scan(fd, INT32_MAX, &f) ||
		    !vyx_dec_scan(slot, SLOTS - 1, &s))
			vyx_die(VYX_CONFIG, "VYX_LISTEN: '%s'", env);
		add(r, (int)f, (unsigned)s, one.p ? one : VYX_STR(""));
	}
}

static int
bind_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) > VYX_PATH_MAX)
		vyx_die(VYX_USAGE, "%s: over %d bytes", path, VYX_PATH_MAX);
	strcpy(un.sun_path, path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0 ||
	    bind(fd, (struct sockaddr *)&un, sizeof un))
		vyx_die_sys(VYX_SYSTEM, "%s", path);
	return fd;
}

static int
bind_tcp(const char *addr)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *v4 = (void *)&ss;
	struct sockaddr_in6 *v6 = (void *)&ss;
	struct vyx_str s = VYX_STRZ(addr);
	struct vyx_span host;
	char ip[64] = "";
	int32_t port;
	int fd, one = 1, six;

	if (!vyx_http1_authority(s, &host, &port) || port < 0 ||
	    host.n >= sizeof ip)
		vyx_die(VYX_USAGE, "'%s' is no ADDRESS:PORT", addr);
	six = addr[0] == '[';
	memcpy(ip, addr + six, host.n - 2u * (unsigned)six);
	ss.ss_family = six ? AF_INET6 : AF_INET;
	v4->sin_port = htons((uint16_t)port);
	if (inet_pton(ss.ss_family, ip,
	        six ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) != 1)
		vyx_die(VYX_USAGE, "'%s' is no ADDRESS:PORT", addr);
	if ((fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
	    bind(fd, (struct sockaddr *)&ss, six ? sizeof *v6 : sizeof *v4))
		vyx_die_sys(VYX_SYSTEM, "%s", addr);
	return fd;
}

/* An address of our own: for a router that runs without vyx-bind. */
void
listen_bind(struct router *r, const char *addr)
{
	int fd =
	    strncmp(addr, "unix:", 5) ? bind_tcp(addr) : bind_unix(addr + 5);

	if (listen(fd, SOMAXCONN))
		vyx_die_sys(VYX_SYSTEM, "%s", addr);
	add(r, fd, r->slot, VYX_STRZ(addr));
}
