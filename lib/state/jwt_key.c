/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "state/jwt_int.h"

const unsigned char vyx_jwt_oid[] = { 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
	0x04, 0x02, 0x01 };

void
vyx_jwt_wipe(void *p, size_t n)
{
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");
}

static void
strip(const unsigned char **p, size_t *n)
{
	while (*n && !**p) {
		++*p;
		--*n;
	}
}

const char *
vyx_jwt_key_rsa(struct vyx_jwt_key *k, const unsigned char *n, size_t n_len,
    const unsigned char *e, size_t e_len)
{
	strip(&n, &n_len);
	strip(&e, &e_len);
	/* a byte count alone would take 2041 bits */
	if (n_len < VYX_JWT_RSA_MIN || n_len > VYX_JWT_RSA_MAX ||
	    (n_len == VYX_JWT_RSA_MIN && !(n[0] & 0x80)))
		return "an RSA key has 2048 to 4096 bits";
	if (!(n[n_len - 1] & 1))
		return "an RSA modulus is odd";
	if (!e_len || e_len > sizeof(k->e) || !(e[e_len - 1] & 1) ||
	    (e_len == 1 && e[0] < 3))
		return "an RSA exponent is odd, from 3 to 2^32 - 1";
	memcpy(k->n, n, n_len);
	k->n_len = n_len;
	memcpy(k->e, e, e_len);
	k->e_len = e_len;
	k->algs = VYX_JWT_BIT(VYX_JWT_RS256);
	return NULL;
}

const char *
vyx_jwt_key_ec(struct vyx_jwt_key *k, const unsigned char *point, size_t len)
{
	static const unsigned char one[] = { 1 };
	unsigned char q[VYX_JWT_POINT];

	if (len != VYX_JWT_POINT || point[0] != 4)
		return "an EC key is an uncompressed point";
	memcpy(q, point, len);
	/* multiplied only to be looked at (RFC 8725 3.4) */
	if (!br_ec_get_default()->mul(q, len, one, 1, BR_EC_secp256r1) ||
	    memcmp(q, point, len) != 0)
		return "an EC key is a point on the curve";
	memcpy(k->n, point, len);
	k->n_len = len;
	k->algs = VYX_JWT_BIT(VYX_JWT_ES256);
	return NULL;
}

void
vyx_jwt_mac_init(br_hmac_key_context mac[3], struct vyx_str secret)
{
	br_hmac_key_init(&mac[0], &br_sha256_vtable, secret.p, secret.n);
	br_hmac_key_init(&mac[1], &br_sha384_vtable, secret.p, secret.n);
	br_hmac_key_init(&mac[2], &br_sha512_vtable, secret.p, secret.n);
}

size_t
vyx_jwt_mac(const br_hmac_key_context mac[3], enum vyx_jwt_alg alg,
    struct vyx_str text, unsigned char out[64])
{
	br_hmac_context c;

	br_hmac_init(&c, &mac[alg - VYX_JWT_HS256], 0);
	br_hmac_update(&c, text.p, text.n);
	return br_hmac_out(&c, out);
}

void
vyx_jwt_sha256(struct vyx_str text, unsigned char out[32])
{
	br_sha256_context c;

	br_sha256_init(&c);
	br_sha256_update(&c, text.p, text.n);
	br_sha256_out(&c, out);
}

struct vyx_jwt_keys *
vyx_jwt_keys_secret(struct vyx_str secret, const char **why)
{
	struct vyx_jwt_keys *k;

	errno = EINVAL;
	*why = "the secret is empty";
	if (!secret.n)
		return NULL;
	*why = "the secret is too long";
	if (secret.n > VYX_JWT_TEXT_MAX)
		return NULL;
	*why = "out of memory";
	if ((k = calloc(1, sizeof(*k) + sizeof(k->key[0]))) == NULL)
		return NULL;
	vyx_jwt_mac_init(k->key[0].mac, secret);
	k->key[0].algs = VYX_JWT_HMAC;
	k->key[0].any_kid = 1;
	k->n = 1;
	return k;
}

/* Member `name` in base64url, at most `cap` bytes. */
static int
bytes_of(json_t *jwk, const char *name, unsigned char *out, size_t cap,
    size_t *n)
{
	json_t *j = json_object_get(jwk, name);

	return json_is_string(j) &&
	    vyx_jwt_b64_decode((struct vyx_str){ json_string_value(j),
	                           json_string_length(j) },
	        out, cap, n);
}

/* Whether member `name` is absent, or is or has the word. */
static int
absent_or(json_t *jwk, const char *name, const char *word)
{
	json_t *j = json_object_get(jwk, name), *item;
	size_t i;

	if (!j)
		return 1;
	if (json_is_string(j))
		return !strcmp(json_string_value(j), word);
	json_array_foreach(j, i, item) if (json_is_string(item) &&
	    !strcmp(json_string_value(item), word)) return 1;
	return 0;
}

