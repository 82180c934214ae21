/* SPDX-License-Identifier: ISC */
#include "hello.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MS UINT64_C(1000000)
#define UNKNOWN UINT64_MAX /* a body whose length is not told ahead */

/*
 * Begin an answer: status line and fields, and whatever `more` has, whole
 * lines. `length` UNKNOWN: in chunks, or to the end of the connection for a
 * client of HTTP/1.0.
 */
static void
begin(struct hello_conn *c, uint64_t status, uint64_t length, const char *more)
{
	c->began = 1;
	c->framed = length == UNKNOWN && !c->req.old;
	if (length == UNKNOWN && c->req.old)
		c->req.close = 1;
	vyx_buf_fmt(&c->out, "HTTP/1.1 %llu %s\r\n", (unsigned long long)status,
	    status == 200 ? "OK" : "As Asked");
	if (c->framed)
		vyx_buf_puts(&c->out, "Transfer-Encoding: chunked\r\n");
	else if (length != UNKNOWN && status != 204 && status != 304)
		vyx_buf_fmt(&c->out, "Content-Length: %llu\r\n",
		    (unsigned long long)length);
	if (c->req.close)
		vyx_buf_puts(&c->out, "Connection: close\r\n");
	vyx_buf_puts(&c->out, more);
	vyx_buf_puts(&c->out, "\r\n");
	if (status == 204 || status == 304)
		c->mute = 1;
}

/* Send a piece of the body. */
static void
body(struct hello_conn *c, struct vyx_str s)
{
	if (c->mute || !s.n)
		return;
	if (c->framed)
		vyx_buf_fmt(&c->out, "%zx\r\n", s.n);
	vyx_buf_putstr(&c->out, s);
	if (c->framed)
		vyx_buf_puts(&c->out, "\r\n");
}

/* End a body in chunks, with these trailer lines. */
static enum hello_step
finish(struct hello_conn *c, const char *trailers)
{
	if (c->framed && !c->mute)
		vyx_buf_fmt(&c->out, "0\r\n%s\r\n", trailers);
	return HELLO_DONE;
}

static enum hello_step
whole(struct hello_conn *c, uint64_t status, struct vyx_str text)
{
	begin(c, status, text.n, "Content-Type: text/plain\r\n");
	body(c, text);
	return HELLO_DONE;
}

/* Bytes that tell their place: lines of 64, the same for any offset of it. */
static struct vyx_str
pattern(uint64_t n)
{
	static char block[HELLO_PIECE];

	if (!block[0])
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = i % 64 == 63 ? '\n' : (char)('0' + i % 64);
	return (struct vyx_str){ block, n < sizeof(block) ? n : sizeof(block) };
}

static enum hello_step
a_hello(struct hello_conn *c)
{
	return whole(c, 200, VYX_STR("hello\n"));
}

static enum hello_step
a_echo(struct hello_conn *c)
{
	struct vyx_str piece;
	int r;

	if (!c->began) {
		char type[256];

		if (c->req.expect) {
			c->req.expect = 0;
			vyx_buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
		}
		snprintf(type, sizeof(type), "Content-Type: %.*s\r\n",
		    c->req.type.n && c->req.type.n < 200 ? (int)c->req.type.n
		                                         : 10,
		    c->req.type.n && c->req.type.n < 200 ? c->req.type.p
		                                         : "text/plain");
		begin(c, 200, c->req.chunked ? UNKNOWN : c->req.length, type);
		return HELLO_MORE;
	}
	r = hello_body_next(c, &piece);
	if (r < 0)
		return HELLO_RESET;
	if (!r)
		return HELLO_READ;
	if (!piece.n)
		return finish(c, "");
	body(c, piece);
	return HELLO_MORE;
}

static enum hello_step
a_headers(struct hello_conn *c)
{
	return whole(c, 200, vyx_buf_str(&c->head));
}

static enum hello_step
a_sleep(struct hello_conn *c)
{
	if (!c->wake)
		c->wake = hello_now + c->arg[0] * MS;
	if (c->wake > hello_now)
		return HELLO_WAIT;
	c->wake = 0;
	return whole(c, 200, VYX_STR("slept\n"));
}

static enum hello_step
a_stream(struct hello_conn *c)
{
	if (!c->began)
		begin(c, 200, UNKNOWN, "Content-Type: text/plain\r\n");
	if (c->made == c->arg[0])
		return finish(c, "");
	if (c->wake > hello_now)
		return HELLO_WAIT;
	body(c, pattern(c->arg[1]));
	c->made++;
	c->wake = c->made < c->arg[0] ? hello_now + c->arg[2] * MS : 0;
	return HELLO_MORE;
}

static enum hello_step
a_bytes(struct hello_conn *c)
{
	struct vyx_str piece;

	if (!c->began)
		begin(c, 200, c->arg[0], "Content-Type: text/plain\r\n");
	if (c->made == c->arg[0] || c->mute)
		return HELLO_DONE;
	piece = pattern(c->arg[0] - c->made);
	body(c, piece);
	c->made += piece.n;
	return HELLO_MORE;
}

