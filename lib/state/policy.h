/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_POLICY_H
#define VYX_STATE_POLICY_H

#include "state/breaker.h"
#include "wire/forward.h"
#include "wire/rec.h"

/*
 * policy - what a route asks of a request, and what it changes in it: the
 * columns of its row, read.
 *
 * Owns	    one piece of memory with all its texts, as long as anybody refers
 *	    to it; the breaker of the route.
 * Needs    malloc.
 * Returns  as said with each.
 * Cost	    one pass over the columns.
 *
 *	limits	 words: payload=BYTES timeout-ms=MS per-ip=N per-token=N, the
 *		 last two also with `off`
 *	headers	 lines: `q- NAME` and `q+ NAME: VALUE` take out of a request
 *		 and add to it, `a-` and `a+` do so with an answer. What is
 *		 added replaces what was there under that name; what the
 *		 gateway says itself cannot be added (vyx_forward_may).
 *
 * A row that cannot be read is refused whole: half a policy is none. Its route
 * stays, and is for nobody.
 */

#define VYX_POLICY_LINES 32             /* of `headers` */
#define VYX_POLICY_SAME UINT64_MAX      /* as in the settings */
#define VYX_POLICY_OFF (UINT64_MAX - 1) /* of a rate: no limit */

struct vyx_policy {
	unsigned refs;
	uint8_t none;     /* policy: none */
	uint8_t unusable; /* the row could not be read: it is for nobody */
	struct vyx_str key, validate;
	const struct vyx_str *role;
	size_t n_roles;
	uint64_t payload_max;       /* bytes; 0: any; or SAME */
	uint64_t timeout;           /* ns, or SAME */
	uint64_t per_ip, per_token; /* a minute; SAME, OFF */
	struct vyx_forward_rules request, answer;
	struct vyx_breaker breaker;
};

/* Of a row of `route`, with one reference. NULL: no memory, or *why says what
 * is wrong with it. */
struct vyx_policy *vyx_policy_new(const struct vyx_rec *row, const char **why);
/* Of a row that cannot be read. It must not fall to a broader route, whose
 * policy is another. NULL: no memory. */
struct vyx_policy *vyx_policy_refusing(struct vyx_str key);
void vyx_policy_left(struct vyx_policy *p);

#endif