/* RFC 7518 6.2.1 and 6.3.1. */
static const char *
material(struct vyx_jwt_key *k, json_t *jwk)
{
	const char *kty = json_string_value(json_object_get(jwk, "kty"));
	const char *crv = json_string_value(json_object_get(jwk, "crv"));
	unsigned char n[VYX_JWT_RSA_MAX + 1], e[8], q[VYX_JWT_POINT] = { 4 };
	size_t n_len, e_len;

	if (kty && !strcmp(kty, "RSA")) {
		if (!bytes_of(jwk, "n", n, sizeof(n), &n_len) ||
		    !bytes_of(jwk, "e", e, sizeof(e), &e_len))
			return "an RSA key has n and e in base64url";
		return vyx_jwt_key_rsa(k, n, n_len, e, e_len);
	}
	if (!kty || strcmp(kty, "EC"))
		return "its kty is neither RSA nor EC";
	if (!crv || strcmp(crv, "P-256"))
		return "its crv is not P-256";
	if (!bytes_of(jwk, "x", q + 1, 32, &n_len) || n_len != 32 ||
	    !bytes_of(jwk, "y", q + 33, 32, &n_len) || n_len != 32)
		return "a P-256 key has x and y of 32 bytes in base64url";
	return vyx_jwt_key_ec(k, q, sizeof(q));
}

static const char *
read_jwk(struct vyx_jwt_key *k, json_t *jwk)
{
	json_t *kid = json_object_get(jwk, "kid");
	const char *why;

	if (!json_is_object(jwk))
		return "it is no object";
	if (!absent_or(jwk, "use", "sig") ||
	    !absent_or(jwk, "key_ops", "verify"))
		return "it is not for signatures";
	if (kid && !json_is_string(kid))
		return "its kid is no string";
	if ((why = material(k, jwk)) != NULL)
		return why;
	if (!absent_or(jwk, "alg",
	        k->algs == VYX_JWT_BIT(VYX_JWT_RS256) ? "RS256" : "ES256"))
		return "its alg is neither RS256 nor ES256, as its kty has it";
	if (!kid)
		return NULL;
	k->kid_n = json_string_length(kid);
	k->kid =
	    vyx_str_dup((struct vyx_str){ json_string_value(kid), k->kid_n });
	return k->kid ? NULL : "out of memory";
}

static int
twice(const struct vyx_jwt_keys *k, const struct vyx_jwt_key *key)
{
	for (size_t i = 0; key->kid && i < k->n; i++)
		if (k->key[i].algs == key->algs && k->key[i].kid &&
		    k->key[i].kid_n == key->kid_n &&
		    !memcmp(k->key[i].kid, key->kid, key->kid_n))
			return 1;
	return 0;
}

static const char *
read_jwks(struct vyx_jwt_keys *k, json_t *list, vyx_jwt_note *note, void *arg)
{
	json_t *jwk;
	size_t i;

	json_array_foreach(list, i, jwk)
	{
		struct vyx_jwt_key *key = &k->key[k->n];
		const char *why = read_jwk(key, jwk);

		if (!why && twice(k, key)) {
			free(key->kid);
			return "one kid has two keys";
		}
		if (!why)
			k->n++;
		else if (note)
			note(arg, i, why);
	}
	return k->n ? NULL : "no key in it can be used";
}

struct vyx_jwt_keys *
vyx_jwt_keys_jwks(struct vyx_str text, vyx_jwt_note *note, void *arg,
    const char **why)
{
	json_t *set, *list;
	struct vyx_jwt_keys *k = NULL;
	size_t n;
	int e = EINVAL;

	set = text.n > VYX_JWT_TEXT_MAX
	    ? NULL
	    : vyx_jwt_object((const unsigned char *)text.p, text.n);
	list = json_object_get(set, "keys");
	n = json_array_size(list);
	if (!json_is_array(list))
		*why = "it is no JSON object with a list `keys`";
	else if (n > VYX_JWT_KEYS_MAX)
		*why = "it has too many keys";
	else if ((k = calloc(1, sizeof(*k) + (n + 1) * sizeof(k->key[0]))) ==
	    NULL) {
		*why = "out of memory";
		e = ENOMEM;
	} else
		*why = read_jwks(k, list, note, arg);
	json_decref(set);
	if (!*why)
		return k;
	vyx_jwt_keys_free(k);
	errno = e;
	return NULL;
}

unsigned
vyx_jwt_keys_algs(const struct vyx_jwt_keys *k)
{
	unsigned algs = 0;

	for (size_t i = 0; i < k->n; i++)
		algs |= k->key[i].algs;
	return algs;
}

void
vyx_jwt_keys_free(struct vyx_jwt_keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++) {
		free(k->key[i].kid);
		vyx_jwt_wipe(&k->key[i], sizeof(k->key[i]));
	}
	free(k);
}
