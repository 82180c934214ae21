/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_JWT_INT_H
#define VYX_STATE_JWT_INT_H

#include <bearssl.h>

#include "state/jwt.h"

/* What jwt.c, jwt_key.c, jwt_pem.c and jwt_sign.c share. */

#define VYX_JWT_RSA_MIN 256 /* bytes of a modulus */
#define VYX_JWT_RSA_MAX 512
#define VYX_JWT_POINT 65 /* of P-256, uncompressed */
#define VYX_JWT_ES256_SIG 64

struct vyx_jwt_key {
	unsigned algs;
	int any_kid; /* not from a JWKS */
	char *kid;   /* NULL: none */
	size_t kid_n;
	unsigned char n[VYX_JWT_RSA_MAX]; /* RSA modulus, or the point */
	size_t n_len;
	unsigned char e[4];
	size_t e_len;
	br_hmac_key_context mac[3]; /* HS256, HS384, HS512 */
};

struct vyx_jwt_keys {
	size_t n;
	struct vyx_jwt_key key[];
};

/* Fill a key, or say what is wrong with it. */
const char *vyx_jwt_key_rsa(struct vyx_jwt_key *k, const unsigned char *n,
    size_t n_len, const unsigned char *e, size_t e_len);
const char *vyx_jwt_key_ec(struct vyx_jwt_key *k, const unsigned char *point,
    size_t len);
void vyx_jwt_mac_init(br_hmac_key_context mac[3], struct vyx_str secret);
/* The MAC of HS256, HS384 or HS512 into out[64]; its length. */
size_t vyx_jwt_mac(const br_hmac_key_context mac[3], enum vyx_jwt_alg alg,
    struct vyx_str text, unsigned char out[64]);
void vyx_jwt_sha256(struct vyx_str text, unsigned char out[32]);
/* PKCS #1 1.5 names the hash in the signature. */
extern const unsigned char vyx_jwt_oid[];
/* Overwrite; the compiler may not leave it out. */
void vyx_jwt_wipe(void *p, size_t n);

/* The one object of a PEM text, at most cap bytes of DER in der[]. */
const char *vyx_jwt_pem(struct vyx_str text, char name[128], unsigned char *der,
    size_t cap, size_t *n);
#define VYX_JWT_DER_MAX 16384

/* A strict JSON object; NULL when it is none. */
struct json_t *vyx_jwt_object(const unsigned char *p, size_t n);

#endif
