/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_JWT_CACHE_H
#define VYX_STATE_JWT_CACHE_H

#include "state/jwt.h"

/*
 * jwt_cache - tokens that were found good, so that one is not computed twice.
 *
 * Owns	    VYX_JWT_CACHE_SETS * VYX_JWT_CACHE_WAYS entries, allocated once.
 * Needs    32 random bytes, unknown to whoever sends tokens.
 * Returns  as said with each.
 * Cost	    two hashes of the token; no malloc after vyx_jwt_cache_new().
 *
 * An entry stands for a whole token, by a keyed hash of 128 bits of it: not
 * one byte of the token is kept. A full set forgets what was asked for longest
 * ago. It is the caller's to drop all whenever keys or rules change.
 */
#define VYX_JWT_CACHE_SETS 512
#define VYX_JWT_CACHE_WAYS 8
#define VYX_JWT_CACHE_TEXT 456 /* bytes of sub, and of roles with 2 each */

struct vyx_jwt_cache;

/* NULL and ENOMEM: 2 MiB, untouched until they are used. */
struct vyx_jwt_cache *vyx_jwt_cache_new(const uint8_t seed[32]);
void vyx_jwt_cache_free(struct vyx_jwt_cache *c);
void vyx_jwt_cache_drop(struct vyx_jwt_cache *c);

/*
 * 1: it is there and has not ended at `now_s`; *out is filled, its strings
 * valid until the next put, drop or free, `all` is NULL. 0: check it.
 */
int vyx_jwt_cache_get(struct vyx_jwt_cache *c, struct vyx_str token,
    int64_t now_s, struct vyx_jwt_claims *out);

/* Keep what vyx_jwt_check() said of it under rules with this leeway. What does
 * not fit VYX_JWT_CACHE_TEXT is not kept. */
void vyx_jwt_cache_put(struct vyx_jwt_cache *c, struct vyx_str token,
    const struct vyx_jwt_claims *claims, int64_t leeway_s);

#endif
