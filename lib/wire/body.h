/* SPDX-License-Identifier: ISC */
#ifndef VYX_WIRE_BODY_H
#define VYX_WIRE_BODY_H

#include "wire/http1.h"

/*
 * body - the content behind a head, whichever way it is framed, taken apart;
 * and the framing of what is passed on put around it again.
 *
 * Owns	    how far the content has been read.
 * Needs    the caller's bytes; a trailer section must come whole.
 * Returns  one of enum vyx_body_got.
 * Cost	    no copy; pieces point into the caller's bytes.
 */

enum vyx_body_got {
	VYX_BODY_BAD = -1, /* b->why says what: the message cannot be used */
	VYX_BODY_MORE = 0, /* call again with what is left and more */
	VYX_BODY_DATA = 1, /* a piece of content, not empty */
	VYX_BODY_END = 2,  /* the message is over; b->trailers, or NULL */
};

struct vyx_body {
	uint8_t framing; /* enum vyx_http1_framing */
	uint8_t stage;
	uint64_t left; /* LENGTH */
	struct vyx_chunk chunk;
	struct vyx_http1 *trailers; /* at END, when there are any */
	const char *why;
};

/* `h` is the head just read. */
void vyx_body_start(struct vyx_body *b, const struct vyx_http1 *h);

/*
 * Cuts what it has read off the front of *in. A piece is `max` bytes at most.
 * `room` is where a trailer section is parsed into: the same for all calls,
 * valid until END has been dealt with. Limits of a head bind trailers too.
 */
enum vyx_body_got vyx_body_next(struct vyx_body *b, struct vyx_str *in,
    size_t max, struct vyx_http1 *room, struct vyx_str *data);

/* The sender ended: whether the message was whole (CLOSE alone may be). */
int vyx_body_eof(const struct vyx_body *b);

/* Bytes that framing adds to one piece, at most. */
#define VYX_BODY_FRAME (VYX_CHUNK_HEAD + 2)

/* Write a piece framed as told; its length. out has data.n + VYX_BODY_FRAME. */
size_t vyx_body_put(char *out, enum vyx_http1_framing framing,
    struct vyx_str data);

#endif
