/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_POOL_MSG_H
#define VYX_STATE_POOL_MSG_H

#include <stdint.h>

#include "base/bytes.h"
#include "wire/rec.h"

/*
 * pool_msg - one record of the edge between vyx-poold and vyx-route, typed.
 *
 * Source   the edge POOL of vyx.h; vyx-protocol(7).
 * Owns	    nothing: strings are borrowed from the record or the table they
 *	    came from, until the next call that changes it.
 * Returns  1 when done; 0 when refused: EPROTO for a word or a list that says
 *	    nothing, EMSGSIZE or ENOMEM when writing.
 */

/*
 * Why a connection was dropped.
 *	  id	   word	      means */
/* clang-format off */
#define VYX_POOL_WHYS(X) \
	X(EOF,	   "eof",     "the worker hung up on an idle one") \
	X(RESET,   "reset",   "it broke during an exchange") \
	X(BYTES,   "bytes",   "a byte outside an answer") \
	X(CLOSE,   "close",   "the answer said so, or ended by it") \
	X(ABORT,   "abort",   "the client went: shut for writing, poold lingers") \
	X(TIMEOUT, "timeout", "no answer in time") \
	X(ERROR,   "error",   "the answer was no HTTP, or the holder failed") \
	X(IDLE,	   "idle",    "idle for idle-ms") \
	X(VOID,	   "void",    "below a void mark") \
	X(STUCK,   "stuck",   "given up while stuck")

#define VYX_ID(id, ...) VYX_POOL_##id,
enum vyx_pool_why { VYX_POOL_WHYS(VYX_ID) VYX_POOL_WHY_COUNT };
#undef VYX_ID
/* clang-format on */

#define VYX_POOL_LACKS 32 /* instances in one `need`; the rest follow */
#define VYX_POOL_W 64     /* longest worker id, bytes */
#define VYX_POOL_I 128    /* longest instance id */

struct vyx_pool_lack {
	struct vyx_str i;
	uint32_t n;
};

/* Fields that a verb does not have are 0. */
struct vyx_pool_msg {
	enum vyx_verb verb;
	enum vyx_proc role;   /* hello: ROUTE or ACQUIRE */
	enum vyx_state state; /* hold: IDLE, BUSY or TUNNEL */
	enum vyx_pool_why why;
	uint32_t proto;
	uint32_t pid;
	uint32_t n; /* held, recall */
	uint32_t waiting;
	uint32_t low;
	uint32_t tunnels;
	uint64_t idle_ms;
	uint64_t c;
	uint64_t since;
	uint64_t before;
	uint64_t below;
	uint8_t up;
	uint8_t keeps;
	uint8_t byte;  /* stuck: 0 none yet, 1 the first has come */
	uint8_t lacks; /* entries of lack */
	struct vyx_str name;
	struct vyx_str w;
	struct vyx_str i;
	struct vyx_str to;
	struct vyx_pool_lack lack[VYX_POOL_LACKS];
};

/* What a parsed record of the edge says. */
int vyx_pool_msg_read(struct vyx_pool_msg *m, const struct vyx_rec *r);

/* Append `m` to `b`. */
int vyx_pool_msg_write(const struct vyx_pool_msg *m, struct vyx_buf *b);

/* The word for a why. */
const char *vyx_pool_why_name(enum vyx_pool_why why);

#endif
