/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "router.h"

/*
 * A request is sent again when the worker cannot have acted on it, or when
 * acting twice is the same as once (RFC 9110 9.2.2). On a Unix socket the
 * kernel tells more than on TCP: EPIPE before anything was taken means that
 * nothing was delivered; ECONNRESET on reading, that the worker closed with
 * bytes of ours unread, so a request of one send was never read whole.
 */

static int
idempotent(const struct exchange *x)
{
	switch (x->verb) {
	case VYX_METHOD_GET:
	case VYX_METHOD_HEAD:
	case VYX_METHOD_PUT:
	case VYX_METHOD_DELETE:
	case VYX_METHOD_OPTIONS:
		return 1;
	default:
		return 0;
	}
}

/* All of it is still there to be sent. */
static int
whole(const struct exchange *x)
{
	const struct vyx_half *out = &x->back->conn.out;

	return all_in(x) && out->hold;
}

/* The connection had ended before the worker could read the request. */
static int
unread(const struct exchange *x, int error)
{
	const struct back *b = x->back;

	return !b->conn.sent ||
	    (error == ECONNRESET && !x->t_byte && whole(x) && x->bodyless &&
	        b->sends == 1 && b->conn.out.at == b->conn.out.n);
}

static int
may(const struct exchange *x, int error)
{
	return x->attempt < ATTEMPTS &&
	    (unread(x, error) || (!x->t_byte && whole(x) && idempotent(x)));
}

/* Node says 408 on a connection it never got a request on: it was written
 * before ours came. */
int
retry_stale(const struct exchange *x)
{
	const struct back *b = x->back;

	return x->ans.code == 408 && !x->ans.keep && b->w->uses <= 1 &&
	    whole(x) && x->attempt < ATTEMPTS;
}

/* Another connection, with the place in the queue that it had. */
void
retry(struct exchange *x, enum vyx_pool_why why)
{
	struct back *b = x->back;

	x->r->counts.retries++;
	x->up = b->conn.out;
	x->up.at = 0;
	b->conn.out = (struct vyx_half){ 0 };
	back_leave(x, why);
	decide_acquire(x);
}

void
retry_or_fail(struct exchange *x, int error)
{
	enum vyx_pool_why why = error ? VYX_POOL_RESET : VYX_POOL_EOF;
	int again = may(x, error), owes = client_owes(x);

	/* Once is chance, and says nothing of the instance. The last time it
	 * is the client who hears of it, and counts if anything was sent. But
	 * workers do not wait for ever for who sends slowly. */
	if (x->back->conn.sent && !owes && !(again && unread(x, error)))
		pool_result(x, 0);
	if (again) {
		retry(x, why);
		return;
	}
	back_leave(x, why);
	if (owes)
		policy_leave(x, VYX_BREAKER_NEUTRAL);
	answer(x, 502, "bad gateway");
}
