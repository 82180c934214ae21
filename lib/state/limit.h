/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_LIMIT_H
#define VYX_STATE_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * limit - so many requests a minute for a key, counted over all processes
 * that share the memory.
 *
 * Owns	    nothing; the memory is the caller's (sys/shm.h).
 * Needs    a clock that all of them share: CLOCK_MONOTONIC in ms. One that
 *	    lags the others by less than a window is taken to stand still.
 *	    x86-64 or arm64 (base/pair.h).
 * Returns  as said with each.
 * Cost	    one bucket: two cache lines read, one swap of 16 bytes; a refused
 *	    request writes nothing. No lock, so none to die with.
 *
 * The window of a key opens with its first request and lasts VYX_LIMIT_S;
 * another follows at once. What the one before held counts by the share of it
 * that the last VYX_LIMIT_S seconds still cover, rounded up. So a key that
 * was silent has exactly its limit; one that is not may have up to twice the
 * limit in some span of that length, never more than the limit on average.
 *
 * An entry is 16 bytes: the key's hash, and a word of start in seconds (24
 * bits), requests before (20) and now (20). Eight make a bucket. After two
 * windows it is free again, without anyone to sweep. An entry is one of three:
 *
 *	free	no key, or one silent for two windows
 *	claim	a key, and no request; a process died here, or is about to
 *	count	a key, and its requests
 *
 * Key and word change together, by one compare-and-swap, so a request is
 * counted for its key or not at all. A key that has no entry puts a claim,
 * then looks at its whole bucket; when nothing else of the key is there it
 * turns the claim into a count of 1. Anybody may do the second step, so a
 * process may be killed anywhere: what it leaves is used by the next request
 * of the key, or ages out. With it goes one request at most, which it counted
 * and did not answer.
 *
 * Exact over all processes, for fresh and stale keys and those that change
 * places: as many pass as one process would let pass. It errs where
 * - a bucket has eight live keys and a ninth comes, live by the clock of any
 *   of the processes. Nobody is refused for it: the least loaded gives way,
 *   and starts anew when it comes back, so more may pass; and a key that was
 *   replaced and came back while its entry was read may be refused once.
 *   vyx_limit_replaced() counts how often one gave way;
 * - a process stood still for a window between its clock and its count;
 * - a key was silent for 194 days, to within two minutes: the start is kept
 *   modulo 2^24 seconds, and the old count may be found. So may one of
 *   another boot, when the file outlives it: keep it where a boot clears.
 * Two keys of one 64-bit hash are one key.
 *
 * Sources: contracts/vyx.md 1 and 4; RFC 6585 4 (429); RFC 9110 10.2.3
 * (Retry-After); draft-ietf-httpapi-ratelimit-headers-06.
 */

#define VYX_LIMIT_S 60 /* the window, seconds */

/* A limit over this is none: each request passes uncounted. */
#define VYX_LIMIT_MAX 1048575

/* One process's view; the rest is shared. */
struct vyx_limit {
	struct vyx_limit_head *head;
	struct vyx_pair *v;
	uint64_t mask; /* buckets - 1 */
	uint8_t key[16];
};

/* Bytes that a table of `entries` at least needs; 0: too many. */
size_t vyx_limit_size(size_t entries);

/* Make an empty table of mem[size]. `random`: of the creator, for the hash. */
void vyx_limit_init(void *mem, size_t size, const uint8_t random[16]);

/* Whether mem[size] is a table of this version and of that very size. */
int vyx_limit_valid(const void *mem, size_t size);

/* Use the table in `mem`, 16-aligned. 0, EINVAL: vyx_limit_valid says no. */
int vyx_limit_attach(struct vyx_limit *t, void *mem, size_t size);

/*
 * Keys. `salt` keeps what is counted apart: 0 for the limit of the whole
 * gateway, a hash of the route for its own. An address is in 16 bytes with
 * IPv4 as ::ffff:0:0/96; it counts whole in IPv4, by /64 in IPv6. NULL: a
 * client on a Unix socket; all of them are one. A token is any text.
 */
uint64_t vyx_limit_key_ip(const struct vyx_limit *t, uint64_t salt,
    const uint8_t ip[16]);
uint64_t vyx_limit_key_token(const struct vyx_limit *t, uint64_t salt,
    struct vyx_str token);

struct vyx_limit_got {
	int allowed;
	uint32_t remaining; /* requests that would pass at once */
	uint32_t reset_s;   /* until the window ends; refused: retry_s */
	uint32_t retry_s;   /* 0 when allowed, else 1 or more */
};

/*
 * May one more request of `key` pass? If so it is counted. A limit of 0 or
 * less refuses everything.
 */
struct vyx_limit_got vyx_limit_take(const struct vyx_limit *t, uint64_t key,
    int64_t limit, uint64_t now_ms);

/* Live entries that had to give way, since the table was made. */
uint64_t vyx_limit_replaced(const struct vyx_limit *t);

/*
 * The header lines that say it, each with CRLF, into out[cap]; their length,
 * 0 when they do not fit (VYX_LIMIT_HEADERS is enough). RateLimit-Limit,
 * -Remaining and -Reset (seconds from now) and RateLimit-Policy in the form of
 * draft 06, which is what clients read; and Retry-After when refused. Where two
 * limits hold, say the refusing one's, else that of fewer remaining.
 */
#define VYX_LIMIT_HEADERS 192
size_t vyx_limit_headers(char *out, size_t cap, int64_t limit,
    const struct vyx_limit_got *got);

#endif
