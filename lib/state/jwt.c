/* SPDX-License-Identifier: ISC */
#include <jansson.h>
#include <stdlib.h>

#include "state/jwt_int.h"

#define PART_MAX (VYX_JWT_TOKEN_MAX / 4 * 3)
#define TIME_MAX (INT64_C(1) << 53) /* RFC 7493 2.2: exact in every JSON */

static const char *const names[] = {
#define NAME(id) #id,
	VYX_JWT_ALGS(NAME)
};

enum vyx_jwt_alg
vyx_jwt_alg_scan(struct vyx_str name)
{
	enum vyx_jwt_alg a = VYX_JWT_HS256;

	while (a < VYX_JWT_NONE && !vyx_str_eq(name, VYX_STRZ(names[a])))
		a++;
	return a;
}

const char *
vyx_jwt_alg_name(enum vyx_jwt_alg alg)
{
	return alg < VYX_JWT_NONE ? names[alg] : "none";
}

const char *
vyx_jwt_why(enum vyx_jwt_got got)
{
	static const char *const why[] = {
#define WHY(id, text) text,
		VYX_JWT_GOTS(WHY)
	};

	return why[got];
}

/* Whether objects and lists go no deeper than VYX_JWT_DEPTH. */
static int
shallow(const unsigned char *p, size_t n)
{
	int depth = 0, quoted = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"')
			quoted = !quoted;
		else if (quoted)
			i += p[i] == '\\';
		else if (p[i] == '{' || p[i] == '[')
			depth++;
		else if (p[i] == '}' || p[i] == ']')
			depth--;
		if (depth > VYX_JWT_DEPTH)
			return 0;
	}
	return 1;
}

