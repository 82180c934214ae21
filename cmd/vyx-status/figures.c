/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <s6/supervise.h>

#include "status.h"
#include "sys/chan.h"

#define JSON_EXACT (UINT64_C(1) << 53) /* above it a reader may round */
#define WAIT (2 * VYX_SEC)             /* for one daemon */

/* One more piece from `fd` before `until`; 0: too late, or closed. */
static int
more(int fd, struct vyx_buf *in, uint64_t until)
{
	struct pollfd p = { fd, POLLIN, 0 };
	uint64_t now = vyx_now();
	ssize_t n;

	if (now >= until || in->n > VYX_REC_STREAM ||
	    poll(&p, 1, (int)((until - now) / VYX_MS + 1)) <= 0 ||
	    !vyx_buf_room(in, 4096))
		return 0;
	n = recv(fd, in->p + in->n, 4096, 0);
	if (n > 0)
		in->n += (size_t)n;
	return n > 0;
}

static void
breaker(struct line *l, const char *daemon, const struct vyx_rec *r)
{
	line_begin(l, "breaker");
	line_word(l, "daemon", VYX_STRZ(daemon));
	line_word(l, "route", vyx_rec_str(r, VYX_F_KEY));
	line_word(l, "state", vyx_rec_str(r, VYX_F_VALUE));
	line_end(l);
}

static void
figure(struct line *l, const char *daemon, const struct vyx_rec *r)
{
	struct vyx_str value = vyx_rec_str(r, VYX_F_VALUE);
	uint64_t n;

	if (vyx_rec_has(r, VYX_F_KEY)) {
		breaker(l, daemon, r);
		return;
	}
	if (vyx_dec_scan(value, UINT64_MAX, &n))
		pool_add(daemon, vyx_rec_str(r, VYX_F_NAME),
		    vyx_rec_str(r, VYX_F_W), n);
	if (l->out == PEOPLE && vyx_str_eq(value, VYX_STR("0")))
		return; /* a long list of nothing */
	line_begin(l, "figure");
	line_word(l, "daemon", VYX_STRZ(daemon));
	line_word(l, "name", vyx_rec_str(r, VYX_F_NAME));
	if (vyx_dec_scan(value, JSON_EXACT, &n))
		line_num(l, "value", n);
	else
		line_word(l, "value", value);
	line_word(l, "worker", vyx_rec_str(r, VYX_F_W));
	line_word(l, "instance", vyx_rec_str(r, VYX_F_I));
	line_end(l);
}

static int
read_all(struct line *l, const char *daemon, int fd)
{
	uint64_t until = vyx_now() + WAIT;
	struct vyx_buf in = { 0 };
	static struct vyx_rec r;
	int done = 0, ok = 1;
	size_t len;

	while (ok && !done) {
		while (!(len = vyx_rec_len(in.p, in.n, 0)) && ok)
			ok = more(fd, &in, until);
		ok = ok &&
		    vyx_rec_parse(&r, VYX_E_CTL, VYX_LISTENS, in.p, len, 0);
		if (!ok)
			break;
		done = r.verb == VYX_V_END;
		if (r.verb == VYX_V_FIGURE)
			figure(l, daemon, &r);
		vyx_buf_shift(&in, len);
	}
	vyx_buf_free(&in);
	return done;
}

static int
ask(struct line *l, const char *run, const char *daemon)
{
	struct vyx_rec_out o;
	struct vyx_buf b = { 0 };
	char path[512];
	int fd, ok = 0;

	snprintf(path, sizeof path, "%s/%s/ctl", run, daemon);
	if ((fd = vyx_chan_dial(path, 0)) < 0)
		return 0;
	o = vyx_rec_begin(&b, VYX_V_STAT);
	if (vyx_rec_end(&o) && send(fd, b.p, b.n, MSG_NOSIGNAL) == (ssize_t)b.n)
		ok = read_all(l, daemon, fd);
	vyx_buf_free(&b);
	close(fd);
	return ok;
}

static int
is_daemon(const struct dirent *e)
{
	return !strcmp(e->d_name, "regd") || !strcmp(e->d_name, "pool") ||
	    !strcmp(e->d_name, "superv") || !strncmp(e->d_name, "route.", 6);
}

int
figures(struct line *l, const char *run)
{
	struct dirent **list;
	s6_svstatus_t st;
	char dir[512];
	int n, ok = 1;

	snprintf(dir, sizeof dir, "%s/sv", run);
	n = scandir(dir, &list, is_daemon, versionsort);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		int answers, wanted;

		snprintf(dir, sizeof dir, "%s/sv/%s", run, name);
		wanted = s6_svstatus_read(dir, &st) && st.flagwantup;
		answers = (wanted || st.pid) && ask(l, run, name);
		line_begin(l, "daemon");
		line_word(l, "name", VYX_STRZ(name));
		line_word(l, "state",
		    answers ? wanted ? VYX_STR("ready") : VYX_STR("draining")
		        : wanted ? VYX_STR("silent")
		                 : VYX_STR("down"));
		line_num(l, "pid", wanted ? (uint64_t)st.pid : 0);
		line_end(l);
		ok &= answers || !wanted;
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	pool_lines(l);
	return ok && n > 0;
}
