/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/jwt.h"
#include "state/jwt_cache.h"

/*
 * The first byte chooses: any bytes as a PEM text, as a JWKS, as a token, or
 * as header and claims of a token whose signature is right.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())

static const struct vyx_jwt_rules rules = { .algs = ~0u, .require_exp = 0 };

static void
check(const struct vyx_jwt_keys *k, struct vyx_str token)
{
	static const uint8_t seed[32];
	static struct vyx_jwt_cache *cache;
	struct vyx_jwt_claims c, kept;

	if (!cache)
		CHECK((cache = vyx_jwt_cache_new(seed)) != NULL);
	if (vyx_jwt_check(k, &rules, token, 1000000, &c) == VYX_JWT_OK) {
		CHECK(c.all && c.n_roles <= VYX_JWT_ROLES_MAX);
		CHECK(c.exp > 1000000);
		vyx_jwt_cache_put(cache, token, &c, 0);
		if (vyx_jwt_cache_get(cache, token, 1000000, &kept)) {
			CHECK(vyx_str_eq(kept.sub, c.sub));
			CHECK(kept.n_roles == c.n_roles);
			for (size_t i = 0; i < c.n_roles; i++)
				CHECK(vyx_str_eq(kept.roles[i], c.roles[i]));
		}
	} else
		CHECK(!c.all && !c.n_roles);
	vyx_jwt_claims_free(&c);
}

/* What decodes has one form. */
static void
round_trip(struct vyx_str s)
{
	unsigned char out[VYX_JWT_TOKEN_MAX];
	struct vyx_buf b = { .max = 0 };
	size_t n;

	if (!vyx_jwt_b64_decode(s, out, sizeof(out), &n))
		return;
	CHECK(vyx_jwt_b64_encode(out, n, &b));
	CHECK(vyx_str_eq(vyx_buf_str(&b), s));
	vyx_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vyx_jwt_keys *secret;
	static struct vyx_jwt_signer *signer;
	struct vyx_str s = { (const char *)data, size };
	struct vyx_jwt_keys *k = NULL;
	struct vyx_buf t = { .max = 0 };
	const char *why;

	if (!secret) {
		secret = vyx_jwt_keys_secret(VYX_STR("secret"), &why);
		signer =
		    vyx_jwt_signer_new(VYX_JWT_HS256, VYX_STR("secret"), &why);
	}
	if (!s.n)
		return 0;
	s = (struct vyx_str){ s.p + 1, s.n - 1 };
	switch (*data) {
	case 'P':
		k = vyx_jwt_keys_pem(s, &why);
		break;
	case 'K':
		k = vyx_jwt_keys_jwks(s, NULL, NULL, &why);
		break;
	case 'S':
		vyx_jwt_signer_free(vyx_jwt_signer_new(VYX_JWT_ES256, s, &why));
		break;
	case 'C':
		if (vyx_jwt_sign(signer, s, VYX_STR("k"), &t))
			check(secret, vyx_buf_str(&t));
		vyx_buf_free(&t);
		break;
	default:
		check(secret, s);
		round_trip(s);
	}
	if (k)
		CHECK(vyx_jwt_keys_algs(k) != 0);
	vyx_jwt_keys_free(k);
	return 0;
}
