/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/ctl.h"

static void
answer(struct vyx_chan *c, struct vyx_rec *r, int fd)
{
	struct vyx_ctl *t = VYX_OF(c, struct vyx_ctl_peer, chan)->ctl;
	struct vyx_rec_out o;

	(void)fd; /* the map lets none cross */
	if (r->verb == VYX_V_STAT) {
		t->figures(t, c);
		o = vyx_rec_begin(&c->out, VYX_V_END);
	} else {
		o = vyx_rec_begin(&c->out, VYX_V_PONG);
		vyx_rec_putz(&o, VYX_F_NAME, t->name);
		vyx_rec_putu(&o, VYX_F_PID, (uint64_t)getpid());
	}
	if (vyx_rec_end(&o))
		vyx_chan_put(c);
}

static void
gone(struct vyx_chan *c, int error)
{
	(void)error;
	VYX_OF(c, struct vyx_ctl_peer, chan)->used = 0;
}

static void
open_peer(struct vyx_ctl *t, int fd)
{
	for (size_t i = 0; i < VYX_CTL_PEERS; i++) {
		struct vyx_ctl_peer *p = &t->peers[i];

		if (p->used)
			continue;
		*p = (struct vyx_ctl_peer){ .ctl = t, .used = 1 };
		p->chan.loop = t->loop;
		p->chan.strict = 1;
		p->chan.on_rec = answer;
		p->chan.on_close = gone;
		if (vyx_chan_open(&p->chan, fd, VYX_E_CTL, VYX_LISTENS))
			return;
		p->used = 0;
		break;
	}
	close(fd); /* all places taken: the peer sees the end and may retry */
}

static void
incoming(struct vyx_io *io, uint32_t events)
{
	struct vyx_ctl *t = VYX_OF(io, struct vyx_ctl, io);
	pid_t pid;
	uid_t uid;
	int fd;

	(void)events;
	while ((fd = vyx_chan_accept(io->fd, &pid, &uid)) >= 0)
		if (vyx_chan_may(VYX_E_CTL, uid))
			open_peer(t, fd);
		else
			close(fd);
}

int
vyx_ctl_start(struct vyx_ctl *t, const char *run, const char *dir)
{
	int n = snprintf(t->path, sizeof t->path, "%s/%s/ctl", run, dir);

	if (n < 0 || n > VYX_PATH_MAX)
		return errno = ENAMETOOLONG, 0;
	t->io = (struct vyx_io){ incoming, -1, 0 };
	if ((t->io.fd = vyx_chan_listen(t->path, 0, 0660)) < 0)
		return 0;
	return vyx_loop_add(t->loop, &t->io, EPOLLIN);
}

void
vyx_ctl_stop(struct vyx_ctl *t)
{
	for (size_t i = 0; i < VYX_CTL_PEERS; i++)
		if (t->peers[i].used)
			vyx_chan_finish(&t->peers[i].chan);
	if (t->io.fd >= 0) {
		vyx_loop_del(t->loop, &t->io);
		close(t->io.fd);
		unlink(t->path);
	}
	t->io.fd = -1;
}

void
vyx_ctl_word(struct vyx_chan *to, const char *name, const char *value,
    const char *w, const char *i)
{
	struct vyx_rec_out o = vyx_rec_begin(&to->out, VYX_V_FIGURE);

	vyx_rec_putz(&o, VYX_F_NAME, name);
	vyx_rec_putz(&o, VYX_F_VALUE, value);
	if (w)
		vyx_rec_putz(&o, VYX_F_W, w);
	if (i)
		vyx_rec_putz(&o, VYX_F_I, i);
	if (vyx_rec_end(&o))
		vyx_chan_put(to);
}

void
vyx_ctl_row(struct vyx_chan *to, const char *name, const char *value,
    struct vyx_str key)
{
	struct vyx_rec_out o = vyx_rec_begin(&to->out, VYX_V_FIGURE);

	vyx_rec_putz(&o, VYX_F_NAME, name);
	vyx_rec_putz(&o, VYX_F_VALUE, value);
	vyx_rec_puts(&o, VYX_F_KEY, key);
	if (vyx_rec_end(&o))
		vyx_chan_put(to);
}

void
vyx_ctl_figure(struct vyx_chan *to, const char *name, uint64_t value,
    const char *w, const char *i)
{
	char t[VYX_DEC + 1];

	t[vyx_dec_fmt(t, value)] = 0;
	vyx_ctl_word(to, name, t, w, i);
}
