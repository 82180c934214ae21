/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_BREAKER_H
#define VYX_STATE_BREAKER_H

#include <stdint.h>

/*
 * breaker - stop asking what only fails, and find out when it no longer does.
 *
 * Owns	    nothing but its own few words; put it into what it guards.
 * Needs    the time of each call, ns of a clock that does not go back.
 * Returns  as said with each; nothing here can fail.
 * Cost	    a few compares; no memory.
 *
 *	state	   event			    becomes
 *	closed	   `failures` failed in a row	    open
 *	open	   asked after `cooldown`	    half-open; this is its first trial
 *	half-open  `half_open_max` trials went well closed
 *	half-open  a trial failed		    open, for another cooldown
 *
 * Half-open lets half_open_max trials run at a time. Each change begins a new
 * generation, and an end counts only in the one its request began in: what
 * was sent before it opened has no say about whether it may close.
 *
 * The configuration comes with each call. So a new one holds at once, and the
 * state is kept.
 *
 * Source: contracts/vyx.md 1 and 8.
 */

struct vyx_breaker_conf {
	uint32_t failures;
	uint32_t half_open_max;
	uint64_t cooldown; /* ns */
};

/* As written in the configuration, cooldown in ns; 0 or less is the default:
 * 5, 30 s, 1. */
struct vyx_breaker_conf vyx_breaker_conf(int64_t failures, int64_t cooldown,
    int64_t half_open_max);

enum vyx_breaker_state {
	VYX_BREAKER_CLOSED,
	VYX_BREAKER_OPEN,
	VYX_BREAKER_HALF_OPEN,
};

/* Zero is closed. */
struct vyx_breaker {
	uint64_t opened; /* ns; when it opened last */
	uint32_t generation;
	uint32_t failed; /* in a row, while closed */
	uint32_t trials; /* that run, while half-open */
	uint32_t passed; /* trials that went well */
	enum vyx_breaker_state state;
};

/* Of one request, from enter to leave. Zero is none. */
struct vyx_breaker_permit {
	uint32_t generation;
	uint8_t held;
	uint8_t trial;
};

enum vyx_breaker_end {
	VYX_BREAKER_NEUTRAL, /* says nothing: the client went, 4xx, not sent */
	VYX_BREAKER_GOOD,    /* an answer below 500, or 101 */
	VYX_BREAKER_BAD,     /* 5xx, no answer in time, connection lost */
};

/*
 * May a request be sent? Each one that may must leave, once. 0: no, and
 * *retry_s says in how many seconds it may, 1 or more.
 */
int vyx_breaker_enter(struct vyx_breaker *b, const struct vyx_breaker_conf *c,
    uint64_t now, struct vyx_breaker_permit *p, uint32_t *retry_s);

/* As vyx_breaker_enter would say now, without a permit: 0, it may; else in how
 * many seconds. */
uint32_t vyx_breaker_shut(const struct vyx_breaker *b,
    const struct vyx_breaker_conf *c, uint64_t now);

/*
 * It has ended. Does nothing for a permit that is not held, so the last of
 * all paths may call it NEUTRAL whatever was called before. Returns whether
 * the state changed, for the log.
 */
int vyx_breaker_leave(struct vyx_breaker *b, const struct vyx_breaker_conf *c,
    uint64_t now, struct vyx_breaker_permit *p, enum vyx_breaker_end end);

/*
 * Go on in a new place, with the state of `old`: for a table that is built
 * anew. Permits stay with `old`; its trials are made again.
 */
void vyx_breaker_adopt(struct vyx_breaker *b, const struct vyx_breaker *old);

/* The state, as a word: closed, open, half-open. */
const char *vyx_breaker_word(const struct vyx_breaker *b);

#endif
