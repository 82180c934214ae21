/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "router.h"
#include "wire/forward.h"

/*
 * HOP 6: the connection is free again, or was never needed. Figures, one
 * line of the access log, and the exchange goes back to the free ones.
 */

/* ---- clocks ----------------------------------------------------------- */

/* The wall clock is read once a second; between, the monotonic one moves it. */
static uint64_t
wall_ms(struct router *r)
{
	struct timespec t;

	if (r->loop.now >= r->wall_next) {
		clock_gettime(CLOCK_REALTIME, &t);
		r->wall_ms = (uint64_t)t.tv_sec * 1000 +
		    (uint64_t)t.tv_nsec / 1000000 - r->loop.now / VYX_MS;
		r->wall_next = r->loop.now + VYX_SEC;
	}
	return r->wall_ms + r->loop.now / VYX_MS;
}

/* RFC 9110 5.6.7 */
struct vyx_str
clock_date(struct router *r)
{
	time_t s = (time_t)(wall_ms(r) / 1000);
	struct tm tm;

	if (s != r->date_at) {
		r->date_at = s;
		gmtime_r(&s, &tm);
		strftime(r->date, sizeof r->date, "%a, %d %b %Y %H:%M:%S GMT",
		    &tm);
	}
	return (struct vyx_str){ r->date, 29 };
}

static void
put_stamp(struct router *r, struct vyx_buf *b)
{
	uint64_t ms = wall_ms(r);
	time_t s = (time_t)(ms / 1000);
	unsigned m = (unsigned)(ms % 1000);
	char frac[6] = { '.', (char)('0' + m / 100), (char)('0' + m / 10 % 10),
		(char)('0' + m % 10), 'Z', '\0' };
	struct tm tm;

	if (s != r->stamp_at) {
		r->stamp_at = s;
		gmtime_r(&s, &tm);
		strftime(r->stamp, sizeof r->stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	}
	vyx_buf_put(b, r->stamp, 19);
	vyx_buf_put(b, frac, 5);
}

/* ---- request ids ------------------------------------------------------ */

static void
hex(char *out, const unsigned char *in, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digit[in[i] >> 4];
		out[2 * i + 1] = digit[in[i] & 15];
	}
}

/* The client's, or a new one: RFC 9562 5.4, version 4. */
struct vyx_str
request_id(struct exchange *x, const struct vyx_http1 *h)
{
	struct router *r = x->r;
	const struct vyx_http1_field *f =
	    h ? vyx_http1_find(h, VYX_H_X_REQUEST_ID) : NULL;
	unsigned char *u;
	char *o = x->id_room;

	if (f && vyx_forward_id(vyx_http1_str(h, f->value)))
		return vyx_http1_str(h, f->value);
	if (r->random_n < 16) {
		if (getrandom(r->random, sizeof r->random, 0) !=
		    sizeof r->random)
			vyx_die_sys(VYX_SYSTEM, "getrandom");
		r->random_n = sizeof r->random;
	}
	u = r->random + (r->random_n -= 16);
	u[6] = (unsigned char)((u[6] & 15) | 0x40);
	u[8] = (unsigned char)((u[8] & 63) | 0x80);
	hex(o, u, 4);
	hex(o + 9, u + 4, 2);
	hex(o + 14, u + 6, 2);
	hex(o + 19, u + 8, 2);
	hex(o + 24, u + 10, 6);
	o[8] = o[13] = o[18] = o[23] = '-';
	return (struct vyx_str){ o, 36 };
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
	put_stamp(r, b);
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
	x->peer = c->peer;
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
		table_drop(r, x->table);
	if (x->worker)
		worker_left(r, x->worker);
	x->next = r->free_x;
	r->free_x = x;
}
