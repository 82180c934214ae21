/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include "router.h"

/*
 * What is read of a client, one request at a time: those behind it wait in
 * the buffer or in the kernel, so answers are in order by themselves.
 */

#define CONTENT_ROOM 4096  /* behind a head */
#define HEAD_READ 16384    /* bytes that are read for a head at a time */
#define PIPELINE_MAX 32768 /* unsent bytes that keep the next request back */

/* ---- the request's content -------------------------------------------- */

static size_t
intake_room(struct exchange *x)
{
	return x->discard || x->doc_on ? VYX_SLAB : back_side.room(x);
}

static void
intake_body(struct exchange *x, struct vyx_str piece)
{
	uint64_t max = policy_payload(x);

	x->in_bytes += piece.n;
	x->t_moved = x->r->loop.now;
	x->expects = 0;
	if (max && x->in_bytes > max)
		x->refuse = 413;
	if (x->discard || x->refuse)
		return;
	if (x->doc_on)
		doc_body(x, piece);
	else
		back_side.body(x, piece);
}

static void
intake_end(struct exchange *x, const struct vyx_http1 *trailers)
{
	if (!x->discard && !x->refuse && !x->doc_on)
		back_side.end(x, trailers);
}

static const struct side intake = { NULL, intake_room, intake_body, intake_end,
	NULL, NULL };

/* Content behind the head: the head's bytes stay where they are. */
static void
compact(struct client *c)
{
	struct vyx_half *in = &c->conn.in;

	if (!in->p || in->at == c->head)
		return;
	memmove(in->p + c->head, in->p + in->at, in->n - in->at);
	in->n -= in->at - c->head;
	in->at = c->head;
}

static int
busy(struct client *c)
{
	struct exchange *x = c->x;
	enum relayed got;

	if (x->in_end) {
		if (x->doc_on && !x->stall_up) {
			doc_feed(x);
			if (c->x != x || c->state != C_BUSY)
				return 1;
		}
		/* Who hangs up while he is served wants no answer any more. */
		if (c->conn.hup)
			client_close(c);
		return 0;
	}
	got = relay(x, &intake, &x->in, &c->conn.in, &x->req);
	if (c->x != x || c->state != C_BUSY)
		return 1;
	if (x->refuse || got == RELAY_BAD) {
		answer(x, x->refuse ? x->refuse : 400,
		    x->refuse == 413       ? "payload too large"
		        : x->refuse == 503 ? "too many bodies at once"
		        : x->refuse        ? "out of memory"
		                           : x->in.why);
		return 1;
	}
	switch (got) {
	case RELAY_FULL:
		x->stall_up = 1;
		return 0;
	case RELAY_END:
		x->in_end = 1;
		decide_body(x);
		return 1;
	default:
		compact(c);
		if (vyx_conn_recv(&c->conn, intake_room(x)))
			return 1;
	}
	if (c->conn.eof || c->conn.error)
		client_close(c);
	return 0;
}

static void
front_pull(struct exchange *x)
{
	x->stall_up = 0;
	front_run(x->client);
}

/* The answer was cut off, and the client must see that it was. */
static void
front_abort(struct exchange *x)
{
	struct client *c = x->client;

	/* A reset: an end would look like one to who reads until the end. */
	if (x->out == VYX_BODY_CLOSE) {
		client_reset(c);
		return;
	}
	vyx_conn_send(&c->conn);
	client_close(c);
}

const struct side front_side = { write_head, write_room, write_body, write_end,
	front_pull, front_abort };

/* ---- heads ------------------------------------------------------------ */

/* HOP 1: the head is in. */
static void
begin(struct client *c)
{
	struct exchange *x = c->x;
	struct vyx_half *in = &c->conn.in;
	struct vyx_http1 *h = &x->req;
	size_t room;

	/* From here on it stays where it is: with room for content behind. */
	room = h->framing == VYX_BODY_CHUNKED ? VYX_SLAB / 4 : 0;
	if (h->has_length && h->length)
		room = h->length > CONTENT_ROOM ? VYX_SLAB / 4 : CONTENT_ROOM;
	if (room > vyx_half_room(in))
		room = vyx_half_room(in);
	if (!vyx_half_want(in, &c->r->slabs, room)) {
		client_close(c);
		return;
	}
	h->base = in->p + in->at;
	in->at += h->len;
	in->hold = 1;
	c->head = in->at;
	client_state(c, C_BUSY);
	x->t_start = x->t_moved = c->r->loop.now;
	x->old = !h->minor;
	x->keep = h->keep && !c->r->draining;
	x->method = vyx_http1_str(h, h->method_name);
	x->verb = h->method;
	x->reads_trailers = h->trailers;
	x->expects = h->expect;
	x->chunked = h->framing == VYX_BODY_CHUNKED;
	x->bodyless =
	    h->framing == VYX_BODY_NONE || (!x->chunked && !h->length);
	vyx_body_start(&x->in, h);
	x->in_end = x->bodyless;
	x->id = request_id(x, h);
	h->lim.head = TRAILERS_MAX; /* what it is used for from here on */
	decide(x);
}

