/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_CIDR_H
#define VYX_STATE_CIDR_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * cidr - sets of addresses, and whom a trusted proxy speaks for.
 *
 * Owns	    the memory of a set, until vyx_cidrs_free().
 * Needs    malloc while a set grows; to match needs none.
 * Returns  1 when done; 0 when refused.
 * Cost	    a match is linear in the blocks of the set.
 *
 * An address is 16 bytes, IPv4 as ::ffff:0:0/96 (RFC 4291 2.5.5.2), so that
 * one that comes in either form is one. NULL stands for a Unix socket.
 *
 * Sources: RFC 4632 3.1, RFC 4291 2.3 (prefixes), RFC 5952 6 (with a port).
 */

#define VYX_CIDRS 1024 /* blocks in a set */

struct vyx_cidr {
	uint8_t net[16];
	uint8_t bits; /* of 128; an IPv4 block has 96 and more */
};

/* Zero is the empty set. */
struct vyx_cidrs {
	struct vyx_cidr *v;
	size_t n;
	uint8_t local; /* `unix` was added: NULL is in it */
};

/* An address alone: 192.0.2.1, 2001:db8::1. EINVAL: it is none. */
int vyx_ip_scan(struct vyx_str s, uint8_t ip[16]);

/*
 * The same, as proxies write it: also 192.0.2.1:80, [2001:db8::1] and
 * [2001:db8::1]:80. The port is checked and dropped.
 */
int vyx_ip_scan_port(struct vyx_str s, uint8_t ip[16]);

/*
 * Add one block: an address, ADDRESS/BITS, or the word `unix`. 0: *why says
 * why it is refused, such as bits set behind the prefix; it is a constant.
 */
int vyx_cidrs_add(struct vyx_cidrs *set, struct vyx_str block,
    const char **why);

/* Whether `ip` is in it. No IPv6 block has IPv4 addresses in it. */
int vyx_cidrs_have(const struct vyx_cidrs *set, const uint8_t *ip);

void vyx_cidrs_free(struct vyx_cidrs *set);

/*
 * Whom a request comes from. `peer` connected; v[n] are the values of
 * X-Forwarded-For in the order of the head. Each proxy added at the right whom
 * it heard, so the list is walked from there while who says it is trusted:
 * the first that is not is the client. What is no address ends the walk at
 * who wrote it. Empty items are passed over (RFC 9110 5.6.1.2).
 *
 * Returns the client: `peer`, or `ip`, filled in.
 */
const uint8_t *vyx_forwarded_client(const uint8_t *peer,
    const struct vyx_str *v, size_t n, const struct vyx_cidrs *trusted,
    uint8_t ip[16]);

#endif
