/* SPDX-License-Identifier: ISC */
#include "router.h"

/* The line of the access log that each request has: vyx-route(8) names its
 * parts. */

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

static struct vyx_str
client(const struct exchange *x)
{
	return x->peer[0] ? VYX_STRZ(x->peer) : VYX_STR("unix");
}

/* Names up to correlation_id are the contract's, in its order. */
static void
put_json(struct exchange *x, struct vyx_buf *b)
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
	put_text(b, ",\"user_id\":\"",
	    x->user.n ? vyx_buf_str(&x->user) : none);
	put_num(b, ",\"status\":", x->status);
	put_seconds(b, ",\"latency\":", r->loop.now - x->t_start);
	put_text(b, ",\"correlation_id\":\"", x->id);
	put_text(b, ",\"client\":\"", client(x));
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
	if (x->traced) {
		vyx_buf_puts(b, ",\"trace_id\":\"");
		vyx_buf_put(b, x->trace + 3, 32);
		vyx_buf_putc(b, '"');
	}
	if (!x->ended)
		vyx_buf_puts(b, ",\"cut\":true");
	vyx_buf_puts(b, "}\n");
}

/* For people: TIME CLIENT USER "METHOD PATH" STATUS BYTES SECONDS ID, and the
 * instance that answered. What is in quotes is escaped as in JSON. */
static void
put_plain(struct exchange *x, struct vyx_buf *b)
{
	struct router *r = x->r;
	struct vyx_str none = VYX_STR("-");

	vyx_buf_putstr(b, vyx_wall_stamp(&r->wall, r->loop.now));
	vyx_buf_putc(b, ' ');
	vyx_buf_putstr(b, client(x));
	put_text(b, " \"", x->user.n ? vyx_buf_str(&x->user) : none);
	vyx_buf_puts(b, " \"");
	vyx_buf_json(b, x->method.n ? x->method : none);
	vyx_buf_putc(b, ' ');
	vyx_buf_json(b, x->path.n ? x->path : none);
	put_num(b, "\" ", x->status);
	put_num(b, " ", x->out_bytes);
	put_seconds(b, " ", r->loop.now - x->t_start);
	vyx_buf_putc(b, ' ');
	vyx_buf_putstr(b, x->id);
	vyx_buf_putc(b, ' ');
	vyx_buf_putstr(b, x->attempt ? VYX_STRZ(x->instance) : none);
	vyx_buf_puts(b, x->ended ? "\n" : " cut\n");
}

void
line_put(struct exchange *x, struct vyx_buf *b)
{
	if (x->r->gate.log == LOG_TEXT)
		put_plain(x, b);
	else
		put_json(x, b);
}
