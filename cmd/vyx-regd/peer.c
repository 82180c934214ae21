/* SPDX-License-Identifier: ISC */
/* peer - connections, and the end of a turn. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/prog.h"
#include "regd.h"

#define ACCEPTS 64 /* a turn */

/* What its connection kept: not its rows. */
static void
release(struct regd_peer *p)
{
	regd_unstage(p);
	vyx_watch_stop(&p->watch);
	*p->at = p->next;
	if (p->next)
		p->next->at = p->at;
	p->d->npeers--;
	free(p);
}

static void
forget(struct regd_peer *p)
{
	/* rows may end with it: a change, and a turn to commit it */
	vyx_loop_defer(&p->d->loop, &p->d->turn);
	regd_source_gone(p);
	release(p);
}

static void
closed(struct vyx_chan *c, int error)
{
	(void)error; /* chan has logged it */
	forget(VYX_OF(c, struct regd_peer, chan));
}

static void
got(struct vyx_chan *c, struct vyx_rec *r, int fd)
{
	(void)fd; /* the map lets none cross */
	regd_serve(VYX_OF(c, struct regd_peer, chan), r);
}

/* A person may have mistyped; a daemon that did so shows in the log. */
static void
bad(struct vyx_chan *c, const struct vyx_rec *r)
{
	struct regd_peer *p = VYX_OF(c, struct regd_peer, chan);

	vyx_loop_defer(&p->d->loop, &p->d->turn);
	vyx_log(VYX_WARN, "request refused", "reason", r->text, "pid",
	    VYX_NUM(c->pid), "uid", VYX_NUM(c->uid), NULL);
	if (++p->asked > REGD_ASKED)
		p->ending = 1;
	if (regd_spoil(p, r))
		return;
	regd_no(p, vyx_rec_u(r, VYX_F_ID), "bad", "%s%s%.*s", r->text,
	    r->where.n ? ": " : "", REGD_SHOW(r->where));
}

/* All that was put is with the peer: a watcher may be told more. In a turn of
 * its own, so that one who reads fast does not keep the others waiting. */
static void
room(struct vyx_chan *c)
{
	struct regd_peer *p = VYX_OF(c, struct regd_peer, chan);

	if (p->waits)
		vyx_loop_timer(&p->d->loop, &p->d->more, p->d->loop.now);
}

static void
more(struct vyx_timer *t)
{
	struct regd *d = VYX_OF(t, struct regd, more);

	vyx_loop_defer(&d->loop, &d->turn);
}

void
regd_said(struct regd_peer *p, int whole)
{
	if (whole)
		vyx_chan_put(&p->chan);
	else {
		vyx_log_sys(VYX_ERROR, "cannot answer", NULL);
		p->ending = 1;
	}
}

void
regd_ok(struct regd_peer *p, uint64_t id, uint64_t rev)
{
	struct vyx_rec_out o = vyx_rec_begin(&p->chan.out, VYX_V_OK);

	vyx_rec_putu(&o, VYX_F_ID, id);
	vyx_rec_putu(&o, VYX_F_REV, rev);
	regd_said(p, vyx_rec_end(&o));
}

void
regd_no(struct regd_peer *p, uint64_t id, const char *why, const char *fmt, ...)
{
	struct vyx_rec_out o = vyx_rec_begin(&p->chan.out, VYX_V_NO);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	vyx_rec_putu(&o, VYX_F_ID, id);
	vyx_rec_putz(&o, VYX_F_WHY, why);
	vyx_rec_putz(&o, VYX_F_TEXT, text);
	if (!strcmp(why, "busy"))
		vyx_rec_putu(&o, VYX_F_RETRY_MS, 100);
	regd_said(p, vyx_rec_end(&o));
}

static int
admit(struct regd *d, int fd, enum vyx_edge edge)
{
	struct regd_peer *p = calloc(1, sizeof *p);

	if (!p)
		return 0;
	p->d = d;
	p->serial = ++d->serial;
	p->chan = (struct vyx_chan){
		.loop = &d->loop,
		.strict = edge == VYX_E_OPS,
		.out_max = REGD_OUT + VYX_REC_STREAM,
		.on_rec = got,
		.on_bad = bad,
		.on_close = closed,
		.on_room = room,
	};
	if (!vyx_chan_open(&p->chan, fd, edge, VYX_LISTENS)) {
		free(p);
		return 0;
	}
	p->at = &d->peers;
	if ((p->next = d->peers) != NULL)
		p->next->at = &p->next;
	d->peers = p;
	d->npeers++;
	return 1;
}

