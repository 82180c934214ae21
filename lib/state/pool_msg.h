/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_POOL_MSG_H
#define VYX_STATE_POOL_MSG_H

#include <stdint.h>

#include "base/bytes.h"

/*
 * pool_msg - one record of the edge between vyx-poold and vyx-route, typed.
 *
 * Source   vyx-protocol(7), the edge pool. Which fields a verb has stands in
 *	    the comment beside it; the others are 0.
 * Owns	    nothing: strings are borrowed from the record or the table they
 *	    came from, until the next call that changes it.
 */

enum vyx_pool_verb {
	VYX_POOL_HELLO,  /* both: proto name; route: role pid */
	VYX_POOL_HOLD,   /* route: c i w state, a descriptor */
	VYX_POOL_HELD,   /* route: n */
	VYX_POOL_NEED,   /* route: w waiting since lack */
	VYX_POOL_GIVE,   /* route: c */
	VYX_POOL_DROP,   /* route: c why */
	VYX_POOL_LOST,   /* route: c */
	VYX_POOL_SAYS,   /* route: i keeps */
	VYX_POOL_STUCK,  /* route: c byte (0: none yet, 1: the first came) */
	VYX_POOL_TUNNEL, /* route: c */
	VYX_POOL_MOVED,  /* route: c to */
	VYX_POOL_BYE,    /* route */
	VYX_POOL_WINDOW, /* poold: w up low idle-ms tunnels */
	VYX_POOL_CONN,   /* poold: c i w, a descriptor */
	VYX_POOL_RECALL, /* poold: w n before */
	VYX_POOL_VOID    /* poold: i below */
};

enum vyx_pool_role { VYX_POOL_ROUTE, VYX_POOL_ACQUIRE };

enum vyx_pool_state { VYX_POOL_IDLE, VYX_POOL_BUSY, VYX_POOL_TUNNELLED };

/* Why a connection was dropped. */
enum vyx_pool_why {
	VYX_POOL_EOF,     /* the worker hung up on an idle one */
	VYX_POOL_RESET,   /* it broke during an exchange */
	VYX_POOL_BYTES,   /* a byte outside an answer */
	VYX_POOL_CLOSE,   /* the answer said so, or ended by it */
	VYX_POOL_ABORT,   /* the client went; shut for writing, poold lingers */
	VYX_POOL_TIMEOUT, /* no answer in time */
	VYX_POOL_ERROR,   /* the answer was no HTTP, or the router failed */
	VYX_POOL_UNUSED,  /* idle for idle_ms */
	VYX_POOL_VOIDED,  /* below a void mark */
	VYX_POOL_STUCKED  /* given up by the router while stuck */
};
#define VYX_POOL_WHYS 10

/* All connections of an instance, whatever their number. */
#define VYX_POOL_ALL (UINT64_C(1) << 63)

#define VYX_POOL_LACKS 32 /* instances in one `need`; the rest follow */
#define VYX_POOL_NAME 96  /* longest worker or instance id, bytes */

struct vyx_pool_lack {
	struct vyx_str i;
	uint32_t n;
};

struct vyx_pool_msg {
	enum vyx_pool_verb verb;
	enum vyx_pool_role role;
	enum vyx_pool_state state;
	enum vyx_pool_why why;
	uint32_t proto;
	uint32_t pid;
	uint32_t n;       /* held, recall */
	uint32_t waiting; /* need */
	uint32_t low;     /* window: idle ones to hold per instance */
	uint32_t tunnels; /* window: most tunnels per instance */
	uint64_t idle_ms; /* window */
	uint64_t c;
	uint64_t since;  /* need: ns; of the oldest waiter */
	uint64_t before; /* recall: ns; of the oldest waiter elsewhere */
	uint64_t below;  /* void */
	uint8_t up;
	uint8_t keeps;
	uint8_t byte;
	uint8_t lacks; /* entries of lack */
	struct vyx_str name;
	struct vyx_str w;
	struct vyx_str i;
	struct vyx_str to;
	struct vyx_pool_lack lack[VYX_POOL_LACKS];
};

#endif
