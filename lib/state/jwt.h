/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_JWT_H
#define VYX_STATE_JWT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * jwt - JSON Web Tokens: whether one counts, and what it says.
 *
 * Owns	    the keys, built once and never changed, free to share; the claims
 *	    of a token until vyx_jwt_claims_free().
 * Needs    malloc; no clock: the time is given.
 * Returns  as said with each. No reason has a byte of a secret or a token.
 * Cost	    one hash of the token, one signature; two JSON texts are read.
 *
 * The algorithm is the configuration's, never the token's: the header's `alg`
 * must be one of vyx_jwt_rules.algs and of the kind of the key. Refused:
 *
 *   - more than VYX_JWT_TOKEN_MAX bytes, before anything is computed;
 *   - other than three parts of strict base64url: no padding, no stray bits,
 *     no other byte (RFC 7515 2);
 *   - a header that is no JSON object, or has a member twice (RFC 7515 4);
 *     `crit` at all, as no extension is understood (4.1.11); `b64` other than
 *     true (RFC 7797 7); `typ` other than JWT or at+jwt, in any case;
 *   - `none`, always; what names keys (jku, jwk, x5u, x5c) is never followed;
 *   - `kid` that is no key of a JWKS; none, where the JWKS has more than one
 *     key for the algorithm. With a secret or a PEM file `kid` says nothing;
 *   - a wrong signature. No byte of the claims is read before it is right;
 *   - claims that are no JSON object, or have a member twice (RFC 7519 4);
 *   - JSON deeper than VYX_JWT_DEPTH: what a worker reads it with may recurse;
 *   - exp, nbf, iat that are no numbers, or over 2^53 either way; a missing
 *     exp, unless it is not required;
 *   - exp <= now - leeway; nbf or iat > now + leeway;
 *   - iss other than the one configured; aud, a string or a list of strings,
 *     without one of those configured. A type that is wrong is refused even
 *     where nothing is configured;
 *   - sub or jti that is no string; roles that is no list of strings, or has
 *     more than VYX_JWT_ROLES_MAX.
 *
 * Sources: RFC 7515, 7517, 7518, 7519; RFC 8725 (best practices): 3.1
 * algorithms, 3.2 and 3.5 keys, 3.11 typ; contracts/vyx.md 3.
 */
#define VYX_JWT_TOKEN_MAX 8192
#define VYX_JWT_ROLES_MAX 64
#define VYX_JWT_DEPTH 32
#define VYX_JWT_KEYS_MAX 64      /* keys of a JWKS */
#define VYX_JWT_TEXT_MAX 1048576 /* bytes of a PEM or JWKS text */

/* clang-format off */
#define VYX_JWT_ALGS(X) \
	X(HS256) X(HS384) X(HS512) X(RS256) X(ES256)

/* Why not, for logs and for error_description of WWW-Authenticate. */
#define VYX_JWT_GOTS(X) \
	X(OK,	     "ok") \
	X(SIZE,	     "the token is too long") \
	X(PARTS,     "a token has three parts") \
	X(BASE64,    "a part is no base64url") \
	X(HEADER,    "the header is no JSON object") \
	X(CRIT,	     "the header demands an extension") \
	X(TYP,	     "typ is neither JWT nor at+jwt") \
	X(ALG,	     "the algorithm is not allowed") \
	X(KID,	     "no key has this kid") \
	X(SIGNATURE, "the signature is wrong") \
	X(CLAIMS,    "the claims are no JSON object") \
	X(TIME,	     "exp, nbf and iat are numbers") \
	X(NO_EXP,    "exp is missing") \
	X(EXPIRED,   "the token has expired") \
	X(NBF,	     "the token is not valid yet") \
	X(IAT,	     "the token was issued in the future") \
	X(ISS,	     "the issuer is another") \
	X(AUD,	     "the audience is another") \
	X(SUB,	     "sub and jti are strings") \
	X(ROLES,     "roles is a list of strings")
/* clang-format on */

enum vyx_jwt_alg {
#define VYX_JWT_ALG_ID(id) VYX_JWT_##id,
	VYX_JWT_ALGS(VYX_JWT_ALG_ID)
#undef VYX_JWT_ALG_ID
	    VYX_JWT_NONE, /* and how many there are */
};
#define VYX_JWT_BIT(alg) (1u << (alg))
#define VYX_JWT_HMAC                                               \
	(VYX_JWT_BIT(VYX_JWT_HS256) | VYX_JWT_BIT(VYX_JWT_HS384) | \
	    VYX_JWT_BIT(VYX_JWT_HS512))

/* By its name, exactly as in RFC 7518 3.1; VYX_JWT_NONE for any other. */
enum vyx_jwt_alg vyx_jwt_alg_scan(struct vyx_str name);
const char *vyx_jwt_alg_name(enum vyx_jwt_alg alg);