json_t *
vyx_jwt_object(const unsigned char *p, size_t n)
{
	json_t *j = NULL;

	if (shallow(p, n))
		j = json_loadb((const char *)p, n, JSON_REJECT_DUPLICATES,
		    NULL);
	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

static struct vyx_str
string(const json_t *j)
{
	return (struct vyx_str){ json_string_value(j), json_string_length(j) };
}

/* The key that may check this token, or VYX_JWT_ALG, VYX_JWT_KID. */
static enum vyx_jwt_got
choose(const struct vyx_jwt_keys *k, enum vyx_jwt_alg alg, const json_t *kid,
    const struct vyx_jwt_key **out)
{
	enum vyx_jwt_got got = VYX_JWT_ALG;

	if (kid && !json_is_string(kid))
		return VYX_JWT_KID;
	*out = NULL;
	for (size_t i = 0; i < k->n; i++) {
		const struct vyx_jwt_key *key = &k->key[i];

		if (!(key->algs & VYX_JWT_BIT(alg)))
			continue;
		got = VYX_JWT_KID;
		if (kid && !key->any_kid &&
		    (!key->kid ||
		        !vyx_str_eq(string(kid),
		            (struct vyx_str){ key->kid, key->kid_n })))
			continue;
		if (*out)
			return VYX_JWT_KID; /* which one is meant? */
		*out = key;
	}
	return *out ? VYX_JWT_OK : got;
}

static enum vyx_jwt_got
check_header(const json_t *h, const struct vyx_jwt_keys *k,
    const struct vyx_jwt_rules *r, enum vyx_jwt_alg *alg,
    const struct vyx_jwt_key **key)
{
	const json_t *j = json_object_get(h, "alg");

	*alg = json_is_string(j) ? vyx_jwt_alg_scan(string(j)) : VYX_JWT_NONE;
	if (*alg == VYX_JWT_NONE || !(r->algs & VYX_JWT_BIT(*alg)))
		return VYX_JWT_ALG;
	if (json_object_get(h, "crit"))
		return VYX_JWT_CRIT;
	j = json_object_get(h, "b64");
	if (j && !json_is_true(j))
		return VYX_JWT_CRIT;
	j = json_object_get(h, "typ");
	if (j &&
	    (!json_is_string(j) ||
	        (!vyx_str_caseeq(string(j), VYX_STR("JWT")) &&
	            !vyx_str_caseeq(string(j), VYX_STR("at+jwt")))))
		return VYX_JWT_TYP;
	return choose(k, *alg, json_object_get(h, "kid"), key);
}

/* Takes as long for a wrong byte in front as for one at the end. */
static int
same(const unsigned char *a, const unsigned char *b, size_t n)
{
	volatile unsigned char diff = 0;

	for (size_t i = 0; i < n; i++)
		diff = (unsigned char)(diff | (a[i] ^ b[i]));
	return !diff;
}

static int
all_zero(const unsigned char *p, size_t n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	return !n;
}

static int
right_rsa(const struct vyx_jwt_key *k, const unsigned char hash[32],
    const unsigned char *sig, size_t n)
{
	unsigned char bn[VYX_JWT_RSA_MAX], be[4], got[32];
	br_rsa_public_key pk = { bn, k->n_len, be, k->e_len };

	if (n != k->n_len)
		return 0;
	memcpy(bn, k->n, k->n_len);
	memcpy(be, k->e, k->e_len);
	return br_rsa_pkcs1_vrfy_get_default()(sig, n, vyx_jwt_oid, 32, &pk,
	           got) &&
	    same(got, hash, 32);
}

static int
right_ec(const struct vyx_jwt_key *k, const unsigned char hash[32],
    const unsigned char *sig, size_t n)
{
	unsigned char q[VYX_JWT_POINT];
	br_ec_public_key pk = { BR_EC_secp256r1, q, sizeof(q) };

	/* r and s are never zero (FIPS 186-5 6.4.2): CVE-2022-21449. BearSSL
	 * refuses them today, and does not promise it. */
	if (n != VYX_JWT_ES256_SIG || all_zero(sig, 32) ||
	    all_zero(sig + 32, 32))
		return 0;
	memcpy(q, k->n, sizeof(q));
	return br_ecdsa_vrfy_raw_get_default()(br_ec_get_default(), hash, 32,
	           &pk, sig, n) == 1;
}

static int
right(const struct vyx_jwt_key *k, enum vyx_jwt_alg alg, struct vyx_str text,
    const unsigned char *sig, size_t n)
{
	unsigned char mac[64], hash[32];

	switch (alg) {
	case VYX_JWT_HS256:
	case VYX_JWT_HS384:
	case VYX_JWT_HS512:
		return vyx_jwt_mac(k->mac, alg, text, mac) == n &&
		    same(mac, sig, n);
	case VYX_JWT_RS256:
		vyx_jwt_sha256(text, hash);
		return right_rsa(k, hash, sig, n);
	case VYX_JWT_ES256:
		vyx_jwt_sha256(text, hash);
		return right_ec(k, hash, sig, n);
	case VYX_JWT_NONE:
	default:
		return 0;
	}
}

/* A NumericDate (RFC 7519 2), rounded up: what holds at a whole second holds
 * for that one too. 0: it is none. */
static int
seconds(const json_t *j, int64_t *out)
{
	double d;

	if (json_is_integer(j)) {
		*out = json_integer_value(j);
		return *out >= -TIME_MAX && *out <= TIME_MAX;
	}
	if (!json_is_real(j))
		return 0;
	d = json_real_value(j);
	if (!(d >= -(double)TIME_MAX && d <= (double)TIME_MAX))
		return 0;
	*out = (int64_t)d;
	*out += (double)*out < d;
	return 1;
}

static enum vyx_jwt_got
check_times(const json_t *c, const struct vyx_jwt_rules *r, int64_t now,
    int64_t *exp)
{
	const json_t *nbf = json_object_get(c, "nbf"),
	             *iat = json_object_get(c, "iat"),
	             *end = json_object_get(c, "exp");
	int64_t t;

	*exp = INT64_MAX;
	if (!end && r->require_exp)
		return VYX_JWT_NO_EXP;
	if (end && !seconds(end, exp))
		return VYX_JWT_TIME;
	if (end && *exp <= now - r->leeway_s)
		return VYX_JWT_EXPIRED;
	if (nbf && !seconds(nbf, &t))
		return VYX_JWT_TIME;
	if (nbf && t > now + r->leeway_s)
		return VYX_JWT_NBF;
	if (iat && !seconds(iat, &t))
		return VYX_JWT_TIME;
	if (iat && t > now + r->leeway_s)
		return VYX_JWT_IAT;
	return VYX_JWT_OK;
}

static int
meant(const struct vyx_jwt_rules *r, const json_t *j)
{
	for (size_t i = 0; i < r->n_audience; i++)
		if (vyx_str_eq(string(j), r->audience[i]))
			return 1;
	return 0;
}

static int
check_audience(const json_t *aud, const struct vyx_jwt_rules *r)
{
	int ours = !r->n_audience;
	const json_t *item;
	size_t i;

	if (!aud)
		return ours;
	if (json_is_string(aud))
		return ours || meant(r, aud);
	if (!json_is_array(aud))
		return 0;
	json_array_foreach(aud, i, item)
	{
		if (!json_is_string(item))
			return 0;
		ours |= meant(r, item);
	}
	return ours;
}

static int
check_roles(const json_t *roles, struct vyx_jwt_claims *out)
{
	const json_t *item;
	size_t i;

	if (!roles)
		return 1;
	if (!json_is_array(roles) || json_array_size(roles) > VYX_JWT_ROLES_MAX)
		return 0;
	json_array_foreach(roles, i, item)
	{
		if (!json_is_string(item))
			return 0;
		out->roles[out->n_roles++] = string(item);
	}
	return 1;
}

static enum vyx_jwt_got
check_claims(const json_t *c, const struct vyx_jwt_rules *r, int64_t now,
    struct vyx_jwt_claims *out)
{
	const json_t *iss = json_object_get(c, "iss"),
	             *sub = json_object_get(c, "sub"),
	             *jti = json_object_get(c, "jti");
	enum vyx_jwt_got got = check_times(c, r, now, &out->exp);

	if (got != VYX_JWT_OK)
		return got;
	if ((iss && !json_is_string(iss)) ||
	    (r->issuer.n && (!iss || !vyx_str_eq(string(iss), r->issuer))))
		return VYX_JWT_ISS;
	if (!check_audience(json_object_get(c, "aud"), r))
		return VYX_JWT_AUD;
	if ((sub && !json_is_string(sub)) || (jti && !json_is_string(jti)))
		return VYX_JWT_SUB;
	if (!check_roles(json_object_get(c, "roles"), out))
		return VYX_JWT_ROLES;
	out->sub = string(sub);
	return VYX_JWT_OK;
}

enum vyx_jwt_got
vyx_jwt_check(const struct vyx_jwt_keys *k, const struct vyx_jwt_rules *r,
    struct vyx_str token, int64_t now_s, struct vyx_jwt_claims *out)
{
	unsigned char buf[PART_MAX];
	struct vyx_str rest = token, head, body, signed_text;
	const struct vyx_jwt_key *key;
	enum vyx_jwt_alg alg;
	enum vyx_jwt_got got;
	json_t *j;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (token.n > VYX_JWT_TOKEN_MAX)
		return VYX_JWT_SIZE;
	head = vyx_str_cut(&rest, '.');
	body = rest.p ? vyx_str_cut(&rest, '.') : rest;
	if (!rest.p || memchr(rest.p, '.', rest.n))
		return VYX_JWT_PARTS;
	if (!vyx_jwt_b64_decode(head, buf, sizeof(buf), &n))
		return VYX_JWT_BASE64;
	if ((j = vyx_jwt_object(buf, n)) == NULL)
		return VYX_JWT_HEADER;
	got = check_header(j, k, r, &alg, &key);
	json_decref(j);
	if (got != VYX_JWT_OK)
		return got;
	signed_text = (struct vyx_str){ token.p, head.n + 1 + body.n };
	if (!vyx_jwt_b64_decode(rest, buf, sizeof(buf), &n))
		return VYX_JWT_BASE64;
	if (!right(key, alg, signed_text, buf, n))
		return VYX_JWT_SIGNATURE;
	if (!vyx_jwt_b64_decode(body, buf, sizeof(buf), &n))
		return VYX_JWT_BASE64;
	if ((out->all = vyx_jwt_object(buf, n)) == NULL)
		return VYX_JWT_CLAIMS;
	if ((got = check_claims(out->all, r, now_s, out)) != VYX_JWT_OK)
		vyx_jwt_claims_free(out);
	return got;
}

void
vyx_jwt_claims_free(struct vyx_jwt_claims *c)
{
	json_decref(c->all);
	memset(c, 0, sizeof(*c));
}

int
vyx_jwt_has_role(const struct vyx_jwt_claims *c, const struct vyx_str *want,
    size_t n)
{
	for (size_t i = 0; i < c->n_roles; i++)
		for (size_t w = 0; w < n; w++)
			if (vyx_str_eq(c->roles[i], want[w]))
				return 1;
	return 0;
}
