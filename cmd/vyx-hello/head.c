/* SPDX-License-Identifier: ISC */
#include "hello.h"

#include <string.h>

static struct vyx_str
trim(struct vyx_str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Whether the comma-separated `list` has `word`. */
static int
has_word(struct vyx_str list, struct vyx_str word)
{
	while (list.p)
		if (vyx_str_caseeq(trim(vyx_str_cut(&list, ',')), word))
			return 1;
	return 0;
}

static int
field(struct hello_req *r, struct vyx_str name, struct vyx_str value)
{
	if (vyx_str_caseeq(name, VYX_STR("Content-Length"))) {
		r->has_length = 1;
		return vyx_dec_scan(value, UINT64_MAX, &r->length);
	}
	if (vyx_str_caseeq(name, VYX_STR("Transfer-Encoding")))
		r->chunked = has_word(value, VYX_STR("chunked"));
	else if (vyx_str_caseeq(name, VYX_STR("Connection")))
		r->close = has_word(value, VYX_STR("close")) ||
		    (r->old && !has_word(value, VYX_STR("keep-alive")));
	else if (vyx_str_caseeq(name, VYX_STR("Expect")))
		r->expect = has_word(value, VYX_STR("100-continue"));
	else if (vyx_str_caseeq(name, VYX_STR("Upgrade")))
		r->proto = value;
	else if (vyx_str_caseeq(name, VYX_STR("Content-Type")))
		r->type = value;
	else if (vyx_str_caseeq(name, VYX_STR("Vyx-Hello")))
		r->wish = value;
	return 1;
}

int
hello_head_parse(struct hello_conn *c)
{
	struct vyx_str rest = vyx_buf_str(&c->head);
	struct vyx_str line = trim(vyx_str_cut(&rest, '\n'));
	struct hello_req *r = &c->req;

	memset(r, 0, sizeof(*r));
	r->method = vyx_str_cut(&line, ' ');
	if (!line.p || !r->method.n)
		return 0;
	r->path = vyx_str_cut(&line, ' ');
	if (!line.p || !vyx_str_starts(line, VYX_STR("HTTP/1.")))
		return 0;
	r->close = r->old = vyx_str_eq(line, VYX_STR("HTTP/1.0"));
	while (rest.p && rest.n) {
		struct vyx_str value = trim(vyx_str_cut(&rest, '\n'));
		struct vyx_str name;

		if (!value.n)
			break;
		name = vyx_str_cut(&value, ':');
		if (!value.p || !field(r, name, trim(value)))
			return 0;
	}
	c->left = r->length;
	c->body = r->chunked ? HELLO_SIZE
	    : r->length      ? HELLO_LENGTH
	                     : HELLO_END;
	return 1;
}

/* Take `n` bytes that are no body off the input. */
static void
skip(struct hello_conn *c, size_t n)
{
	vyx_buf_shift(&c->in, n);
}

/* One line of the chunked coding's own: 1 taken, 0 not whole yet, -1 bad. */
static int
body_line(struct hello_conn *c)
{
	const char *nl = c->in.n ? memchr(c->in.p, '\n', c->in.n) : NULL;
	struct vyx_str line;

	if (!nl)
		return c->in.n > HELLO_HEAD_MAX ? -1 : 0;
	line = trim((struct vyx_str){ c->in.p, (size_t)(nl - c->in.p) });
	if (c->body == HELLO_SIZE) {
		struct vyx_str size = trim(vyx_str_cut(&line, ';'));

		if (!vyx_hex_scan(size, UINT64_MAX, &c->left))
			return -1;
		c->body = c->left ? HELLO_CHUNK : HELLO_TRAILER;
	} else if (c->body == HELLO_CRLF) {
		if (line.n)
			return -1;
		c->body = HELLO_SIZE;
	} else if (!line.n) {
		c->body = HELLO_END;
	}
	skip(c, (size_t)(nl - c->in.p) + 1);
	return 1;
}

int
hello_body_next(struct hello_conn *c, struct vyx_str *piece)
{
	skip(c, c->took);
	c->took = 0;
	*piece = (struct vyx_str){ c->in.p, 0 };
	for (;;) {
		int r;

		if (c->body == HELLO_END)
			return 1;
		if (c->body == HELLO_LENGTH || c->body == HELLO_CHUNK)
			break;
		r = body_line(c);
		if (r != 1)
			return r;
	}
	if (!c->in.n)
		return 0;
	c->took = c->in.n < c->left ? c->in.n : (size_t)c->left;
	c->left -= c->took;
	if (!c->left)
		c->body = c->body == HELLO_CHUNK ? HELLO_CRLF : HELLO_END;
	*piece = (struct vyx_str){ c->in.p, c->took };
	return 1;
}
