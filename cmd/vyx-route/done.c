/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "router.h"
#include "wire/forward.h"

/*
 * HOP 6: the connection is free again, or was never needed. Figures, one
 * line of the access log, and the exchange goes back to the free ones.
 */

/* The client's, or a new one. */
struct vyx_str
request_id(struct exchange *x, const struct vyx_http1 *h)
{
	const struct vyx_http1_field *f =
	    h ? vyx_http1_find(h, VYX_H_X_REQUEST_ID) : NULL;

	if (f && vyx_forward_id(vyx_http1_str(h, f->value)))
		return vyx_http1_str(h, f->value);
	if (!vyx_wall_uuid(&x->r->wall, x->id_room))
		return VYX_STR("-");
	return (struct vyx_str){ x->id_room, VYX_UUID };
}

void
done(struct exchange *x)
{
	struct router *r = x->r;
	struct vyx_buf *b =
	    r->gate.log == LOG_OFF ? NULL : vyx_lines_begin(&r->log);

	policy_leave(x, VYX_BREAKER_NEUTRAL);
	r->counts.requests++;
	r->counts.classes[x->status / 100]++;
	if (b) {
		line_put(x, b);
		vyx_lines_end(&r->log);
	}
	if (x->client)
		front_over(x);
	exchange_free(x);
}

/* ---- the exchanges ---------------------------------------------------- */

struct exchange *
exchange_new(struct router *r, struct client *c)
{
	struct exchange *x = r->free_x;
	struct vyx_buf canon = { 0 }, user = { 0 };

	if (x) {
		r->free_x = x->next;
		canon = x->canon;
		user = x->user;
		user.n = 0;
	} else if ((x = malloc(sizeof *x)) == NULL)
		return NULL;
	/* The two parsers begin with a start of their own. */
	memset(&x->r, 0, sizeof *x - offsetof(struct exchange, r));
	x->r = r;
	x->client = c;
	x->peer = c->guest.text;
	x->front = &front_side;
	x->canon = canon;
	x->user = user;
	return x;
}

void
exchange_free(struct exchange *x)
{
	struct router *r = x->r;

	vyx_loop_cancel(&r->loop, &x->timer);
	vyx_half_free(&x->up, &r->slabs);
	doc_drop(x);
	stream_leave(x);
	if (x->table)
		vyx_plan_table_left(&r->plan, x->table);
	if (x->worker)
		vyx_plan_worker_left(&r->plan, x->worker);
	x->next = r->free_x;
	r->free_x = x;
}
