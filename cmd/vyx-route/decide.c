/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "router.h"
#include "wire/path.h"

/*
 * What becomes of a request: a worker, or an answer of our own. Each check
 * looks at the head alone.
 */

#define RETRY_AFTER VYX_STR("Retry-After: 1\r\n")
#define METHODS "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n"

static void
own(struct exchange *x, unsigned status, const char *text, struct vyx_str json,
    struct vyx_str more)
{
	if (x->back)
		back_side.abort(x);
	vyx_window_cancel(x->r->window, &x->wait);
	if (x->attempt && (status == 502 || status == 504))
		policy_leave(x, VYX_BREAKER_BAD);
	if (x->begun) { /* too late to say it */
		x->front->abort(x);
		return;
	}
	if (!x->in_end &&
	    (status == 400 || status == 408 || status == 413 || x->expects ||
	        x->chunked || x->in.left > HELD_BODY))
		x->keep = 0;
	if (x->r->draining)
		x->keep = 0;
	x->refuse = 0; /* what is yet to come is read, and not looked at */
	x->status = status;
	x->begun = 1;
	write_own(x, status, text, json, more);
	back_ended(x);
}

void
answer_json(struct exchange *x, unsigned status, struct vyx_str json,
    struct vyx_str more)
{
	own(x, status, NULL, json, more);
}

void
answer_more(struct exchange *x, unsigned status, const char *text,
    struct vyx_str more)
{
	own(x, status, text, VYX_STR(""), more);
}

void
answer(struct exchange *x, unsigned status, const char *text)
{
	answer_more(x, status, text,
	    status == 503 || status == 504 ? RETRY_AFTER : VYX_STR(""));
}

/* The worker broke off in mid-answer: so must we. It has not failed when it
 * could not get rid of it, for it may have a time-out. */
void
decide_cut(struct exchange *x)
{
	policy_leave(x,
	    x->stalled < VYX_SEC ? VYX_BREAKER_BAD : VYX_BREAKER_NEUTRAL);
	if (x->back)
		back_leave(x,
		    x->back->conn.error ? VYX_POOL_RESET : VYX_POOL_EOF);
	x->front->abort(x);
}

/* The client has gone. */
void
decide_gone(struct exchange *x)
{
	vyx_window_cancel(x->r->window, &x->wait);
	pool_touch(x->r);
	if (x->back && x->tunnel)
		back_leave(x, VYX_POOL_CLOSE);
	else if (x->back)
		back_side.abort(x);
	if (!x->ended)
		x->r->counts.aborted++;
	if (!x->begun)
		x->status = 499;
	done(x);
}

/* The one form of the path; 0: answered. */
static int
canonical(struct exchange *x)
{
	struct vyx_http1 *h = &x->req;
	struct vyx_str raw = vyx_http1_str(h, h->path);

	if (h->form == VYX_HTTP1_ASTERISK) {
		x->path = VYX_STR("*");
		return 1;
	}
	if (h->plain && raw.n) {
		x->path = raw;
		return 1;
	}
	x->path = raw.n ? raw : VYX_STR("/");
	x->canon.n = 0;
	if (!vyx_buf_room(&x->canon, h->lim.target)) {
		answer(x, 500, "out of memory");
		return 0;
	}
	if (vyx_path_canon(raw, x->canon.p, h->lim.target, &x->path))
		return 1;
	answer(x, errno == ENAMETOOLONG ? 414 : 400, "invalid path");
	return 0;
}

/* What needs no worker. 0: answered. */
static int
plain_checks(struct exchange *x)
{
	const struct vyx_http1 *h = &x->req;
	uint64_t max = policy_payload(x);

	if (h->has_length && max && h->length > max)
		answer(x, 413, "payload too large");
	else if (x->verb == VYX_METHOD_TRACE)
		answer_more(x, 405, "method not allowed", VYX_STR(METHODS));
	else if (h->form == VYX_HTTP1_ASTERISK)
		answer_more(x, 200, NULL, VYX_STR(METHODS));
	else
		return 1;
	return 0;
}

static void
not_allowed(struct exchange *x, const struct vyx_route_hit *hit)
{
	char line[1024] = "Allow: ";
	size_t n = 7;

	n += vyx_route_allow(x->table->routes, hit, line + n,
	    sizeof line - n - 2);
	memcpy(line + n, "\r\n", 2);
	answer_more(x, 405, "method not allowed",
	    (struct vyx_str){ line, n + 2 });
}

/* HOP 2 begins here. */
static enum vyx_route_got
find(struct exchange *x, struct vyx_route_hit *hit)
{
	const struct vyx_http1 *h = &x->req;
	struct vyx_route_query q = { .host = vyx_http1_str(h, h->host),
		.path = x->path,
		.method = x->verb,
		.method_name = x->method,
		.websocket = h->websocket };
	enum vyx_route_got got;

	if (!(x->table = x->r->plan.table))
		return VYX_ROUTE_NONE;
	x->table->refs++;
	got = vyx_route_match(x->table->routes, &q, hit);
	if (got == VYX_ROUTE_HIT) {
		x->target = hit->user;
		x->policy = x->target->policy;
		x->websocket = (uint8_t)hit->websocket;
	}
	return got;
}

