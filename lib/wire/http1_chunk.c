/* SPDX-License-Identifier: ISC */
#include "wire/http1.h"

/*
 * RFC 9112 7.1, as states; one byte a step but in DATA.
 *
 *	state	HEX	CR	LF	;	SP HTAB	other
 *	SIZE	DIGITS	-	-	-	-	-
 *	DIGITS	DIGITS	SIZE_LF	-	EXT	BLANK	-
 *	BLANK	-	-	-	EXT	BLANK	-
 *	EXT	EXT	SIZE_LF	-	EXT	EXT	EXT, no control
 *	SIZE_LF	-	-	DATA, or LAST after 0
 *	DATA	content, then
 *	DATA_CR	-	DATA_LF	-	-	-	-
 *	DATA_LF	-	-	SIZE	-	-	-
 */
enum { SIZE, DIGITS, BLANK, EXT, SIZE_LF, DATA, DATA_CR, DATA_LF, LAST, BAD };

#define SIZE_LIMIT (UINT64_C(1) << 56) /* one more digit stays below 2^60 */

void
vyx_chunk_start(struct vyx_chunk *c)
{
	*c = (struct vyx_chunk){ .stage = SIZE };
}

static enum vyx_chunk_got
bad(struct vyx_chunk *c, const char *why)
{
	c->stage = BAD;
	c->why = why;
	return VYX_CHUNK_BAD;
}

/* A byte of the size line's first part. */
static enum vyx_chunk_got
size(struct vyx_chunk *c, unsigned char b)
{
	int d = vyx_hex_digit(b);

	if (d >= 0 && c->stage != BLANK) {
		if (c->left >= SIZE_LIMIT || c->digits == 16)
			return bad(c, "chunk size too large");
		c->left = c->left << 4 | (unsigned)d;
		c->digits++;
		c->stage = DIGITS;
	} else if (c->stage == DIGITS && b == '\r')
		c->stage = SIZE_LF;
	else if (c->stage != SIZE && b == ';')
		c->stage = EXT;
	else if (c->stage != SIZE && (b == ' ' || b == '\t'))
		c->stage = BLANK;
	else
		return bad(c, "invalid chunk size");
	if ((c->stage == BLANK || c->stage == EXT) && ++c->ext > VYX_CHUNK_EXT)
		return bad(c, "chunk extensions too long");
	return VYX_CHUNK_MORE;
}

static enum vyx_chunk_got
extension(struct vyx_chunk *c, unsigned char b)
{
	if (b == '\r')
		c->stage = SIZE_LF;
	else if ((b < ' ' && b != '\t') || b == 0x7f)
		return bad(c, "invalid chunk extension");
	else if (++c->ext > VYX_CHUNK_EXT)
		return bad(c, "chunk extensions too long");
	return VYX_CHUNK_MORE;
}

static enum vyx_chunk_got
step(struct vyx_chunk *c, unsigned char b)
{
	switch (c->stage) {
	case SIZE:
	case DIGITS:
	case BLANK:
		return size(c, b);
	case EXT:
		return extension(c, b);
	case SIZE_LF:
		if (b != '\n')
			return bad(c, "bare CR in chunk size");
		c->stage = c->left ? DATA : LAST;
		c->digits = 0;
		return c->left ? VYX_CHUNK_MORE : VYX_CHUNK_LAST;
	case DATA_CR:
		c->stage = DATA_LF;
		return b == '\r' ? VYX_CHUNK_MORE
		                 : bad(c, "chunk longer than its size");
	case DATA_LF:
		c->stage = SIZE;
		return b == '\n' ? VYX_CHUNK_MORE : bad(c, "bare CR in chunk");
	default: /* LAST, BAD: there is nothing more to read */
		return bad(c, c->why ? c->why : "bytes behind the last chunk");
	}
}

enum vyx_chunk_got
vyx_chunk_next(struct vyx_chunk *c, struct vyx_str *in, struct vyx_str *data)
{
	enum vyx_chunk_got got = VYX_CHUNK_MORE;

	while (in->n && got == VYX_CHUNK_MORE) {
		if (c->stage == DATA) {
			data->p = in->p;
			data->n = c->left < in->n ? (size_t)c->left : in->n;
			c->left -= data->n;
			if (!c->left)
				c->stage = DATA_CR;
			in->p += data->n;
			in->n -= data->n;
			return VYX_CHUNK_DATA;
		}
		got = step(c, (unsigned char)*in->p);
		in->p++;
		in->n--;
	}
	return got;
}

size_t
vyx_chunk_head(char out[VYX_CHUNK_HEAD], uint64_t n)
{
	size_t len = vyx_hex_fmt(out, n);

	out[len] = '\r';
	out[len + 1] = '\n';
	return len + 2;
}
