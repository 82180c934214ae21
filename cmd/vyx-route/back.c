/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "router.h"

/* A worker's connection, on loan from vyx-poold, and the answers on it. */

/* ---- the answer, in --------------------------------------------------- */

static void
read_answer(struct exchange *x)
{
	struct vyx_http1_limits lim = VYX_HTTP1_LIMITS;

	lim.head = head_limit(x->r);
	lim.fields = (uint32_t)x->r->plan.set.max_fields;
	x->headed = 0;
	vyx_http1_start(&x->ans, VYX_HTTP1_RESPONSE, &lim);
	x->ans.to_head = x->verb == VYX_METHOD_HEAD;
}

/* The whole answer is in: the connection is free before the client has it. */
static void
finish(struct back *b)
{
	struct exchange *x = b->x;
	struct vyx_conn *k = &b->conn;
	int left = k->in.n != k->in.at ? 1 : k->readable ? vyx_conn_peek(k) : 0;
	int clean = x->kept && !left && all_in(x) && k->out.n == k->out.at &&
	    !b->deaf && !k->eof;

	policy_leave(x, VYX_BREAKER_GOOD);
	b->x = NULL;
	x->back = NULL;
	vyx_half_free(&k->in, k->slabs);
	vyx_half_free(&k->out, k->slabs);
	if (clean)
		vyx_window_done(x->r->window, b->w, x->r->loop.now);
	else
		vyx_window_drop(x->r->window, b->w,
		    left > 0 ? VYX_POOL_BYTES : VYX_POOL_CLOSE, x->r->loop.now);
	pool_touch(x->r);
	back_ended(x);
}

/* Of the request there may be a rest that nobody wants. */
void
back_ended(struct exchange *x)
{
	x->ended = 1;
	stream_leave(x);
	if (!x->in_end && (x->chunked || x->in.left > HELD_BODY))
		x->keep = 0;
	if (x->in_end || !x->keep) {
		done(x);
		return;
	}
	x->discard = 1;
	if (x->stall_up)
		x->front->pull(x);
}

/* A head that is not the last, or asks for a tunnel. 0: wait or gone. */
static int
interim(struct back *b)
{
	struct exchange *x = b->x;

	if (x->ans.code == 101)
		pool_result(x, x->websocket && x->ans.websocket);
	if (x->ans.code == 101 && (!x->websocket || !x->ans.websocket)) {
		back_leave(x, VYX_POOL_ERROR);
		answer(x, 502, "unexpected upgrade");
		return 0;
	}
	if (x->ans.code == 101 && !vyx_window_tunnel(x->r->window, b->w)) {
		back_leave(x, VYX_POOL_CLOSE);
		answer(x, 503, "too many tunnels");
		return 0;
	}
	if (!x->front->head(x)) {
		x->stall_down = 1;
		return 0;
	}
	vyx_half_take(&b->conn.in, b->conn.slabs, x->ans.len);
	if (x->ans.code == 101) {
		policy_answered(x);
		x->status = 101;
		x->begun = x->tunnel = 1;
		x->r->counts.tunnels++;
		pool_touch(x->r);
		front_tunnel(x);
		return 0;
	}
	if (x->ans.code == 100)
		x->expects = 0;
	read_answer(x);
	return 1;
}

/* 1: go on; 0: wait, or the exchange has left. */
static int
head(struct back *b)
{
	struct exchange *x = b->x;

	if (x->ans.code < 200)
		return interim(b);
	if (retry_stale(x)) {
		retry(x, VYX_POOL_CLOSE);
		return 0;
	}
	if (!x->front->head(x)) {
		x->stall_down = 1;
		return 0;
	}
	policy_answered(x);
	b->conn.out.hold = 0; /* there will be no other try */
	vyx_half_take(&b->conn.out, b->conn.slabs, 0);
	pool_result(x, x->ans.code < 500 || x->ans.code == 501);
	x->kept = x->ans.keep;
	vyx_window_says(x->r->window, b->w, x->kept);
	pool_touch(x->r);
	vyx_body_start(&x->from, &x->ans);
	vyx_half_take(&b->conn.in, b->conn.slabs, x->ans.len);
	x->ans.lim.head = TRAILERS_MAX; /* it reads those from here on */
	decide_watch(x);
	return 1;
}

static int
more(struct back *b)
{
	struct exchange *x = b->x;
	/* No more than can be passed on: nothing is to lie in two buffers. */
	size_t most = x->begun ? x->front->room(x) : AHEAD_LEAST;

	if (vyx_conn_recv(&b->conn, most)) {
		if (!x->t_byte) {
			x->t_byte = x->r->loop.now;
			vyx_window_byte(x->r->window, b->w);
		}
		return 1;
	}
	if (!b->conn.eof && !b->conn.error)
		return 0;
	if (x->begun && !b->conn.error && vyx_body_eof(&x->from)) {
		x->front->end(x, NULL);
		finish(b);
	} else if (x->begun) {
		decide_cut(x);
	} else
		retry_or_fail(x, b->conn.error);
	return 0;
}

/* The head, read once: it may be here again when it found no room. */
static enum vyx_http1_got
parse(struct exchange *x, const struct vyx_half *in)
{
	struct vyx_str s = vyx_half_str(in);

	x->ans.base = s.p;
	return x->headed ? VYX_HTTP1_DONE : vyx_http1_parse(&x->ans, s.p, s.n);
}