/* 0: answered. */
static int
routed(struct exchange *x, enum vyx_route_got got,
    const struct vyx_route_hit *hit)
{
	if (!x->table) {
		answer(x, 503, "no routes yet");
		return 0;
	}
	if (got == VYX_ROUTE_NONE) {
		answer(x, 404, "route not found");
		return 0;
	}
	if (x->policy && x->policy->unusable) {
		answer(x, 503, "route cannot be used");
		return 0;
	}
	if (!policy_preflight(x))
		return 0;
	if (got == VYX_ROUTE_METHOD)
		not_allowed(x, hit);
	else if (got == VYX_ROUTE_UPGRADE)
		answer_more(x, 426, "upgrade required",
		    VYX_STR("Upgrade: websocket\r\nConnection: Upgrade\r\n"));
	else {
		x->worker = x->target->worker;
		x->worker->refs++;
		return 1;
	}
	return 0;
}

static int
may_pass(struct exchange *x)
{
	if (x->req.max_forwards == 0)
		answer_more(x, 200, NULL, VYX_STR(METHODS));
	else if (!policy_open(x))
		return 0;
	else if (vyx_plan_up(x->worker))
		return 1;
	else
		answer(x, 503,
		    x->worker->draining ? "worker draining"
		                        : "worker not ready");
	return 0;
}

/* One timer: until the answer begins, then over silences in it. */
static uint64_t
due(const struct exchange *x)
{
	const struct vyx_plan_settings *s = &x->r->plan.set;
	uint64_t last;

	if (!x->begun)
		return client_owes(x) ? UINT64_MAX
		                      : x->t_moved + policy_timeout(x);
	if (!x->back || x->stall_down)
		return UINT64_MAX;
	last = x->back->conn.last_in;
	if (!x->tunnel)
		return s->answer_timeout ? last + s->answer_timeout
		                         : UINT64_MAX;
	if (x->client->conn.last_in > last)
		last = x->client->conn.last_in;
	return s->tunnel_timeout ? last + s->tunnel_timeout : UINT64_MAX;
}

/* Who sends slowly does not keep others from trying a worker that failed. */
static uint64_t
trial_due(const struct exchange *x)
{
	return x->permit.held && x->permit.trial
	    ? x->wait.since + policy_timeout(x)
	    : UINT64_MAX;
}

/* Set the timer: at what is due, or to look again in a while. */
void
decide_watch(struct exchange *x)
{
	uint64_t at = due(x), trial = trial_due(x);

	if (trial < at)
		at = trial;

	if (at == UINT64_MAX)
		at = x->r->loop.now + (x->begun ? VYX_SEC : policy_timeout(x));
	vyx_loop_timer(&x->r->loop, &x->timer, at);
}

static void
on_timer(struct vyx_timer *t)
{
	struct exchange *x = VYX_OF(t, struct exchange, timer);
	uint64_t now = x->r->loop.now;

	if (due(x) > now) {
		if (trial_due(x) <= now)
			policy_leave(x, VYX_BREAKER_NEUTRAL);
		decide_watch(x);
		return;
	}
	/* the worker's fault; not when its head is there and the client does
	 * not take it */
	if (x->back && !x->begun) {
		if (!x->stall_down)
			pool_result(x, 0);
		else
			policy_leave(x, VYX_BREAKER_NEUTRAL);
	}
	if (x->back)
		back_leave(x, VYX_POOL_TIMEOUT);
	if (x->begun) {
		policy_leave(x, VYX_BREAKER_BAD);
		x->front->abort(x);
	} else
		answer(x, 504, "upstream timeout");
}

/* To a worker, if the breaker lets it. */
void
decide_enter(struct exchange *x)
{
	if (policy_enter(x))
		decide_acquire(x);
}

static void
acquire(struct exchange *x)
{
	if (stream_enter(x))
		decide_enter(x);
}

void
decide(struct exchange *x)
{
	struct vyx_route_hit hit;
	enum vyx_route_got got;

	x->timer.fn = on_timer;
	policy_client(x);
	if (!canonical(x))
		return;
	got = find(x, &hit);
	decide_watch(x);
	x->cors = (uint8_t)policy_browser(x);
	if (!policy_rate(x) || !plain_checks(x) || !routed(x, got, &hit) ||
	    !may_pass(x) || !policy_token(x) || !doc_begin(x))
		return;
	if (!back_side.head(x)) {
		answer(x, 500, "out of memory");
		return;
	}
	x->hold_all = x->doc_on ||
	    (!x->in_end && !x->chunked && !x->expects &&
	        x->in.left <= HELD_BODY && x->in.left <= back_side.room(x));
	if (!x->hold_all)
		acquire(x);
}

/* The request's content is all there. */
void
decide_body(struct exchange *x)
{
	int stood = stream_leave(x);

	if (x->discard)
		done(x);
	else if (stood)
		decide_enter(x);
	else if (x->doc_on && !doc_check(x))
		return;
	else if (x->hold_all && !x->back) {
		if (!x->doc_on || doc_feed(x))
			acquire(x);
	} else if (x->back && x->back->conn.out.at == x->back->conn.out.n)
		vyx_window_sent(x->r->window, x->back->w, x->r->loop.now);
}

/* HOP 3 begins here: an idle connection, or the queue. */
void
decide_acquire(struct exchange *x)
{
	struct router *r = x->r;
	struct vyx_wworker *ww = x->worker->window;
	struct vyx_wconn *w;

	if (!x->attempt)
		x->wait.since = r->loop.now;
	while ((w = vyx_window_take(r->window, ww, r->loop.now)) != NULL)
		if (!x->attempt || back_sound(r, w)) {
			back_start(x, w);
			return;
		}
	/* a retry has its old place, but what its worker took was no wait */
	x->wait.deadline = r->loop.now + x->worker->wait_ns;
	if (!vyx_window_wait(r->window, ww, &x->wait, r->loop.now))
		answer(x, 503, "too many requests wait");
	pool_touch(r);
}

void
decide_expired(struct exchange *x)
{
	answer(x, 504, "upstream timeout");
}