static void
bad(struct client *c)
{
	struct exchange *x = c->x;

	client_state(c, C_BUSY);
	x->t_start = c->r->loop.now;
	x->in_end = 1;
	x->verb = x->req.method; /* HEAD: no content even now */
	x->id = request_id(x, NULL);
	answer(x, x->req.status, x->req.why);
}

static int
head(struct client *c)
{
	struct vyx_half *in = &c->conn.in;

	switch (vyx_http1_parse(&c->x->req, in->p + in->at, in->n - in->at)) {
	case VYX_HTTP1_DONE:
		begin(c);
		return 1;
	case VYX_HTTP1_BAD:
		bad(c);
		return 1;
	case VYX_HTTP1_MORE:
		break;
	}
	if (vyx_conn_recv(&c->conn, HEAD_READ))
		return 1;
	if (c->conn.eof || c->conn.error)
		client_close(c);
	return 0;
}

static int
idle(struct client *c)
{
	struct vyx_conn *k = &c->conn;
	struct vyx_http1_limits lim = VYX_HTTP1_LIMITS;

	if (k->out.n - k->out.at > PIPELINE_MAX)
		return 0;
	if (c->last) {
		if (k->out.n != k->out.at)
			return 0;
		client_last(c);
		return 1;
	}
	if (k->in.n == k->in.at && !vyx_conn_recv(k, HEAD_READ)) {
		if (k->error || (k->eof && k->out.n == k->out.at))
			client_close(c);
		return 0;
	}
	if ((c->x = exchange_new(c->r, c)) == NULL) {
		client_close(c);
		return 0;
	}
	lim.head = head_limit(c->r);
	if (lim.target > lim.head)
		lim.target = lim.head;
	lim.fields = (uint32_t)c->r->plan.set.max_fields;
	vyx_http1_start(&c->x->req, VYX_HTTP1_REQUEST, &lim);
	client_state(c, C_HEAD);
	return 1;
}

static int
linger(struct client *c)
{
	while (vyx_conn_recv(&c->conn, HEAD_READ))
		vyx_half_free(&c->conn.in, &c->r->slabs);
	if (c->conn.eof || c->conn.error)
		client_close(c);
	return 0;
}

static int
step(struct client *c)
{
	switch ((enum client_state)c->state) {
	case C_IDLE:
		return idle(c);
	case C_HEAD:
		return head(c);
	case C_BUSY:
		return busy(c);
	case C_LINGER:
		return linger(c);
	case C_TUNNEL:
		relay_tunnel(c->x);
		return 0;
	case C_DEAD:
		return 0;
	}
	return 0;
}

void
front_run(struct client *c)
{
	while (step(c))
		;
	if (c->state != C_DEAD)
		client_watch(c);
}

/* The exchange is over and logged; what the client gets may still be on its
 * way. The next request is looked at when this turn's work is done. */
void
front_over(struct exchange *x)
{
	struct client *c = x->client;

	c->x = NULL;
	if (!x->keep || c->r->draining)
		c->last = 1;
	c->conn.in.hold = 0;
	vyx_half_take(&c->conn.in, &c->r->slabs, 0);
	client_state(c, C_IDLE);
	vyx_loop_defer(&c->r->loop, &c->run);
}

/* What the log says of a request, so that its head can be given back. */
static int
keep_names(struct exchange *x)
{
	struct vyx_buf kept = { 0 };

	if (!vyx_buf_putstr(&kept, x->path) || !vyx_buf_putstr(&kept, x->id) ||
	    !vyx_buf_putstr(&kept, x->method)) {
		vyx_buf_free(&kept);
		return 0;
	}
	vyx_buf_free(&x->canon);
	x->canon = kept;
	x->path.p = kept.p;
	x->id.p = x->path.p + x->path.n;
	x->method.p = x->id.p + x->id.n;
	return 1;
}

static void
give_head(struct client *c)
{
	c->conn.in.hold = 0;
	vyx_half_take(&c->conn.in, &c->r->slabs, 0);
}

/* He is slower than his answer: the head was all read and is not sent again,
 * so its buffer need not wait for him. */
void
front_slow(struct exchange *x)
{
	struct client *c = x->client;

	if (x->begun && x->in_end && c->conn.in.hold && keep_names(x))
		give_head(c);
}

/* Answered 101. Bytes are counted from behind the heads. */
void
front_tunnel(struct exchange *x)
{
	struct client *c = x->client;

	if (!keep_names(x)) {
		client_close(c);
		return;
	}
	give_head(c);
	client_state(c, C_TUNNEL);
	vyx_conn_send(&c->conn);
	x->in_bytes = x->back->conn.sent;
	x->out_bytes = c->conn.sent + (c->conn.out.n - c->conn.out.at);
	decide_watch(x);
	relay_tunnel(x);
}
