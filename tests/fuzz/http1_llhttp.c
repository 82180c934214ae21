/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "wire/http1.h"

/*
 * What http1 accepts, llhttp must accept in its strict mode, with the same
 * method, target, fields, framing and end. That http1 refuses more is meant.
 * Not compared, because llhttp is known to differ where the RFC is with us:
 *	methods it has no number for; HTTP/1.2 to 1.9 (RFC 9110 2.5);
 *	blanks before a colon in a response (RFC 9112 5.1) and before a chunk
 *	extension (7.1.1), which a recipient must bear;
 *	what a chunk extension holds: any bytes but controls here;
 *	a message behind 101 or an upgrade: llhttp leaves HTTP there;
 *	framing fields in an answer that has no content by its status (9112
 *	6.3, 1): llhttp heeds them;
 *	a tab behind the value of a framing field (9112 5): llhttp refuses;
 *	trailer fields that must not be there: llhttp heeds or refuses them;
 *	the empty line it allows many of before a request.
 */

/* Debian's node-llhttp; the Makefile compiles its sources beside this. */
#define LLHTTP_STRICT_MODE 1
#include "/usr/share/include/llhttp/llhttp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())
#define TEXT 65536

/* What llhttp told: one text for names and values, one for content. */
struct heard {
	llhttp_t parser;
	char url[TEXT], field[TEXT], body[TEXT];
	size_t nurl, nfield, nbody;
	int head, end, no_body;
};

static int
add(char *to, size_t *n, const char *p, size_t len)
{
	CHECK(*n + len + 2 < TEXT);
	memcpy(to + *n, p, len);
	*n += len;
	return 0;
}

#define HEARD(p) VYX_OF(p, struct heard, parser)

static int
on_url(llhttp_t *l, const char *p, size_t n)
{
	return add(HEARD(l)->url, &HEARD(l)->nurl, p, n);
}

static int
on_field(llhttp_t *l, const char *p, size_t n)
{
	return add(HEARD(l)->field, &HEARD(l)->nfield, p, n);
}

static int
on_name_end(llhttp_t *l)
{
	return add(HEARD(l)->field, &HEARD(l)->nfield, ":", 1);
}

static int
on_value_end(llhttp_t *l)
{
	struct heard *h = HEARD(l);

	/* llhttp leaves the blanks at the end to its caller */
	while (h->field[h->nfield - 1] == ' ' ||
	    h->field[h->nfield - 1] == '\t')
		h->nfield--;
	return add(h->field, &h->nfield, "\n", 1);
}

static int
on_head(llhttp_t *l)
{
	HEARD(l)->head = 1;
	return HEARD(l)->no_body ? 1 : 0;
}

static int
on_body(llhttp_t *l, const char *p, size_t n)
{
	return add(HEARD(l)->body, &HEARD(l)->nbody, p, n);
}

static int
on_end(llhttp_t *l)
{
	HEARD(l)->end = 1;
	return HPE_PAUSED;
}

/* What http1 read, in the same words. */
static struct {
	char field[TEXT], body[TEXT];
	size_t nfield, nbody;
} ours;

static void
tell_fields(const struct vyx_http1 *h)
{
	for (uint32_t i = 0; i < h->nfield; i++) {
		const struct vyx_http1_field *f = &h->field[i];
		struct vyx_str name = vyx_http1_name(h, f),
		               value = vyx_http1_str(h, f->value);

		add(ours.field, &ours.nfield, name.p, name.n);
		add(ours.field, &ours.nfield, ":", 1);
		add(ours.field, &ours.nfield, value.p, value.n);
		add(ours.field, &ours.nfield, "\n", 1);
	}
}

/* Read the content behind the head; the bytes used, 0: it is not whole, or
 * nothing to compare. */