/* Whoever cannot be served is told so as far as one send goes. */
static void
turn_away(int fd, const char *record)
{
	send(fd, record, strlen(record), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void
incoming(struct vyx_io *io, uint32_t events)
{
	struct regd_listener *s = VYX_OF(io, struct regd_listener, io);
	pid_t pid;
	uid_t uid;
	int fd;

	(void)events;
	for (int i = 0; i < ACCEPTS; i++) {
		if ((fd = vyx_chan_accept(io->fd, &pid, &uid)) < 0)
			return;
		if (!vyx_chan_may(s->edge, uid)) {
			vyx_log(VYX_WARN, "peer refused", "reason",
			    "uid may not connect", "socket", s->path, "pid",
			    VYX_NUM(pid), "uid", VYX_NUM(uid), NULL);
			turn_away(fd,
			    "no\nid=0\nwhy=denied\n"
			    "text=this uid may not connect here\n\n");
		} else if (s->d->npeers == REGD_PEERS ||
		    !admit(s->d, fd, s->edge))
			turn_away(fd,
			    "no\nid=0\nwhy=full\n"
			    "text=too many connections\n\n");
	}
}

int
regd_listen(struct regd *d, const char *run)
{
	static const enum vyx_edge edges[] = { VYX_E_READ, VYX_E_SEEN,
		VYX_E_OPS };

	d->turn.fn = regd_turn;
	d->more.fn = more;
	for (size_t i = 0; i < VYX_COUNT(edges); i++) {
		struct regd_listener *s = &d->listen[i];
		int n = snprintf(s->path, sizeof s->path, "%s/%s", run,
		    vyx_rec_edge_socket(edges[i]));

		if (n < 0 || n > VYX_PATH_MAX)
			return errno = ENAMETOOLONG, 0;
		s->d = d;
		s->edge = edges[i];
		/* whoever may is decided by uid, in the map */
		s->io = (struct vyx_io){ incoming,
			vyx_chan_listen(s->path, 0, 0666), 0 };
		if (s->io.fd < 0 || !vyx_loop_add(&d->loop, &s->io, EPOLLIN))
			return 0;
	}
	return 1;
}

void
regd_unlisten(struct regd *d)
{
	for (size_t i = 0; i < VYX_COUNT(d->listen); i++) {
		vyx_loop_del(&d->loop, &d->listen[i].io);
		close(d->listen[i].io.fd);
		unlink(d->listen[i].path);
	}
}

static void
tell(struct regd_peer *p)
{
	struct vyx_chan *c = &p->chan;
	size_t before = c->out.n;

	p->waits = 0;
	if (p->watch.mode == VYX_WATCH_OFF || p->ending)
		return;
	if (!vyx_watch_fill(&p->watch, p->d->table, &p->d->ring, &c->out,
	        REGD_FILL)) {
		struct vyx_rec_out o;

		p->waits = errno == EAGAIN;
		p->ending = errno != EAGAIN;
		if (errno == ESTALE) {
			o = vyx_rec_begin(&c->out, VYX_V_CUT);
			vyx_rec_putu(&o, VYX_F_ID, p->watch.id);
			vyx_rec_putz(&o, VYX_F_WHY, "slow");
			vyx_rec_end(&o);
			p->d->cut++;
			vyx_log(VYX_WARN, "watcher cut", "reason", "slow",
			    "pid", VYX_NUM(c->pid), NULL);
		}
	}
	if (c->out.n > before)
		vyx_chan_put(c);
}

void
regd_turn(struct vyx_task *t)
{
	struct regd *d = VYX_OF(t, struct regd, turn);
	struct regd_peer *next;

	regd_sync_disk(d);
	for (struct regd_peer *p = d->peers; p; p = next) {
		next = p->next;
		p->asked = 0;
		tell(p);
		if (p->ending && !p->chan.closed) {
			vyx_chan_finish(&p->chan);
			forget(p);
		}
	}
}

/* Rows that end with a connection end with this process all the same. */
void
regd_hang_up(struct regd *d)
{
	while (d->peers) {
		vyx_chan_finish(&d->peers->chan);
		release(d->peers);
	}
}