static enum hello_step
a_fail(struct hello_conn *c)
{
	return whole(c, c->arg[0] ? c->arg[0] : 500, VYX_STR("as asked\n"));
}

static enum hello_step
a_close(struct hello_conn *c)
{
	c->req.close = 1;
	return whole(c, 200, VYX_STR("closing\n"));
}

static enum hello_step
a_hangup(struct hello_conn *c)
{
	whole(c, 200, VYX_STR("kept, it said\n"));
	return HELLO_CUT;
}

static enum hello_step
a_reset(struct hello_conn *c)
{
	(void)c;
	return HELLO_RESET;
}

static enum hello_step
a_half(struct hello_conn *c)
{
	begin(c, 200, 100, "");
	body(c, pattern(50));
	return HELLO_CUT;
}

static enum hello_step
a_extra(struct hello_conn *c)
{
	whole(c, 200, VYX_STR("and more\n"));
	vyx_buf_puts(&c->out,
	    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstray\n");
	return HELLO_DONE;
}

static enum hello_step
a_count(struct hello_conn *c)
{
	char text[160];
	int n = snprintf(text, sizeof(text),
	    "{\"pid\":%ld,\"requests\":%llu,\"accepted\":%llu,\"open\":%llu}\n",
	    (long)getpid(), (unsigned long long)hello_count.requests,
	    (unsigned long long)hello_count.accepted,
	    (unsigned long long)hello_count.open);

	begin(c, 200, (uint64_t)n, "Content-Type: application/json\r\n");
	body(c, (struct vyx_str){ text, (size_t)n });
	return HELLO_DONE;
}

static enum hello_step
a_trailers(struct hello_conn *c)
{
	begin(c, 200, UNKNOWN,
	    "Content-Type: text/plain\r\nTrailer: X-Sum\r\n");
	body(c, VYX_STR("body\n"));
	return finish(c, "X-Sum: 42\r\n");
}

static enum hello_step
a_hints(struct hello_conn *c)
{
	vyx_buf_puts(&c->out,
	    "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
	return whole(c, 200, VYX_STR("hinted\n"));
}

/* From the 101 on, every byte comes back; no frames are looked at. */
static enum hello_step
a_ws(struct hello_conn *c)
{
	if (!c->req.proto.n)
		return whole(c, 426, VYX_STR("Upgrade: websocket, please\n"));
	if (!c->began) {
		c->began = 1;
		vyx_buf_puts(&c->out,
		    "HTTP/1.1 101 Switching Protocols\r\n"
		    "Connection: Upgrade\r\nUpgrade: ");
		vyx_buf_putstr(&c->out, c->req.proto);
		vyx_buf_puts(&c->out, "\r\n\r\n");
	}
	if (!c->in.n && c->made++)
		return HELLO_READ;
	vyx_buf_putstr(&c->out, vyx_buf_str(&c->in));
	c->in.n = 0;
	return HELLO_MORE;
}

static enum hello_step
a_none(struct hello_conn *c)
{
	return whole(c, 404, VYX_STR("vyx-hello knows no such path\n"));
}

static const struct hello_answer answers[] = {
	/* clang-format off */
	{ "hello",    0, a_hello },
	{ "echo",     1, a_echo },
	{ "headers",  0, a_headers },
	{ "sleep",    0, a_sleep },
	{ "stream",   0, a_stream },
	{ "bytes",    0, a_bytes },
	{ "fail",     0, a_fail },
	{ "early",    1, a_fail },
	{ "count",    0, a_count },
	{ "trailers", 0, a_trailers },
	{ "103",      0, a_hints },
	{ "ws",       1, a_ws },
	{ "close",    0, a_close },
	{ "hangup",   0, a_hangup },
	{ "reset",    0, a_reset },
	{ "half",     0, a_half },
	{ "extra",    0, a_extra },
	/* clang-format on */
};

const struct hello_answer *
hello_answer_find(struct hello_conn *c)
{
	static const struct hello_answer none = { "", 0, a_none };
	struct vyx_str path = c->req.wish.n ? c->req.wish : c->req.path;
	struct vyx_str name;

	path = vyx_str_cut(&path, '?');
	vyx_str_cut(&path, '/');
	name = path.p ? vyx_str_cut(&path, '/') : VYX_STR("");
	for (size_t i = 0; i < VYX_COUNT(c->arg); i++) {
		struct vyx_str word = { "", 0 };

		if (path.p)
			word = vyx_str_cut(&path, '/');
		if (!vyx_dec_scan(word, UINT64_MAX / MS / 2, &c->arg[i]))
			c->arg[i] = 0;
	}
	for (size_t i = 0; i < VYX_COUNT(answers); i++)
		if (vyx_str_eq(name, VYX_STRZ(answers[i].name)))
			return &answers[i];
	return &none;
}
