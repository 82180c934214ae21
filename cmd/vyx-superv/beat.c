/* SPDX-License-Identifier: ISC */
/*
 * beat - a daemon that does not answer is as bad as a dead one, and s6
 * cannot tell: each is pinged once a second, and one that s6 says is ready
 * and that lets five pings pass is killed, for s6 to start it again.
 *
 * Ticks are counted, not time: when we were stopped ourselves, the others
 * have not been asked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <s6/supervise.h>

#include "superv.h"

#define SILENT (VYX_SILENT_NS / VYX_BEAT_NS)

static void
answered(struct vyx_chan *c, struct vyx_rec *r, int fd)
{
	struct beat *b = VYX_OF(c, struct beat, chan);

	(void)fd; /* the map lets none cross */
	if (r->verb == VYX_V_PONG)
		b->silent = 0;
}

static void
lost(struct vyx_chan *c, int error)
{
	(void)error;
	VYX_OF(c, struct beat, chan)->open = 0;
}

static struct beat *
beat_of(struct superv *s, const char *name)
{
	struct beat *b;

	for (b = s->beats; b; b = b->next)
		if (!strcmp(b->name, name))
			return b;
	if ((b = calloc(1, sizeof *b)) == NULL)
		return NULL;
	snprintf(b->name, sizeof b->name, "%s", name);
	b->s = s;
	b->next = s->beats;
	return s->beats = b;
}

static void
dial(struct beat *b)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "%s/%s/ctl", b->s->run, b->name);
	if ((fd = vyx_chan_dial(path, 0)) < 0)
		return;
	b->chan = (struct vyx_chan){
		.loop = &b->s->loop, .on_rec = answered, .on_close = lost
	};
	b->open = vyx_chan_open(&b->chan, fd, VYX_E_CTL, VYX_CONNECTS);
	if (!b->open)
		close(fd);
}

static void
ping(struct beat *b)
{
	struct vyx_rec_out o;

	if (!b->open)
		dial(b);
	if (!b->open)
		return;
	o = vyx_rec_begin(&b->chan.out, VYX_V_PING);
	if (vyx_rec_end(&o))
		vyx_chan_put(&b->chan);
}

/* 0: there is no such daemon. */
static int
check(struct superv *s, const char *name)
{
	char dir[PATH_MAX];
	s6_svstatus_t st;
	struct beat *b;

	snprintf(dir, sizeof dir, "%s/%s", s->sv, name);
	if (access(dir, F_OK) < 0)
		return 0;
	if ((b = beat_of(s, name)) == NULL)
		return 1;
	if (!s6_svstatus_read(dir, &st) || !st.pid || st.flagfinishing ||
	    !st.flagready || !st.flagwantup) {
		b->silent = 0; /* s6 deals with it */
		return 1;
	}
	if (b->silent++ < SILENT) {
		ping(b);
		return 1;
	}
	vyx_log(VYX_ERROR, "daemon silent, killed", "daemon", name, "pid",
	    VYX_NUM(st.pid), NULL);
	s6_svc_writectl(dir, S6_SUPERVISE_CTLDIR, "k", 1);
	s->killed++;
	b->silent = 0;
	return 1;
}

void
beat_tick(struct superv *s)
{
	char name[32];

	check(s, "regd");
	check(s, "pool");
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "route.%u", i);
		if (!check(s, name))
			break;
	}
}
