/* SPDX-License-Identifier: ISC */
/* peers - routers and vyx-acquire: one channel each. What a peer does wrong
 * ends its channel and its loans, nobody else's. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "poold.h"

/* The channel is closed; the module forgets the peer. */
static void
forget(struct peer *p)
{
	struct poold *d = p->d;

	p->dead = 1;
	if (p->peer)
		vyx_pool_peer_gone(d->pool, p->peer, d->loop.now);
	p->peer = NULL;
	rows_settle(d);
	poold_touch(d);
}

static void
refuse(struct peer *p, const char *why)
{
	vyx_log(VYX_WARN, "peer refused", "reason", why, "name",
	    p->peer ? vyx_pool_peer_name(p->peer) : "", "pid",
	    VYX_NUM(p->chan.pid), NULL);
	vyx_chan_close(&p->chan);
	forget(p);
}

static void
on_rec(struct vyx_chan *c, struct vyx_rec *r, int fd)
{
	struct peer *p = VYX_OF(c, struct peer, chan);
	const char *why = "a word that says nothing";
	struct vyx_pool_msg m;
	int took = 0;

	if (vyx_pool_msg_read(&m, r))
		took = vyx_pool_record(p->d->pool, p->peer, &m, fd,
		    p->d->loop.now, &why);
	if (took != 1 && fd >= 0)
		close(fd);
	if (!took) {
		refuse(p, why);
		return;
	}
	if (m.verb == VYX_V_HELD)
		rows_settle(p->d);
	poold_touch(p->d);
}

static void
on_close(struct vyx_chan *c, int error)
{
	(void)error;
	forget(VYX_OF(c, struct peer, chan));
}

static void
on_room(struct vyx_chan *c)
{
	struct peer *p = VYX_OF(c, struct peer, chan);

	vyx_pool_writable(p->d->pool, p->peer);
	poold_touch(p->d);
}

static int
admit(struct poold *d, int fd)
{
	struct peer *p = calloc(1, sizeof *p);

	if (!p)
		return 0;
	p->d = d;
	p->chan = (struct vyx_chan){ .loop = &d->loop,
		.on_rec = on_rec,
		.on_close = on_close,
		.on_room = on_room };
	if (!(p->peer = vyx_pool_peer(d->pool, p, d->loop.now))) {
		free(p);
		return 0;
	}
	if (!vyx_chan_open(&p->chan, fd, VYX_E_POOL, VYX_LISTENS)) {
		vyx_pool_peer_gone(d->pool, p->peer, d->loop.now);
		free(p);
		return 0;
	}
	p->next = d->peers;
	d->peers = p;
	return 1;
}

static void
incoming(struct vyx_io *io, uint32_t events)
{
	struct poold *d = VYX_OF(io, struct poold, listen);
	pid_t pid;
	uid_t uid;
	int fd;

	(void)events;
	while ((fd = vyx_chan_accept(io->fd, &pid, &uid)) >= 0) {
		if (vyx_chan_may(VYX_E_POOL, uid) && admit(d, fd))
			continue;
		vyx_log_sys(VYX_WARN, "peer not admitted", "pid", VYX_NUM(pid),
		    "uid", VYX_NUM(uid), NULL);
		close(fd);
	}
	poold_touch(d);
}

int
peers_send(void *arg, void *peer, const struct vyx_pool_msg *m, int fd)
{
	struct poold *d = arg;
	struct peer *p = peer;

	d->out.n = 0;
	if (!vyx_pool_msg_write(m, &d->out)) {
		p->cut = "a record for it cannot be written";
		poold_touch(d);
		return 0;
	}
	return vyx_chan_send(&p->chan, &d->out, fd);
}

void
peers_cut(void *arg, void *peer, const char *why)
{
	struct poold *d = arg;
	struct peer *p = peer;

	p->peer = NULL; /* the module has forgotten it */
	p->cut = why;
	poold_touch(d);
}

void
peers_sweep(struct poold *d)
{
	for (struct peer **at = &d->peers, *p; (p = *at) != NULL;) {
		if (p->cut && !p->dead)
			refuse(p, p->cut);
		if (!p->dead) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free(p);
	}
}

int
peers_held(const struct poold *d, const char *name)
{
	for (const struct peer *p = d->peers; p; p = p->next)
		if (p->peer && vyx_pool_peer_held(p->peer) &&
		    !strcmp(vyx_pool_peer_name(p->peer), name))
			return 1;
	return 0;
}

void
peers_start(struct poold *d)
{
	char path[VYX_PATH_MAX + 1];

	vyx_prog_socket(path, &d->opt, "pool/s");
	d->listen =
	    (struct vyx_io){ incoming, vyx_chan_listen(path, 1, 0660), 0 };
	if (d->listen.fd < 0 && errno == EADDRINUSE)
		vyx_die(VYX_SYSTEM, "%s: another vyx-poold listens there",
		    path);
	if (d->listen.fd < 0 || !vyx_loop_add(&d->loop, &d->listen, EPOLLIN))
		vyx_die_sys(VYX_SYSTEM, "cannot listen at %s", path);
}

void
peers_stop(struct poold *d)
{
	char path[VYX_PATH_MAX + 1];
	struct peer *p;

	vyx_prog_socket(path, &d->opt, "pool/s");
	unlink(path);
	vyx_loop_del(&d->loop, &d->listen);
	close(d->listen.fd);
	while ((p = d->peers) != NULL) {
		d->peers = p->next;
		vyx_chan_close(&p->chan);
		free(p);
	}
}
