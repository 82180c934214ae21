/* SPDX-License-Identifier: ISC */
/*
 * watch - s6 followed by its files: s6-supervise renames supervise/status
 * into place at each change, and the scripts of the instance write to data/.
 * inotify(7) tells, with one descriptor for all and no helper process;
 * what is then read is the state, so a lost event costs a second at most.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <s6/supervise.h>
#include <skalibs/djbtime.h>
#include <skalibs/tai.h>

#include "superv.h"
#include "sys/svdir.h"

static uint64_t
wall_ms(const tain *t)
{
	struct timespec ts;

	if (!timespec_from_tain(&ts, t) || ts.tv_sec < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* data/ends: how often it ended, how often in a row, how. */
static void
read_ends(struct inst *n, const char *data)
{
	char text[128];
	ssize_t len = vyx_svdir_read(data, "ends", text, sizeof text - 1);
	struct vyx_str left = { text, len > 0 ? (size_t)len : 0 }, w;

	if (len <= 0)
		return;
	w = vyx_str_cut(&left, ' ');
	vyx_dec_scan(w, UINT32_MAX, &n->restarts);
	if (left.p)
		vyx_str_cut(&left, ' ');
	if (left.p)
		snprintf(n->code, sizeof n->code, "%.*s", (int)left.n, left.p);
}

static void
set_code(struct inst *n, int wstat)
{
	if (WIFSIGNALED(wstat))
		snprintf(n->code, sizeof n->code, "signal:%d", WTERMSIG(wstat));
	else
		snprintf(n->code, sizeof n->code, "exit:%d",
		    WEXITSTATUS(wstat));
}

static enum vyx_state
state_of(const struct inst *n, const s6_svstatus_t *st, const char *data)
{
	char text[16];

	if (n->failed)
		return VYX_S_FAILED;
	if (n->phase != WANTED && st->pid)
		return VYX_S_DRAINING;
	if (!st->pid && !n->restarts && st->flagwantup)
		return VYX_S_STARTING; /* supervised, and not run before */
	if (!st->pid || st->flagfinishing)
		return st->flagwantup ? VYX_S_CRASHED : VYX_S_DOWN;
	if (vyx_svdir_read(data, "wait", text, sizeof text - 1) >= 0)
		return VYX_S_BACKOFF;
	return st->flagready ? VYX_S_READY : VYX_S_STARTING;
}

static void
entered(struct inst *n, const char *data)
{
	struct work *w = work_find(n->s, n->worker);

	if (n->phase == WANTED)
		vyx_loop_cancel(&n->s->loop, &n->limit);
	switch (n->state) {
	case VYX_S_STARTING:
		if (w && w->startup_ms && n->phase == WANTED)
			vyx_loop_timer(&n->s->loop, &n->limit,
			    n->s->loop.now + w->startup_ms * VYX_MS);
		break;
	case VYX_S_READY:
		if (!n->was_ready)
			vyx_svdir_write(data, "ready", VYX_STR("\n"));
		n->was_ready = 1;
		break;
	case VYX_S_CRASHED:
		vyx_log(VYX_WARN, "worker ended", "instance", n->id, "code",
		    n->code, NULL);
		break;
	default:
		break;
	}
}

void
watch_read(struct inst *n)
{
	char dir[PATH_MAX], data[PATH_MAX + 8];
	s6_svstatus_t st = S6_SVSTATUS_ZERO;
	enum vyx_state old = n->state;
	uint64_t pid = n->pid, since = n->since, restarts = n->restarts;

	snprintf(dir, sizeof dir, "%s/%s", n->s->sv, n->name);
	snprintf(data, sizeof data, "%s/data", dir);
	read_ends(n, data);
	if (s6_svstatus_read(dir, &st)) {
		n->running = st.pid != 0;
		n->wantup = st.flagwantup;
		if (st.flagfinishing)
			set_code(n, st.wstat);
		n->state = state_of(n, &st, data);
		n->pid = st.flagfinishing ? 0 : (uint64_t)st.pid;
		n->since = wall_ms(n->state == VYX_S_READY ? &st.readystamp
		                                           : &st.stamp);
	} else if (n->failed)
		n->state = VYX_S_FAILED;
	if (n->state != old || (n->state == VYX_S_STARTING && pid != n->pid))
		entered(n, data);
	if (n->state != old || n->pid != pid || n->since != since ||
	    n->restarts != restarts)
		tell_soon(n);
	if (n->state != old)
		plan_soon(n->s);
}

void
watch_inst(struct inst *n)
{
	static const char *const part[] = { S6_SUPERVISE_CTLDIR, "data" };
	char dir[PATH_MAX];

	for (size_t i = 0; i < VYX_COUNT(part); i++) {
		snprintf(dir, sizeof dir, "%s/%s/%s", n->s->sv, n->name,
		    part[i]);
		n->watch[i] = inotify_add_watch(n->s->inotify.fd, dir,
		    IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR);
		if (n->watch[i] < 0)
			vyx_log_sys(VYX_WARN, "cannot watch", "path", dir,
			    NULL);
	}
}

void
watch_end(struct inst *n)
{
	for (size_t i = 0; i < VYX_COUNT(n->watch); i++) {
		if (n->watch[i] >= 0)
			inotify_rm_watch(n->s->inotify.fd, n->watch[i]);
		n->watch[i] = -1;
	}
}

static void
changed(struct superv *s, const struct inotify_event *e)
{
	for (struct inst *n = s->insts; n; n = n->next)
		if (e->mask & IN_Q_OVERFLOW || e->wd == n->watch[0] ||
		    e->wd == n->watch[1])
			watch_read(n);
}

static void
events(struct vyx_io *io, uint32_t mask)
{
	struct superv *s = VYX_OF(io, struct superv, inotify);
	char buf[16384] __attribute__((aligned(8)));
	ssize_t len;

	(void)mask;
	while ((len = read(io->fd, buf, sizeof buf)) > 0)
		for (char *p = buf; p < buf + len;) {
			const struct inotify_event *e = (void *)p;

			if (!(e->mask & IN_IGNORED))
				changed(s, e);
			p += sizeof *e + e->len;
		}
}

int
watch_start(struct superv *s)
{
	s->inotify = (struct vyx_io){ .fn = events,
		.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC) };
	return s->inotify.fd >= 0 &&
	    vyx_loop_add(&s->loop, &s->inotify, EPOLLIN);
}
