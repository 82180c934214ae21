/* SPDX-License-Identifier: ISC */
/* reg_sync - vyx-regd for commands: one question after another, blocking. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sys/reg.h"

#define CHUNK 16384

/* Wait until the socket is good for `events`. 0: ETIMEDOUT. */
static int
wait_for(const struct vyx_reg_sync *s, short events)
{
	struct pollfd p = { s->fd, events, 0 };
	uint64_t now = vyx_now();
	int n;

	if (now >= s->until)
		return errno = ETIMEDOUT, 0;
	n = poll(&p, 1, (int)((s->until - now + VYX_MS - 1) / VYX_MS));
	if (n < 0 && errno != EINTR)
		return 0;
	return 1;
}

/* regd may be starting: dial until the limit is over. */
static int
dial(struct vyx_reg_sync *s, const char *path)
{
	const struct timespec pause = { .tv_nsec = 20000000 };

	while ((s->fd = vyx_chan_dial(path, 0)) < 0) {
		if (errno != ECONNREFUSED && errno != ENOENT && errno != EAGAIN)
			return 0;
		if (vyx_now() >= s->until)
			return 0;
		nanosleep(&pause, NULL);
	}
	return 1;
}

static int
greet(struct vyx_reg_sync *s, const char *role)
{
	struct vyx_rec_out o = vyx_rec_begin(&s->out, VYX_V_HELLO);
	struct vyx_str text;

	vyx_rec_putu(&o, VYX_F_PROTO, VYX_PROTO);
	vyx_rec_putz(&o, VYX_F_ROLE, role);
	vyx_rec_putz(&o, VYX_F_NAME, role);
	if (!vyx_rec_end(&o))
		return 0;
	/* whoever is turned away is told so before this is read */
	if (!vyx_reg_sync_send(s) && errno != EPIPE)
		return 0;
	if (!vyx_reg_sync_recv(s))
		return 0;
	if (s->rec.verb == VYX_V_NO) {
		text = vyx_rec_str(&s->rec, VYX_F_TEXT);
		snprintf(s->said, sizeof s->said, "%.*s",
		    text.n < sizeof s->said ? (int)text.n : 0, text.p);
		return errno = EACCES, 0;
	}
	if (s->rec.verb != VYX_V_HELLO ||
	    vyx_rec_u(&s->rec, VYX_F_PROTO) < VYX_PROTO_MIN)
		return errno = EPROTO, 0;
	s->rev = vyx_rec_u(&s->rec, VYX_F_REV);
	s->floor = vyx_rec_u(&s->rec, VYX_F_FLOOR);
	return 1;
}

int
vyx_reg_connect(struct vyx_reg_sync *s, const char *run, enum vyx_edge edge,
    const char *role, uint64_t limit)
{
	char path[VYX_PATH_MAX + 1];
	int n = snprintf(path, sizeof path, "%s/%s", run,
	    vyx_rec_edge_socket(edge));
	int e;

	*s = (struct vyx_reg_sync){ .fd = -1, .edge = edge };
	s->until = vyx_now() + limit;
	if (n < 0 || n > VYX_PATH_MAX)
		return errno = ENAMETOOLONG, 0;
	if (dial(s, path) && greet(s, role))
		return 1;
	e = errno;
	vyx_reg_disconnect(s);
	return errno = e, 0;
}

struct vyx_rec_out
vyx_reg_sync_ask(struct vyx_reg_sync *s, enum vyx_verb verb)
{
	struct vyx_rec_out o = vyx_rec_begin(&s->out, verb);

	vyx_rec_putu(&o, VYX_F_ID, ++s->next_id);
	return o;
}

int
vyx_reg_sync_send(struct vyx_reg_sync *s)
{
	size_t at = 0;

	while (at < s->out.n) {
		ssize_t n = send(s->fd, s->out.p + at, s->out.n - at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			at += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return 0;
		else if (!wait_for(s, POLLOUT))
			return 0;
	}
	s->out.n = 0;
	return 1;
}

int
vyx_reg_sync_recv(struct vyx_reg_sync *s)
{
	size_t len;

	vyx_buf_shift(&s->in, s->taken);
	s->taken = 0;
	while (!(len = vyx_rec_len(s->in.p, s->in.n, 0))) {
		ssize_t n;

		if (s->in.n > VYX_REC_STREAM)
			return errno = EPROTO, 0;
		if (!vyx_buf_room(&s->in, CHUNK) || !wait_for(s, POLLIN))
			return 0;
		n = recv(s->fd, s->in.p + s->in.n, CHUNK, MSG_DONTWAIT);
		if (n == 0)
			return errno = EPIPE, 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return 0;
		s->in.n += n > 0 ? (size_t)n : 0;
	}
	s->taken = len;
	return vyx_rec_parse(&s->rec, s->edge, VYX_LISTENS, s->in.p, len, 0);
}

void
vyx_reg_disconnect(struct vyx_reg_sync *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	vyx_buf_free(&s->in);
	vyx_buf_free(&s->out);
}
