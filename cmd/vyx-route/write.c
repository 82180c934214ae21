/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "router.h"
#include "wire/forward.h"

/*
 * What goes out to a client. Each piece of an answer leaves room in the
 * buffer for the end of it, so ending one never has to wait.
 */
#define END_ROOM (TRAILERS_MAX + 64)
#define LEAST 8192 /* less room than this is none: bytes move to make it */

int
write_head(struct exchange *x)
{
	struct vyx_http1 *h = &x->ans;
	struct vyx_conn *k = &x->client->conn;
	const struct vyx_policy *p = x->policy;
	struct vyx_forward_answer f = { .id = x->id,
		.old = x->old,
		.trailers = x->reads_trailers,
		.bare = !x->r->plan.set.security_headers,
		.cors = x->cors,
		.more = policy_cors(x),
		.rules = p->answer.n_drop ? &p->answer : NULL };
	size_t n,
	    cap = h->len + VYX_FORWARD_MORE + f.more.n + p->answer.lines.n;
	char *out;

	if (h->code < 200 && x->old)
		return 1; /* RFC 9110 15.2 */
	if (!(out = vyx_conn_room(k, cap + END_ROOM)))
		return 0;
	if (h->code >= 200) {
		x->out = h->framing;
		if (x->out == VYX_BODY_CHUNKED || x->out == VYX_BODY_CLOSE)
			x->out = x->old ? VYX_BODY_CLOSE : VYX_BODY_CHUNKED;
		/* Who is refused early need not send the rest. */
		if (x->out == VYX_BODY_CLOSE || x->r->draining ||
		    (!x->in_end && (h->code >= 300 || x->expects)))
			x->keep = 0;
		x->status = h->code;
		x->begun = 1;
		f.framing = x->out;
		f.keep = x->keep;
		f.date = vyx_wall_date(&x->r->wall, x->r->loop.now);
	}
	n = vyx_forward_answer(out, cap, h, &f);
	vyx_conn_wrote(k, n);
	return 1;
}

/* How far an answer may be ahead of its client: far, for some of them. */
size_t
write_room(struct exchange *x)
{
	struct client *c = x->client;
	struct vyx_half *out = &c->conn.out;
	size_t room, most, held = out->n - out->at;

	room = vyx_half_room(out);
	if (room < END_ROOM + VYX_BODY_FRAME + LEAST)
		return 0;
	room -= END_ROOM + VYX_BODY_FRAME;
	if (!c->ahead && held > AHEAD_LEAST / 2 && x->r->ahead < AHEAD_MAX) {
		c->ahead = 1;
		x->r->ahead++;
	}
	if (c->ahead)
		return room;
	most = AHEAD_LEAST > held ? AHEAD_LEAST - held : 0;
	return room < most ? room : most;
}

/* It is no longer ahead. */
void
write_left(struct client *c)
{
	if (c->ahead)
		c->r->ahead--;
	c->ahead = 0;
}

void
write_body(struct exchange *x, struct vyx_str piece)
{
	struct vyx_conn *k = &x->client->conn;
	char *out = vyx_conn_room(k, piece.n + VYX_BODY_FRAME);

	if (!out) {
		k->error = ENOMEM;
		return;
	}
	vyx_conn_wrote(k, vyx_body_put(out, x->out, piece));
	x->out_bytes += piece.n;
}

void
write_end(struct exchange *x, const struct vyx_http1 *trailers)
{
	struct vyx_conn *k = &x->client->conn;
	char *out;
	size_t n;

	if (x->out != VYX_BODY_CHUNKED || !(out = vyx_conn_room(k, END_ROOM)))
		return;
	memcpy(out, "0\r\n", 3);
	n = vyx_forward_trailers(out + 3, END_ROOM - 3,
	    x->reads_trailers ? trailers : NULL,
	    x->policy->answer.n_drop ? &x->policy->answer : NULL);
	vyx_conn_wrote(k, 3 + n);
}

/* He may send his content: said by us, as no worker is asked yet. */
void
write_continue(struct exchange *x)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct vyx_conn *k = &x->client->conn;
	char *out = vyx_conn_room(k, sizeof text);

	if (!out)
		return;
	memcpy(out, text, sizeof text - 1);
	vyx_conn_wrote(k, sizeof text - 1);
}

void
write_own(struct exchange *x, unsigned status, const char *text,
    struct vyx_str json, struct vyx_str more)
{
	struct vyx_str cors = policy_cors(x);
	char *lines = x->r->lines;
	struct vyx_conn *k = &x->client->conn;
	struct vyx_forward_own f = { .status = status,
		.text = text,
		.json = json,
		.more = { lines, cors.n + more.n },
		.id = x->id,
		.date = vyx_wall_date(&x->r->wall, x->r->loop.now),
		.old = x->old,
		.keep = x->keep,
		.head = x->verb == VYX_METHOD_HEAD,
		.bare = !x->r->plan.set.security_headers };
	size_t cap = VYX_FORWARD_MORE + f.more.n + json.n;
	char *out = vyx_conn_room(k, cap);

	if (more.n)
		memmove(lines + cors.n, more.p, more.n);
	if (out)
		vyx_conn_wrote(k, vyx_forward_own(out, cap, &f));
	else
		k->error = ENOMEM;
	if (!f.head)
		x->out_bytes = vyx_forward_own_content(&f);
}
