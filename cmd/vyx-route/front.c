/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "router.h"

/*
 * A client's connection. It reads one request at a time: those behind it wait
 * in the buffer or in the kernel, so answers are in order by themselves.
 *
 *	IDLE -byte-> HEAD -head-> BUSY -answered-> IDLE
 *	BUSY -101-> TUNNEL;  any -last answer sent-> LINGER -> DEAD
 */

#define LINGER_NS (UINT64_C(2) * VYX_SEC) /* for a client to read the last */
#define PIPELINE_MAX 32768 /* unsent bytes that keep the next request back */

static void
set_state(struct client *c, enum client_state s)
{
	c->state = (uint8_t)s;
	c->since = c->r->loop.now;
}

static void
reap(struct vyx_task *t)
{
	struct client *c = VYX_OF(t, struct client, reap);

	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	listen_left(c);
	free(c);
}

/* Whatever it was doing is over. Freed at the end of the turn. */
void
front_close(struct client *c)
{
	struct exchange *x = c->x;

	if (c->state == C_DEAD)
		return;
	set_state(c, C_DEAD);
	c->x = NULL;
	if (x) {
		x->client = NULL;
		decide_gone(x);
	}
	write_left(c);
	vyx_loop_cancel(&c->r->loop, &c->timer);
	vyx_conn_close(&c->conn, -1);
	vyx_loop_defer(&c->r->loop, &c->reap);
}

/* The last answer is out: say so, and let the client read it before the
 * close could take it away (RFC 9112 9.6). */
static void
last_words(struct client *c)
{
	shutdown(c->conn.io.fd, SHUT_WR);
	vyx_half_free(&c->conn.in, &c->r->slabs);
	set_state(c, C_LINGER);
}

/* ---- the request's content -------------------------------------------- */

static size_t
intake_room(struct exchange *x)
{
	return x->discard ? VYX_SLAB : back_side.room(x);
}

static void
intake_body(struct exchange *x, struct vyx_str piece)
{
	uint64_t max = x->r->conf.payload_max;

	x->in_bytes += piece.n;
	x->t_moved = x->r->loop.now;
	x->expects = 0;
	if (max && x->in_bytes > max)
		x->too_big = 1;
	if (!x->discard && !x->too_big)
		back_side.body(x, piece);
}

static void
intake_end(struct exchange *x, const struct vyx_http1 *trailers)
{
	if (!x->discard && !x->too_big)
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

	if (x->in_end)
		return 0;
	got = relay(x, &intake, &x->in, &c->conn.in, &x->req);
	if (c->x != x || c->state != C_BUSY)
		return 1;
	if (x->too_big || got == RELAY_BAD) {
		answer(x, x->too_big ? 413 : 400,
		    x->too_big ? "payload too large" : x->in.why);
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
		if (vyx_conn_recv(&c->conn, VYX_SLAB))
			return 1;
	}
	if (c->conn.eof || c->conn.error)
		front_close(c);
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
	struct linger now = { 1, 0 };

	/* A reset: an end would look like one to who reads until the end. */
	if (x->out == VYX_BODY_CLOSE)
		setsockopt(c->conn.io.fd, SOL_SOCKET, SO_LINGER, &now,
		    sizeof now);
	else
		vyx_conn_send(&c->conn);
	front_close(c);
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

	if (in->at && VYX_SLAB - in->n < VYX_SLAB / 2) {
		memmove(in->p, in->p + in->at, in->n - in->at);
		in->n -= in->at;
		in->at = 0;
		h->base = in->p;
	}
	in->at += h->len;
	in->hold = 1;
	c->head = in->at;
	set_state(c, C_BUSY);
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

	set_state(c, C_BUSY);
	x->t_start = c->r->loop.now;
	x->in_end = 1;
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
	if (vyx_conn_recv(&c->conn, VYX_SLAB))
		return 1;
	if (c->conn.eof || c->conn.error)
		front_close(c);
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
		last_words(c);
		return 1;
	}
	if (k->in.n == k->in.at && !vyx_conn_recv(k, VYX_SLAB)) {
		if (k->error || (k->eof && k->out.n == k->out.at))
			front_close(c);
		return 0;
	}
	if ((c->x = exchange_new(c->r, c)) == NULL) {
		front_close(c);
		return 0;
	}
	lim.head = (uint32_t)c->r->conf.max_head;
	if (lim.target > lim.head)
		lim.target = lim.head;
	vyx_http1_start(&c->x->req, VYX_HTTP1_REQUEST, &lim);
	set_state(c, C_HEAD);
	return 1;
}

static int
linger(struct client *c)
{
	while (vyx_conn_recv(&c->conn, VYX_SLAB))
		vyx_half_free(&c->conn.in, &c->r->slabs);
	if (c->conn.eof || c->conn.error)
		front_close(c);
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
		front_watch(c);
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
	set_state(c, C_IDLE);
	vyx_loop_defer(&c->r->loop, &c->run);
}

