/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <sys/socket.h>

#include "router.h"
#include "wire/forward.h"

/*
 * A client's connection.
 *
 *	IDLE -byte-> HEAD -head-> BUSY -answered-> IDLE
 *	BUSY -101-> TUNNEL;  any -last answer sent-> LINGER -> DEAD
 */

#define LINGER_NS (UINT64_C(2) * VYX_SEC) /* for a client to read the last */

void
client_state(struct client *c, enum client_state s)
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
	vyx_doors_left(&c->r->doors, &c->guest);
	if (c->r->draining && !c->r->doors.clients)
		vyx_loop_stop(&c->r->loop);
	free(c);
}

/* Whatever it was doing is over. Freed at the end of the turn. */
void
client_close(struct client *c)
{
	struct exchange *x = c->x;

	if (c->state == C_DEAD)
		return;
	client_state(c, C_DEAD);
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
void
client_last(struct client *c)
{
	shutdown(c->conn.io.fd, SHUT_WR);
	vyx_half_free(&c->conn.in, &c->r->slabs);
	client_state(c, C_LINGER);
}

/* What he did not take is thrown away: closed, the kernel would go on giving
 * it to him, byte by byte, for hours. */
void
client_reset(struct client *c)
{
	struct linger now = { 1, 0 };

	setsockopt(c->conn.io.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	client_close(c);
}

/* ---- events ----------------------------------------------------------- */

static void
on_event(struct vyx_conn *k, uint32_t events)
{
	struct client *c = VYX_OF(k, struct client, conn);

	/* Both ways are closed: also when content is yet to be read. */
	if (c->state == C_BUSY && events & (EPOLLHUP | EPOLLERR))
		client_close(c);
	if (c->state != C_DEAD)
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
		client_close(c);
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
		c->x->verb = c->x->req.method;
		c->x->id = request_id(c->x, NULL);
		c->x->t_start = c->since;
		client_state(c, C_BUSY);
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
		/* or the kernel would go on to hold what he does not read */
		if (c->state == C_BUSY || c->conn.out.n != c->conn.out.at)
			client_reset(c);
		else
			client_close(c);
	}
}

/*
 * What waits to leave must leave at body_min_rate, counted over each
 * write_timeout in which there was always something: one byte now and then
 * would hold a worker's connection for hours.
 */
static uint64_t
write_due(struct client *c)
{
	const struct vyx_plan_settings *s = &c->r->plan.set;
	uint64_t now = c->r->loop.now, due;

	if (c->conn.out.n == c->conn.out.at) {
		c->pace_due = 0;
		return UINT64_MAX;
	}
	if (!c->pace_due || (now >= c->pace_due && c->conn.sent >= c->pace)) {
		c->pace_due = now + s->write_timeout;
		c->pace = c->conn.sent +
		    s->write_timeout / VYX_SEC * s->body_min_rate;
	}
	due = c->conn.last_out + s->write_timeout;
	return due < c->pace_due ? due : c->pace_due;
}

/* When the client has been too slow, were nothing to come from now on. */
static uint64_t
patience(struct client *c)
{
	const struct vyx_plan_settings *s = &c->r->plan.set;
	const struct exchange *x = c->x;
	uint64_t due = write_due(c), d;

	if (due == UINT64_MAX && c->state == C_IDLE)
		due = c->since + s->idle_timeout;
	if (c->state == C_HEAD)
		due = c->since + s->header_timeout;
	if (c->state == C_LINGER)
		due = c->since + LINGER_NS;
	if (c->state != C_BUSY || !client_owes(x))
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
		client_watch(c);
	else
		too_slow(c);
}

/* Moving a timer to later costs a store. */
void
client_watch(struct client *c)
{
	uint64_t due = patience(c);

	if (due == UINT64_MAX)
		vyx_loop_cancel(&c->r->loop, &c->timer);
	else if (!vyx_loop_timer(&c->r->loop, &c->timer, due))
		client_close(c);
}

/* His address has too many connections. */
static void
refuse(struct client *c)
{
	char out[VYX_FORWARD_MORE];
	struct vyx_forward_own f = { .status = 429,
		.text = "too many connections",
		.more = VYX_STR("Retry-After: 1\r\n"),
		.id = VYX_STR("-"),
		.date = vyx_wall_date(&c->r->wall, c->r->loop.now),
		.bare = !c->r->plan.set.security_headers };
	size_t n = vyx_forward_own(out, sizeof out, &f);
	char *room = vyx_conn_room(&c->conn, n);

	c->r->counts.refused++;
	if (room) {
		memcpy(room, out, n);
		vyx_conn_wrote(&c->conn, n);
	}
	c->last = 1;
}

int
client_accept(struct vyx_doors *d, int fd, const struct vyx_guest *g, int over)
{
	struct router *r = VYX_OF(d, struct router, doors);
	struct client *c = calloc(1, sizeof *c);

	if (!c)
		return 0;
	c->r = r;
	c->guest = *g;
	c->conn = (struct vyx_conn){ .loop = &r->loop,
		.slabs = &r->slabs,
		.on_event = on_event,
		.on_sent = on_sent };
	c->timer.fn = on_timer;
	c->run.fn = run_later;
	c->reap.fn = reap;
	if (!vyx_conn_open(&c->conn, fd, g->local)) {
		free(c);
		return 0;
	}
	client_state(c, C_IDLE);
	c->prev = &r->clients;
	if ((c->next = r->clients) != NULL)
		c->next->prev = &c->next;
	r->clients = c;
	/* a proxy that is trusted speaks for many */
	if (over && !vyx_cidrs_have(&r->gate.trusted, g->local ? NULL : g->ip))
		refuse(c);
	client_watch(c);
	return 1;
}

/* The router stops: one that waits for nothing goes. */
void
client_drain(struct client *c)
{
	if (c->state == C_IDLE && c->conn.in.n == c->conn.in.at) {
		c->last = 1;
		front_run(c);
	} else if (c->x && !c->x->begun)
		c->x->keep = 0;
}
