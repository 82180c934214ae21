/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "state/jwt_int.h"

struct vyx_jwt_signer {
	enum vyx_jwt_alg alg;
	br_hmac_key_context mac[3];
	br_skey_decoder_context key; /* RS256 and ES256: the key is in it */
};

static const char *
read_key(struct vyx_jwt_signer *s, struct vyx_str text)
{
	unsigned char der[VYX_JWT_DER_MAX];
	char name[128];
	const br_ec_private_key *ec;
	const br_rsa_private_key *rsa;
	size_t n;
	const char *why = vyx_jwt_pem(text, name, der, sizeof(der), &n);

	if (!why && !strstr(name, "PRIVATE KEY"))
		why = "it is no private key";
	if (!why && strstr(name, "ENCRYPTED"))
		why = "an encrypted key cannot be read";
	br_skey_decoder_init(&s->key);
	if (!why)
		br_skey_decoder_push(&s->key, der, n);
	vyx_jwt_wipe(der, sizeof(der));
	if (why)
		return why;
	rsa = br_skey_decoder_get_rsa(&s->key);
	ec = br_skey_decoder_get_ec(&s->key);
	if (s->alg == VYX_JWT_RS256 && !rsa)
		return "RS256 needs an RSA key";
	if (s->alg == VYX_JWT_RS256 &&
	    (rsa->n_bitlen < 8 * VYX_JWT_RSA_MIN ||
	        rsa->n_bitlen > 8 * VYX_JWT_RSA_MAX))
		return "an RSA key has 2048 to 4096 bits";
	if (s->alg == VYX_JWT_ES256 && (!ec || ec->curve != BR_EC_secp256r1))
		return "ES256 needs an EC key of P-256";
	return NULL;
}

struct vyx_jwt_signer *
vyx_jwt_signer_new(enum vyx_jwt_alg alg, struct vyx_str key, const char **why)
{
	struct vyx_jwt_signer *s = calloc(1, sizeof(*s));

	*why = NULL;
	if (!s) {
		*why = "out of memory";
		return NULL;
	}
	s->alg = alg;
	if (alg == VYX_JWT_RS256 || alg == VYX_JWT_ES256)
		*why = read_key(s, key);
	else if (alg >= VYX_JWT_NONE)
		*why = "there is no such algorithm";
	else if (!key.n)
		*why = "the secret is empty";
	else if (key.n > VYX_JWT_TEXT_MAX)
		*why = "the secret is too long";
	else
		vyx_jwt_mac_init(s->mac, key);
	if (!*why)
		return s;
	vyx_jwt_signer_free(s);
	errno = EINVAL;
	return NULL;
}

void
vyx_jwt_signer_free(struct vyx_jwt_signer *s)
{
	if (!s)
		return;
	vyx_jwt_wipe(s, sizeof(*s));
	free(s);
}

/* Into sig[VYX_JWT_RSA_MAX]; its length, 0 when the key was no good. ES256
 * needs no random number: it takes one from the key and the text (RFC 6979). */
static size_t
signature(const struct vyx_jwt_signer *s, struct vyx_str text,
    unsigned char *sig)
{
	const br_rsa_private_key *rsa;
	unsigned char hash[32];

	if (VYX_JWT_HMAC & VYX_JWT_BIT(s->alg))
		return vyx_jwt_mac(s->mac, s->alg, text, sig);
	vyx_jwt_sha256(text, hash);
	if (s->alg == VYX_JWT_ES256)
		return br_ecdsa_sign_raw_get_default()(br_ec_get_default(),
		    &br_sha256_vtable, hash, br_skey_decoder_get_ec(&s->key),
		    sig);
	rsa = br_skey_decoder_get_rsa(&s->key);
	if (!rsa ||
	    !br_rsa_pkcs1_sign_get_default()(vyx_jwt_oid, hash, 32, rsa, sig))
		return 0;
	return (rsa->n_bitlen + 7) / 8;
}

static int
put_header(const struct vyx_jwt_signer *s, struct vyx_str kid,
    struct vyx_buf *out)
{
	struct vyx_buf h = { .max = VYX_JWT_TOKEN_MAX };
	int done = vyx_buf_fmt(&h, "{\"alg\":\"%s\",\"typ\":\"JWT\"",
	               vyx_jwt_alg_name(s->alg)) &&
	    (!kid.n ||
	        (vyx_buf_puts(&h, ",\"kid\":\"") && vyx_buf_json(&h, kid) &&
	            vyx_buf_putc(&h, '"'))) &&
	    vyx_buf_putc(&h, '}') && vyx_jwt_b64_encode(h.p, h.n, out);

	vyx_buf_free(&h);
	return done;
}

int
vyx_jwt_sign(const struct vyx_jwt_signer *s, struct vyx_str claims,
    struct vyx_str kid, struct vyx_buf *out)
{
	struct vyx_buf t = { .max = VYX_JWT_TOKEN_MAX };
	unsigned char sig[VYX_JWT_RSA_MAX];
	json_t *j = vyx_jwt_object((const unsigned char *)claims.p, claims.n);
	int done = 0;
	size_t n;

	if (!j) {
		errno = EINVAL;
		return 0;
	}
	json_decref(j);
	if (put_header(s, kid, &t) && vyx_buf_putc(&t, '.') &&
	    vyx_jwt_b64_encode(claims.p, claims.n, &t)) {
		n = signature(s, vyx_buf_str(&t), sig);
		errno = EINVAL;
		done = n && vyx_buf_putc(&t, '.') &&
		    vyx_jwt_b64_encode(sig, n, &t) &&
		    vyx_buf_putstr(out, vyx_buf_str(&t));
	}
	vyx_buf_free(&t);
	return done;
}
