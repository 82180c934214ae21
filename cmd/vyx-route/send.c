/* SPDX-License-Identifier: ISC */
#include "router.h"
#include "wire/forward.h"

/*
 * A request on its way out. It is written into a buffer before there is a
 * connection; that moves into the connection that is taken, and out of it
 * again when another must be tried.
 */

/* Left free behind content, so that its end always fits. */
#define END_ROOM (TRAILERS_MAX + 64)
#define LEAST 2048 /* less room than this is none */

static struct vyx_half *
request(struct exchange *x)
{
	return x->back ? &x->back->conn.out : &x->up;
}

static void
wrote(struct exchange *x, size_t n)
{
	if (x->back)
		vyx_conn_wrote(&x->back->conn, n);
	else
		x->up.n += n;
}

static const struct vyx_forward_rules *
rules(const struct exchange *x)
{
	const struct vyx_forward_rules *q = &x->policy->request;

	return q->n_drop ? q : NULL;
}

/* A trace begins here, unless it is one already: then it is passed on. */
static struct vyx_str
trace(struct exchange *x)
{
	const struct vyx_http1_field *f =
	    vyx_http1_find(&x->req, VYX_H_TRACEPARENT);

	if (f && vyx_forward_trace(vyx_http1_str(&x->req, f->value)))
		return VYX_STR("");
	x->traced = (uint8_t)vyx_wall_trace(&x->r->wall, x->trace);
	return x->traced ? (struct vyx_str){ x->trace, VYX_FORWARD_TRACE }
	                 : VYX_STR("");
}

static int
back_head(struct exchange *x)
{
	struct vyx_http1 *h = &x->req;
	struct vyx_half *up = &x->up;
	struct vyx_forward_request f = { .method = x->method,
		.path = x->path,
		.peer = VYX_STRZ(x->peer),
		.id = x->id,
		.tls = x->tls,
		.websocket = x->websocket,
		.trailers = x->reads_trailers,
		.max_forwards = h->max_forwards - 1,
		.trace = trace(x),
		.rules = rules(x) };
	size_t cap = h->len + x->path.n + 2 * h->authority.n +
	    VYX_FORWARD_MORE + x->policy->request.lines.n;

	if (!vyx_half_want(up, &x->r->slabs, cap))
		return 0;
	up->hold = 1;
	up->n = vyx_forward_request(up->p, cap, h, &f);
	return up->n != 0;
}

static size_t
back_room(struct exchange *x)
{
	struct vyx_half *out = request(x);
	size_t room = vyx_half_room(out);

	if (x->back && x->back->deaf)
		return 0;
	if (out->hold && x->back && room < END_ROOM + LEAST) {
		out->hold = 0; /* too long to be kept for a second try */
		room = vyx_half_room(out);
	}
	return room < END_ROOM + LEAST ? 0 : room - END_ROOM - VYX_BODY_FRAME;
}

static void
back_body(struct exchange *x, struct vyx_str piece)
{
	struct vyx_half *out = request(x);

	if (!vyx_half_want(out, &x->r->slabs, piece.n + VYX_BODY_FRAME)) {
		x->refuse = 500;
		return;
	}
	wrote(x,
	    vyx_body_put(out->p + out->n,
	        x->chunked ? VYX_BODY_CHUNKED : VYX_BODY_LENGTH, piece));
}

static void
back_end(struct exchange *x, const struct vyx_http1 *trailers)
{
	struct vyx_half *out = request(x);
	size_t n = 3;

	if (!x->chunked || (x->back && x->back->deaf) ||
	    !vyx_half_want(out, &x->r->slabs, END_ROOM))
		return;
	memcpy(out->p + out->n, "0\r\n", 3);
	n += vyx_forward_trailers(out->p + out->n + n, END_ROOM - n, trailers,
	    rules(x));
	wrote(x, n);
}

static void
back_abort(struct exchange *x)
{
	back_leave(x, VYX_POOL_ABORT);
}

const struct side back_side = { back_head, back_room, back_body, back_end,
	back_pull, back_abort };