static int
step(struct back *b)
{
	struct exchange *x = b->x;
	struct vyx_half *in = &b->conn.in;

	if (!x->begun) {
		switch (parse(x, in)) {
		case VYX_HTTP1_DONE:
			x->headed = 1;
			return head(b);
		case VYX_HTTP1_MORE:
			return more(b);
		case VYX_HTTP1_BAD:
			vyx_log(VYX_WARN, "answer refused", "worker",
			    x->worker->id, "instance", x->instance, "why",
			    x->ans.why, NULL);
			pool_result(x, 0);
			back_leave(x, VYX_POOL_ERROR);
			answer(x, 502, "bad gateway");
			return 0;
		}
	}
	switch (relay(x, x->front, &x->from, in, &x->ans)) {
	case RELAY_FULL:
		x->stall_down = 1;
		front_slow(x);
		return 0;
	case RELAY_MORE:
		return more(b);
	case RELAY_END:
		finish(b);
		return 0;
	case RELAY_BAD:
		decide_cut(x);
		break;
	}
	return 0;
}

void
back_run(struct back *b)
{
	while (step(b))
		;
}

void
back_pull(struct exchange *x)
{
	x->stall_down = 0;
	x->stalled += x->r->loop.now - x->back->conn.last_in;
	x->back->conn.last_in = x->r->loop.now; /* it was us who did not read */
	back_run(x->back);
}

/* ---- events ----------------------------------------------------------- */

static void
on_event(struct vyx_conn *k, uint32_t events)
{
	struct back *b = VYX_OF(k, struct back, conn);
	struct exchange *x = b->x;
	int there;

	(void)events;
	if (!b->w)
		return;
	if (x && x->tunnel)
		relay_tunnel(x);
	else if (x && b->began != k->loop->now)
		back_run(b);
	else if ((there = vyx_conn_peek(k)) == 0)
		k->readable = k->hup = 0; /* read before it was told */
	else if (x) /* older than the request, which has not left yet */
		retry(x, there > 0 ? VYX_POOL_BYTES : VYX_POOL_EOF);
	else {
		vyx_window_hangup(b->r->window, b->w, there > 0, k->loop->now);
		pool_touch(b->r);
	}
}

static void
on_sent(struct vyx_conn *k)
{
	struct back *b = VYX_OF(k, struct back, conn);
	struct exchange *x = b->x;

	if (!x)
		return;
	if (x->tunnel) {
		relay_sent(x);
		return;
	}
	b->sends++;
	if (k->error && !k->sent) {
		retry_or_fail(x, EPIPE);
		return;
	}
	if (k->error) {
		/* It reads no more; it may have answered before. */
		b->deaf = 1;
		k->error = 0;
		k->readable = 1;
		back_run(b);
		return;
	}
	if (all_in(x) && k->out.n == k->out.at && !x->t_byte)
		vyx_window_sent(b->r->window, b->w, k->loop->now);
	if (x->stall_up && back_side.room(x))
		x->front->pull(x);
}

static void
reap(struct vyx_task *t)
{
	struct back *b = VYX_OF(t, struct back, reap);

	b->next = b->r->free_back;
	b->r->free_back = b;
}

int
back_adopt(void *arg, struct vyx_wconn *w)
{
	struct router *r = arg;
	struct back *b = r->free_back;

	if (b)
		r->free_back = b->next;
	else if ((b = calloc(1, sizeof *b)) == NULL)
		return 0;
	b->r = r;
	b->w = w;
	b->x = NULL;
	b->conn.loop = &r->loop;
	b->conn.slabs = &r->slabs;
	b->conn.on_event = on_event;
	b->conn.on_sent = on_sent;
	b->reap.fn = reap;
	w->user = b;
	if (vyx_conn_open(&b->conn, w->fd, 1))
		return 1;
	vyx_log_sys(VYX_ERROR, "cannot watch a connection", NULL);
	return 0; /* back_let() follows */
}

void
back_let(void *arg, struct vyx_wconn *w, int how)
{
	struct back *b = w->user;

	if (!b)
		return;
	(void)arg;
	w->user = NULL;
	b->w = NULL;
	vyx_conn_close(&b->conn, how);
	vyx_loop_defer(&b->r->loop, &b->reap);
}

/* Whether w, just taken, is as it was when it came to rest; else it goes. What
 * ended one connection may have ended others that the loop tells of later. */
int
back_sound(struct router *r, struct vyx_wconn *w)
{
	struct back *b = w->user;
	int there = vyx_conn_peek(&b->conn);

	if (!there)
		return 1;
	vyx_window_hangup(r->window, w, there > 0, r->loop.now);
	return 0;
}

/* HOP 3 ends here: x has the connection w. */
void
back_start(struct exchange *x, struct vyx_wconn *w)
{
	struct back *b = w->user;
	struct vyx_str inst = vyx_window_inst(w);

	b->x = x;
	x->back = b;
	x->attempt++;
	memcpy(x->instance, inst.p, inst.n);
	x->instance[inst.n] = '\0';
	b->began = x->t_taken = x->r->loop.now;
	b->sends = 0;
	b->deaf = 0;
	b->conn.sent = 0;
	b->conn.last_in = x->r->loop.now;
	b->conn.out = x->up;
	x->up = (struct vyx_half){ 0 };
	x->t_byte = 0;
	read_answer(x);
	vyx_conn_wrote(&b->conn, 0);
	if (x->stall_up)
		x->front->pull(x);
}

/* It goes, and the request with it. */
void
back_leave(struct exchange *x, enum vyx_pool_why why)
{
	struct back *b = x->back;
	struct router *r = x->r;

	x->back = NULL;
	b->x = NULL;
	if (why != VYX_POOL_ABORT)
		vyx_window_drop(r->window, b->w, why, r->loop.now);
	else if (b->conn.sent)
		vyx_window_abort(r->window, b->w, r->loop.now);
	else { /* it has heard nothing of it */
		vyx_half_free(&b->conn.out, &r->slabs);
		vyx_window_done(r->window, b->w, r->loop.now);
	}
	pool_touch(r);
}
