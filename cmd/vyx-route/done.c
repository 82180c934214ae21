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

/* ---- the line --------------------------------------------------------- */

static void
put_seconds(struct vyx_buf *b, const char *key, uint64_t ns)
{
	uint64_t us = ns / 1000;
	char frac[6];

	for (int i = 5; i >= 0; i--, us /= 10)
		frac[i] = (char)('0' + us % 10);
	vyx_buf_puts(b, key);
	vyx_buf_putu(b, us);
	vyx_buf_putc(b, '.');
	vyx_buf_put(b, frac, 6);
}

static void
put_text(struct vyx_buf *b, const char *key, struct vyx_str v)
{
	vyx_buf_puts(b, key);
	vyx_buf_json(b, v);
	vyx_buf_putc(b, '"');
}

static void
put_num(struct vyx_buf *b, const char *key, uint64_t v)
{
	vyx_buf_puts(b, key);
	vyx_buf_putu(b, v);
}

/* Names up to correlation_id are the contract's, in its order. */
static void
put_line(struct exchange *x, struct vyx_buf *b)
{
	struct router *r = x->r;
	struct vyx_str none = VYX_STR("-");

	vyx_buf_puts(b,
	    x->status >= 400 ? "{\"level\":\"warn\"" : "{\"level\":\"info\"");
	vyx_buf_puts(b, ",\"timestamp\":\"");
	vyx_buf_putstr(b, vyx_wall_stamp(&r->wall, r->loop.now));
	vyx_buf_puts(b, "\",\"message\":\"access\"");
	put_text(b, ",\"method\":\"", x->method.n ? x->method : none);
	put_text(b, ",\"path\":\"", x->path.n ? x->path : none);
	vyx_buf_puts(b, ",\"user_id\":\"-\"");
	put_num(b, ",\"status\":", x->status);
	put_seconds(b, ",\"latency\":", r->loop.now - x->t_start);
	put_text(b, ",\"correlation_id\":\"", x->id);
	put_text(b, ",\"client\":\"",
	    x->peer[0] ? VYX_STRZ(x->peer) : VYX_STR("unix"));
	put_num(b, ",\"bytes_in\":", x->in_bytes);
	put_num(b, ",\"bytes\":", x->out_bytes);
	if (x->worker)
		put_text(b, ",\"worker\":\"", VYX_STRZ(x->worker->id));
	if (x->attempt) {
		put_text(b, ",\"instance\":\"", VYX_STRZ(x->instance));
		put_num(b, ",\"attempt\":", x->attempt);
		put_seconds(b, ",\"wait\":", x->t_taken - x->t_start);
	}
	if (x->t_byte)
		put_seconds(b, ",\"worker_time\":", x->t_byte - x->t_taken);
	if (!x->ended)
		vyx_buf_puts(b, ",\"cut\":true");
	vyx_buf_puts(b, "}\n");
}

void
done(struct exchange *x)
{
	struct router *r = x->r;
	struct vyx_buf *b = vyx_lines_begin(&r->log);

	r->counts.requests++;
	r->counts.classes[x->status / 100]++;
	if (b) {
		put_line(x, b);
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
	struct vyx_buf canon = { 0 };

	if (x) {
		r->free_x = x->next;
		canon = x->canon;
	} else if ((x = malloc(sizeof *x)) == NULL)
		return NULL;
	/* The two parsers begin with a start of their own. */
	memset(&x->r, 0, sizeof *x - offsetof(struct exchange, r));
	x->r = r;
	x->client = c;
	x->peer = c->guest.text;
	x->front = &front_side;
	x->canon = canon;
	return x;
}

void
exchange_free(struct exchange *x)
{
	struct router *r = x->r;

	vyx_loop_cancel(&r->loop, &x->timer);
	vyx_half_free(&x->up, &r->slabs);
	if (x->table)
		vyx_plan_table_left(&r->plan, x->table);
	if (x->worker)
		vyx_plan_worker_left(&r->plan, x->worker);
	x->next = r->free_x;
	r->free_x = x;
}