/* Answered 101. Bytes are counted from behind the heads. */
void
front_tunnel(struct exchange *x)
{
	struct client *c = x->client;

	c->conn.in.hold = 0;
	vyx_half_take(&c->conn.in, &c->r->slabs, 0);
	set_state(c, C_TUNNEL);
	vyx_conn_send(&c->conn);
	x->in_bytes = x->back->conn.sent;
	x->out_bytes = c->conn.sent + (c->conn.out.n - c->conn.out.at);
	decide_watch(x);
	relay_tunnel(x);
}

/* ---- events ----------------------------------------------------------- */

static void
on_event(struct vyx_conn *k, uint32_t events)
{
	struct client *c = VYX_OF(k, struct client, conn);

	(void)events;
	if (c->state == C_DEAD)
		return;
	/* Whoever hangs up while he is served wants no answer any more. */
	if (k->hup && c->state == C_BUSY && c->x->in_end) {
		front_close(c);
		return;
	}
	front_run(c);
}

static void
on_sent(struct vyx_conn *k)
{
	struct client *c = VYX_OF(k, struct client, conn);
	struct exchange *x = c->x;

	if (c->state == C_DEAD)
		return;
	if (k->error) {
		front_close(c);
		return;
	}
	if (c->ahead && k->out.n - k->out.at <= AHEAD_LEAST)
		write_left(c);
	if (c->state == C_TUNNEL)
		relay_sent(x);
	else if (x && x->stall_down && x->back)
		back_side.pull(x);
	if (c->state != C_DEAD)
		front_run(c);
}

static void
run_later(struct vyx_task *t)
{
	struct client *c = VYX_OF(t, struct client, run);

	if (c->state != C_DEAD)
		front_run(c);
}

static void
too_slow(struct client *c)
{
	switch ((enum client_state)c->state) {
	case C_HEAD:
		c->x->in_end = 1;
		c->x->id = request_id(c->x, NULL);
		c->x->t_start = c->since;
		set_state(c, C_BUSY);
		answer(c->x, 408, "request timeout");
		front_run(c);
		break;
	case C_BUSY:
		if (c->conn.out.n == c->conn.out.at && !c->x->begun) {
			answer(c->x, 408, "request timeout");
			front_run(c);
			break;
		}
		/* FALLTHROUGH */
	default:
		front_close(c);
	}
}

/* When the client has been too slow, were nothing to come from now on. */
static uint64_t
patience(const struct client *c)
{
	const struct settings *s = &c->r->conf;
	const struct exchange *x = c->x;
	uint64_t due = UINT64_MAX, d;

	if (c->conn.out.n != c->conn.out.at)
		due = c->conn.last_out + s->write_timeout;
	else if (c->state == C_IDLE)
		due = c->since + s->idle_timeout;
	if (c->state == C_HEAD)
		due = c->since + s->header_timeout;
	if (c->state == C_LINGER)
		due = c->since + LINGER_NS;
	if (c->state != C_BUSY || x->in_end || x->stall_up || x->expects)
		return due;
	d = x->t_moved + s->body_timeout;
	if (s->body_min_rate) {
		uint64_t rate = x->t_start + BODY_GRACE_NS +
		    x->in_bytes / s->body_min_rate * VYX_SEC;
		if (rate < d)
			d = rate;
	}
	return d < due ? d : due;
}

static void
on_timer(struct vyx_timer *t)
{
	struct client *c = VYX_OF(t, struct client, timer);

	if (patience(c) > c->r->loop.now)
		front_watch(c);
	else
		too_slow(c);
}

/* Moving a timer to later costs a store. */
void
front_watch(struct client *c)
{
	uint64_t due = patience(c);

	if (due == UINT64_MAX)
		vyx_loop_cancel(&c->r->loop, &c->timer);
	else if (!vyx_loop_timer(&c->r->loop, &c->timer, due))
		front_close(c);
}

struct client *
front_accept(struct router *r, int fd, int lazy)
{
	struct client *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->r = r;
	c->conn = (struct vyx_conn){ .loop = &r->loop,
		.slabs = &r->slabs,
		.on_event = on_event,
		.on_sent = on_sent };
	c->timer.fn = on_timer;
	c->run.fn = run_later;
	c->reap.fn = reap;
	if (!vyx_conn_open(&c->conn, fd, lazy)) {
		free(c);
		return NULL;
	}
	set_state(c, C_IDLE);
	c->prev = &r->clients;
	if ((c->next = r->clients) != NULL)
		c->next->prev = &c->next;
	r->clients = c;
	front_watch(c);
	return c;
}

/* The router stops: one that waits for nothing goes. */
void
front_drain(struct client *c)
{
	if (c->state == C_IDLE && c->conn.in.n == c->conn.in.at) {
		c->last = 1;
		front_run(c);
	} else if (c->x && !c->x->begun)
		c->x->keep = 0;
}
