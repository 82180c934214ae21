/* SPDX-License-Identifier: ISC */
#include "wire/body.h"

enum { CONTENT, TRAILER, OVER };

void
vyx_body_start(struct vyx_body *b, const struct vyx_http1 *h)
{
	b->framing = h->framing;
	b->stage = CONTENT;
	b->left = h->framing == VYX_BODY_LENGTH ? h->length : 0;
	b->trailers = NULL;
	b->why = NULL;
	if (b->framing == VYX_BODY_CHUNKED)
		vyx_chunk_start(&b->chunk);
	else if (b->framing != VYX_BODY_CLOSE && !b->left)
		b->stage = OVER;
}

static enum vyx_body_got
trailer(struct vyx_body *b, struct vyx_str *in, struct vyx_http1 *room)
{
	enum vyx_http1_got got = vyx_http1_parse(room, in->p, in->n);

	if (got == VYX_HTTP1_MORE)
		return VYX_BODY_MORE;
	if (got == VYX_HTTP1_BAD) {
		b->why = room->why;
		return VYX_BODY_BAD;
	}
	in->p += room->len;
	in->n -= room->len;
	b->stage = OVER;
	b->trailers = room->nfield ? room : NULL;
	return VYX_BODY_END;
}

static enum vyx_body_got
chunked(struct vyx_body *b, struct vyx_str *in, size_t max,
    struct vyx_http1 *room, struct vyx_str *data)
{
	struct vyx_http1_limits lim = room->lim;
	enum vyx_chunk_got got;

	/* A part that ends in framing alone gives nothing: on with the next. */
	do {
		struct vyx_str part = { in->p, in->n < max ? in->n : max };

		got = vyx_chunk_next(&b->chunk, &part, data);
		in->n -= (size_t)(part.p - in->p);
		in->p = part.p;
	} while (got == VYX_CHUNK_MORE && in->n);
	switch (got) {
	case VYX_CHUNK_DATA:
		return VYX_BODY_DATA;
	case VYX_CHUNK_MORE:
		return VYX_BODY_MORE;
	case VYX_CHUNK_BAD:
		b->why = b->chunk.why;
		return VYX_BODY_BAD;
	case VYX_CHUNK_LAST:
		break;
	}
	b->stage = TRAILER;
	vyx_http1_start(room, VYX_HTTP1_TRAILER, &lim);
	return trailer(b, in, room);
}

enum vyx_body_got
vyx_body_next(struct vyx_body *b, struct vyx_str *in, size_t max,
    struct vyx_http1 *room, struct vyx_str *data)
{
	if (b->stage == OVER)
		return VYX_BODY_END;
	if (b->stage == TRAILER)
		return trailer(b, in, room);
	if (!in->n || !max)
		return VYX_BODY_MORE;
	if (b->framing == VYX_BODY_CHUNKED)
		return chunked(b, in, max, room, data);
	*data = *in;
	if (data->n > max)
		data->n = max;
	if (b->framing == VYX_BODY_LENGTH) {
		if (data->n > b->left)
			data->n = (size_t)b->left;
		b->left -= data->n;
		if (!b->left)
			b->stage = OVER;
	}
	in->p += data->n;
	in->n -= data->n;
	return VYX_BODY_DATA;
}

int
vyx_body_eof(const struct vyx_body *b)
{
	return b->stage == OVER || b->framing == VYX_BODY_CLOSE;
}

size_t
vyx_body_put(char *out, enum vyx_http1_framing framing, struct vyx_str data)
{
	size_t n;

	if (framing != VYX_BODY_CHUNKED) {
		memcpy(out, data.p, data.n);
		return data.n;
	}
	n = vyx_chunk_head(out, data.n);
	memcpy(out + n, data.p, data.n);
	memcpy(out + n + data.n, "\r\n", 2);
	return n + data.n + 2;
}