enum vyx_jwt_got {
#define VYX_JWT_GOT_ID(id, why) VYX_JWT_##id,
	VYX_JWT_GOTS(VYX_JWT_GOT_ID)
#undef VYX_JWT_GOT_ID
};
/* Its text above. It has no `"` and no `\`. */
const char *vyx_jwt_why(enum vyx_jwt_got got);

struct vyx_jwt_keys;
struct json_t; /* jansson's */

/* A key of a JWKS that is left out, counted from 0, and why. */
typedef void vyx_jwt_note(void *arg, size_t i, const char *why);

/*
 * Keys from an HMAC secret; from a PEM text with one PUBLIC KEY or
 * CERTIFICATE, whose dates and issuer are not looked at; from a JWKS (RFC 7517
 * 5). NULL: errno is EINVAL, or ENOMEM, and *why says what is wrong.
 *
 * An empty secret is refused; one shorter than its hash (32, 48, 64 bytes) is
 * against RFC 7518 3.2 but works: a caller warns. RSA: 2048 to 4096 bits, an
 * odd modulus, an odd exponent from 3 to 2^32 - 1. EC: P-256, a point on it.
 *
 * Of a JWKS RSA and P-256 keys are taken, where `use` is absent or sig, and
 * key_ops absent or with verify; others are left out, each with a note (may
 * be NULL). None left, or one kid twice for one algorithm: refused.
 */
struct vyx_jwt_keys *vyx_jwt_keys_secret(struct vyx_str secret,
    const char **why);
struct vyx_jwt_keys *vyx_jwt_keys_pem(struct vyx_str text, const char **why);
struct vyx_jwt_keys *vyx_jwt_keys_jwks(struct vyx_str text, vyx_jwt_note *note,
    void *arg, const char **why);
/* The algorithms they can check, as a mask: 0 in common with the rules' means
 * that every token is refused. */
unsigned vyx_jwt_keys_algs(const struct vyx_jwt_keys *k);
/* Wipes what was secret. NULL is nothing. */
void vyx_jwt_keys_free(struct vyx_jwt_keys *k);

/* Borrowed by each check. */
struct vyx_jwt_rules {
	unsigned algs;         /* mask of VYX_JWT_BIT(); 0 refuses all */
	int require_exp;       /* 0: a token without exp never ends */
	int64_t leeway_s;      /* 0 to 2^31 */
	struct vyx_str issuer; /* empty: not compared */
	const struct vyx_str *audience;
	size_t n_audience; /* 0: not compared */
};

/* What a good token says. Strings live in `all`, or in the cache they are
 * from; p is NULL where there is no such claim. */
struct vyx_jwt_claims {
	struct vyx_str sub;
	int64_t exp; /* first second at which it has ended; INT64_MAX: never */
	size_t n_roles;
	struct vyx_str roles[VYX_JWT_ROLES_MAX];
	struct json_t *all; /* the whole object; NULL from a cache */
};

/*
 * Check a token (without "Bearer ") at Unix time `now_s`. VYX_JWT_OK fills
 * *out, which vyx_jwt_claims_free() ends; any other leaves it empty, and
 * freeing it is harmless.
 */
enum vyx_jwt_got vyx_jwt_check(const struct vyx_jwt_keys *k,
    const struct vyx_jwt_rules *r, struct vyx_str token, int64_t now_s,
    struct vyx_jwt_claims *out);
void vyx_jwt_claims_free(struct vyx_jwt_claims *c);
/* Whether it has one of `want`, byte for byte. */
int vyx_jwt_has_role(const struct vyx_jwt_claims *c, const struct vyx_str *want,
    size_t n);

/*
 * To make tokens: from a secret (HS256, HS384, HS512), or from a PEM text with
 * one private key, RSA (RS256) or P-256 (ES256), PKCS #8 or the older forms,
 * not encrypted. NULL as above, also when the key is not of the algorithm.
 */
struct vyx_jwt_signer;
struct vyx_jwt_signer *vyx_jwt_signer_new(enum vyx_jwt_alg alg,
    struct vyx_str key, const char **why);
void vyx_jwt_signer_free(struct vyx_jwt_signer *s);
/* Append a token of `claims`, a JSON text that is signed as it stands, with
 * `kid` unless that is empty. ENOMEM; EMSGSIZE: over VYX_JWT_TOKEN_MAX;
 * EINVAL: the claims are no JSON object that vyx_jwt_check() would read. */
int vyx_jwt_sign(const struct vyx_jwt_signer *s, struct vyx_str claims,
    struct vyx_str kid, struct vyx_buf *out);

/* Base64url without padding (RFC 4648 5, 3.5). Decode into out[cap] (0 and
 * EINVAL, or ENOSPC); append the encoded. */
int vyx_jwt_b64_decode(struct vyx_str s, unsigned char *out, size_t cap,
    size_t *n);
int vyx_jwt_b64_encode(const void *p, size_t n, struct vyx_buf *out);

#endif