static size_t
content(const struct vyx_http1 *h, const char *p, size_t n)
{
	static struct vyx_http1 trailer;
	struct vyx_chunk c;
	struct vyx_str in = { p + h->len, n - h->len }, data;
	enum vyx_chunk_got got;

	if (h->framing == VYX_BODY_NONE)
		return h->kind == VYX_HTTP1_RESPONSE && !h->to_head &&
		        (h->first[VYX_H_TRANSFER_ENCODING] ||
		            h->first[VYX_H_CONTENT_LENGTH])
		    ? 0
		    : h->len;
	if (h->framing == VYX_BODY_LENGTH) {
		if (h->length > in.n)
			return 0;
		add(ours.body, &ours.nbody, in.p, (size_t)h->length);
		return h->len + (size_t)h->length;
	}
	if (h->framing != VYX_BODY_CHUNKED)
		return 0;
	vyx_chunk_start(&c);
	while ((got = vyx_chunk_next(&c, &in, &data)) == VYX_CHUNK_DATA)
		add(ours.body, &ours.nbody, data.p, data.n);
	if (got != VYX_CHUNK_LAST || c.ext)
		return 0;
	vyx_http1_start(&trailer, VYX_HTTP1_TRAILER, NULL);
	if (vyx_http1_parse(&trailer, in.p, in.n) != VYX_HTTP1_DONE)
		return 0;
	for (uint32_t i = 0; i < trailer.nfield; i++)
		if (trailer.field[i].flags & VYX_FIELD_NOTRAILER)
			return 0;
	tell_fields(&trailer);
	return (size_t)(in.p - p) + trailer.len;
}

static int
comparable(const struct vyx_http1 *h)
{
	const char *version = h->base +
	    (h->kind == VYX_HTTP1_REQUEST ? h->target.at + h->target.n + 1 : 0);

	if (version[7] > '1')
		return 0;
	for (uint32_t i = 0; i < h->nfield; i++) {
		const struct vyx_http1_field *f = &h->field[i];
		int framing = f->id == VYX_H_TRANSFER_ENCODING ||
		    f->id == VYX_H_CONTENT_LENGTH;

		if (h->base[f->name_at + f->name_n] != ':' ||
		    (framing && h->base[f->value.at + f->value.n] != '\r'))
			return 0;
	}
	return h->kind == VYX_HTTP1_REQUEST
	    ? h->method != VYX_METHOD_OTHER && !h->websocket
	    : h->code != 101;
}

static void
compare(const struct vyx_http1 *h, const char *p, size_t n, struct heard *l)
{
	struct vyx_str target = vyx_http1_str(h, h->target);
	size_t used, head = h->len;
	enum llhttp_errno e;

	ours.nfield = ours.nbody = 0;
	tell_fields(h);
	e = llhttp_execute(&l->parser, p, head);
	if (e != HPE_OK && e != HPE_PAUSED && e != HPE_PAUSED_UPGRADE) {
		fprintf(stderr, "llhttp: %s\n", l->parser.reason);
		abort();
	}
	CHECK(l->head);
	CHECK(l->nfield == ours.nfield &&
	    !memcmp(l->field, ours.field, ours.nfield));
	CHECK(l->parser.http_minor == h->minor);
	if (h->kind == VYX_HTTP1_REQUEST) {
		CHECK(vyx_str_eq(target, (struct vyx_str){ l->url, l->nurl }));
		CHECK(!strcmp(llhttp_method_name(l->parser.method),
		    vyx_method_name(h->method).p));
	} else
		CHECK(l->parser.status_code == h->code);
	if (e == HPE_PAUSED_UPGRADE) /* any Upgrade of a known method is one */
		return;
	if ((used = content(h, p, n)) == 0)
		return;
	if (e == HPE_OK)
		e = llhttp_execute(&l->parser, p + head, used - head);
	CHECK(l->end);
	CHECK(l->nbody == ours.nbody && !memcmp(l->body, ours.body, l->nbody));
	CHECK(l->nfield == ours.nfield &&
	    !memcmp(l->field, ours.field, ours.nfield));
	CHECK(e == HPE_PAUSED && llhttp_get_error_pos(&l->parser) == p + used);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct vyx_http1 h;
	static struct heard l;
	static llhttp_settings_t on;
	const char *p = (const char *)data + 1;

	if (n < 2 || n > 16384)
		return 0;
	vyx_http1_start(&h, data[0] % 2, NULL);
	h.to_head = data[0] / 2 % 2;
	if (vyx_http1_parse(&h, p, n - 1) != VYX_HTTP1_DONE || !comparable(&h))
		return 0;
	llhttp_settings_init(&on);
	on.on_url = on_url;
	on.on_header_field = on.on_header_value = on_field;
	on.on_header_field_complete = on_name_end;
	on.on_header_value_complete = on_value_end;
	on.on_headers_complete = on_head;
	on.on_body = on_body;
	on.on_message_complete = on_end;
	l.nurl = l.nfield = l.nbody = 0;
	l.head = l.end = 0;
	l.no_body = h.kind == VYX_HTTP1_RESPONSE && h.to_head;
	llhttp_init(&l.parser,
	    h.kind == VYX_HTTP1_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE, &on);
	compare(&h, p, n - 1, &l);
	return 0;
}
