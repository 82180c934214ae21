/* SPDX-License-Identifier: ISC */
#include <bearssl.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "state/jwt.h"
#include "state/jwt_cache.h"

/*
 * Tokens: every rule of lib/state/jwt.h, the attacks of RFC 8725 2, the cache.
 * Not tested: signatures by other makers, which tests/vyx-token.bats has.
 */

#define NOW 1000000
#define SECRET "0123456789abcdef0123456789abcdef"
#define IN(s) s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s
#define HS "{\"alg\":\"HS256\"}"

static struct vyx_jwt_keys *keys;
static struct vyx_jwt_rules rules;
static struct vyx_buf token;

static int
setup(void **state)
{
	const char *why;

	(void)state;
	keys = vyx_jwt_keys_secret(VYX_STR(SECRET), &why);
	rules =
	    (struct vyx_jwt_rules){ .algs = VYX_JWT_HMAC, .require_exp = 1 };
	return !keys;
}

static int
teardown(void **state)
{
	(void)state;
	vyx_jwt_keys_free(keys);
	vyx_buf_free(&token);
	return 0;
}

/* Header and claims as they stand, with the MAC of HS256, in `token`. */
static struct vyx_str
mac(struct vyx_str secret, struct vyx_str header, struct vyx_str claims)
{
	br_hmac_key_context k;
	br_hmac_context c;
	unsigned char out[32];

	token.n = 0;
	assert_true(vyx_jwt_b64_encode(header.p, header.n, &token));
	assert_true(vyx_buf_putc(&token, '.'));
	assert_true(vyx_jwt_b64_encode(claims.p, claims.n, &token));
	br_hmac_key_init(&k, &br_sha256_vtable, secret.p, secret.n);
	br_hmac_init(&c, &k, 0);
	br_hmac_update(&c, token.p, token.n);
	br_hmac_out(&c, out);
	assert_true(vyx_buf_putc(&token, '.'));
	assert_true(vyx_jwt_b64_encode(out, 32, &token));
	return vyx_buf_str(&token);
}

static enum vyx_jwt_got
got_of(struct vyx_str t)
{
	struct vyx_jwt_claims c;
	enum vyx_jwt_got got = vyx_jwt_check(keys, &rules, t, NOW, &c);

	assert_true(!c.all == (got != VYX_JWT_OK));
	vyx_jwt_claims_free(&c);
	return got;
}

static enum vyx_jwt_got
claims(const char *text)
{
	return got_of(mac(VYX_STR(SECRET), VYX_STR(HS), VYX_STRZ(text)));
}

static enum vyx_jwt_got
header(const char *text)
{
	return got_of(mac(VYX_STR(SECRET), VYX_STRZ(text),
	    VYX_STR("{\"exp\":2000000}")));
}

static void
test_header(void **state)
{
	static const struct {
		const char *text;
		enum vyx_jwt_got got;
	} v[] = {
		{ HS, VYX_JWT_OK },
		{ "{\"alg\":\"HS256\",\"typ\":\"jwt\"}", VYX_JWT_OK },
		{ "{\"alg\":\"HS256\",\"typ\":\"AT+JWT\"}", VYX_JWT_OK },
		{ "{\"alg\":\"HS256\",\"typ\":\"x\"}", VYX_JWT_TYP },
		{ "{\"alg\":\"HS256\",\"typ\":null}", VYX_JWT_TYP },
		/* a secret has no name: any will do, if it is a text */
		{ "{\"alg\":\"HS256\",\"kid\":\"../x\"}", VYX_JWT_OK },
		{ "{\"alg\":\"HS256\",\"kid\":1}", VYX_JWT_KID },
		{ "{\"alg\":\"HS256\",\"crit\":[]}", VYX_JWT_CRIT },
		{ "{\"alg\":\"HS256\",\"b64\":false}", VYX_JWT_CRIT },
		{ "{\"alg\":\"none\"}", VYX_JWT_ALG },
		{ "{\"alg\":\"None\"}", VYX_JWT_ALG },
		{ "{\"alg\":\"NONE\"}", VYX_JWT_ALG },
		{ "{\"alg\":\"nOnE\"}", VYX_JWT_ALG },
		{ "{\"alg\":\"hs256\"}", VYX_JWT_ALG },
		{ "{\"alg\":\"RS256\"}", VYX_JWT_ALG },
		{ "{\"alg\":[\"HS256\"]}", VYX_JWT_ALG },
		{ "{}", VYX_JWT_ALG },
		{ "[]", VYX_JWT_HEADER },
		{ "", VYX_JWT_HEADER },
		{ "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", VYX_JWT_HEADER },
		{ "{\"alg\":\"HS384\"}", VYX_JWT_SIGNATURE },
	};

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(v); i++)
		assert_int_equal(header(v[i].text), v[i].got);
	rules.algs = VYX_JWT_BIT(VYX_JWT_HS512);
	assert_int_equal(header(HS), VYX_JWT_ALG);
	rules.algs = 0;
	assert_int_equal(header(HS), VYX_JWT_ALG);
	/* allowed, but no key is of that kind */
	rules.algs = VYX_JWT_BIT(VYX_JWT_RS256);
	assert_int_equal(header("{\"alg\":\"RS256\"}"), VYX_JWT_ALG);
}

static void
test_claims(void **state)
{
	static const struct {
		const char *text;
		enum vyx_jwt_got got;
	} v[] = {
		{ "{\"exp\":1000001}", VYX_JWT_OK },
		{ "{\"exp\":1000000}", VYX_JWT_EXPIRED },
		{ "{\"exp\":1000000.5}", VYX_JWT_OK },
		{ "{\"exp\":-1}", VYX_JWT_EXPIRED },
		{ "{}", VYX_JWT_NO_EXP },
		{ "{\"exp\":\"2000000\"}", VYX_JWT_TIME },
		{ "{\"exp\":null}", VYX_JWT_TIME },
		{ "{\"exp\":true}", VYX_JWT_TIME },
		{ "{\"exp\":9007199254740992}", VYX_JWT_OK },
		{ "{\"exp\":9007199254740993}", VYX_JWT_TIME },
		{ "{\"exp\":9223372036854775807}", VYX_JWT_TIME },
		{ "{\"exp\":1e99}", VYX_JWT_TIME },
		{ "{\"exp\":1e400}", VYX_JWT_CLAIMS },
		{ "{\"exp\":99999999999999999999}", VYX_JWT_CLAIMS },
		{ "{\"exp\":2e6,\"exp\":2e6}", VYX_JWT_CLAIMS },
		{ "{\"exp\":2e6,\"nbf\":1000000}", VYX_JWT_OK },
		{ "{\"exp\":2e6,\"nbf\":1000000.1}", VYX_JWT_NBF },
		{ "{\"exp\":2e6,\"nbf\":\"1\"}", VYX_JWT_TIME },
		{ "{\"exp\":2e6,\"iat\":1000000}", VYX_JWT_OK },
		{ "{\"exp\":2e6,\"iat\":1000001}", VYX_JWT_IAT },
		{ "{\"exp\":2e6,\"iat\":[]}", VYX_JWT_TIME },
		{ "{\"exp\":2e6,\"iss\":1}", VYX_JWT_ISS },
		{ "{\"exp\":2e6,\"aud\":[\"x\"]}", VYX_JWT_OK },
		{ "{\"exp\":2e6,\"aud\":[1]}", VYX_JWT_AUD },
		{ "{\"exp\":2e6,\"sub\":1}", VYX_JWT_SUB },
		{ "{\"exp\":2e6,\"sub\":\"a\\u0000b\"}", VYX_JWT_CLAIMS },
		{ "{\"exp\":2e6,\"jti\":1}", VYX_JWT_SUB },
		{ "{\"exp\":2e6,\"roles\":[]}", VYX_JWT_OK },
		{ "{\"exp\":2e6,\"roles\":\"admin\"}", VYX_JWT_ROLES },
		{ "{\"exp\":2e6,\"roles\":[1]}", VYX_JWT_ROLES },
		{ "{\"exp\":2e6} x", VYX_JWT_CLAIMS },
		{ "[]", VYX_JWT_CLAIMS },
		{ "{\"exp\":2e6,\"x\":\"\\\"" IN("[") "\"}", VYX_JWT_OK },
		{ "{\"exp\":2e6,\"x\":" IN("[") "1" IN("]") "}",
		    VYX_JWT_CLAIMS },
	};

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(v); i++)
		assert_int_equal(claims(v[i].text), v[i].got);
	/* a NUL byte behind the object is no end of it */
	assert_int_equal(got_of(mac(VYX_STR(SECRET), VYX_STR(HS),
	                     VYX_STR("{\"exp\":2000000}\0"))),
	    VYX_JWT_CLAIMS);
}

static void
test_rules(void **state)
{
	static const struct vyx_str us[] = { { "a", 1 }, { "b", 1 } };

	(void)state;
	rules.leeway_s = 10;
	assert_int_equal(claims("{\"exp\":999991}"), VYX_JWT_OK);
	assert_int_equal(claims("{\"exp\":999990}"), VYX_JWT_EXPIRED);
	assert_int_equal(claims("{\"exp\":2e6,\"nbf\":1000010}"), VYX_JWT_OK);
	assert_int_equal(claims("{\"exp\":2e6,\"nbf\":1000011}"), VYX_JWT_NBF);
	assert_int_equal(claims("{\"exp\":2e6,\"iat\":1000011}"), VYX_JWT_IAT);
	rules.require_exp = 0;
	assert_int_equal(claims("{}"), VYX_JWT_OK);
	assert_int_equal(claims("{\"exp\":1}"), VYX_JWT_EXPIRED);
	rules.issuer = VYX_STR("i");
	assert_int_equal(claims("{}"), VYX_JWT_ISS);
	assert_int_equal(claims("{\"iss\":\"I\"}"), VYX_JWT_ISS);
	assert_int_equal(claims("{\"iss\":\"i\"}"), VYX_JWT_OK);
	rules.issuer.n = 0;
	rules.audience = us;
	rules.n_audience = 2;
	assert_int_equal(claims("{}"), VYX_JWT_AUD);
	assert_int_equal(claims("{\"aud\":\"c\"}"), VYX_JWT_AUD);
	assert_int_equal(claims("{\"aud\":[]}"), VYX_JWT_AUD);
	assert_int_equal(claims("{\"aud\":[\"b\",1]}"), VYX_JWT_AUD);
	assert_int_equal(claims("{\"aud\":\"a\"}"), VYX_JWT_OK);
	assert_int_equal(claims("{\"aud\":[\"c\",\"b\"]}"), VYX_JWT_OK);
}

static void
test_form(void **state)
{
	static char big[VYX_JWT_TOKEN_MAX + 1];
	struct vyx_str t =
	    mac(VYX_STR(SECRET), VYX_STR(HS), VYX_STR("{\"exp\":2000000}"));
	char *copy = vyx_str_dup(t);
	size_t n = t.n;

	(void)state;
	assert_int_equal(got_of(t), VYX_JWT_OK);
	/* no byte of it may be another, or be missing: the last one's two
	 * bits that are left over too */
	for (size_t i = 0; i < n; i++) {
		char was = copy[i];

		for (int b = 0; b < 8; b++) {
			copy[i] = (char)(was ^ 1 << b);
			assert_int_not_equal(got_of((struct vyx_str){
			                         copy, n }),
			    VYX_JWT_OK);
		}
		copy[i] = was;
		assert_int_not_equal(got_of((struct vyx_str){ copy, i }),
		    VYX_JWT_OK);
	}
	vyx_buf_puts(&token, "=");
	assert_int_equal(got_of(vyx_buf_str(&token)), VYX_JWT_BASE64);
	token.p[token.n - 1] = '.';
	assert_int_equal(got_of(vyx_buf_str(&token)), VYX_JWT_PARTS);
	free(copy);
	assert_int_equal(got_of(VYX_STR("")), VYX_JWT_PARTS);
	assert_int_equal(got_of(VYX_STR("..")), VYX_JWT_HEADER);
	assert_int_equal(got_of(VYX_STR("eyJhbGciOiJIUzI1NiJ9.e30.")),
	    VYX_JWT_SIGNATURE);
	memset(big, 'A', sizeof(big));
	assert_int_equal(got_of((struct vyx_str){ big, sizeof(big) }),
	    VYX_JWT_SIZE);
	assert_int_equal(got_of((struct vyx_str){ big, sizeof(big) - 1 }),
	    VYX_JWT_PARTS);
}

static void
test_keys(void **state)
{
	static const char *const bad[] = { "", "{", "{}", "{\"keys\":1}",
		"{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
		/* not on the curve */
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\",\"y\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}" };
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(bad); i++) {
		assert_null(vyx_jwt_keys_jwks(VYX_STRZ(bad[i]), NULL, NULL,
		    &why));
		assert_non_null(why);
		assert_int_equal(errno, EINVAL);
		assert_null(vyx_jwt_keys_pem(VYX_STRZ(bad[i]), &why));
	}
	assert_null(vyx_jwt_keys_secret(VYX_STR(""), &why));
}

/* RFC 7515 A.3's key; the name of it chooses. */
#define A3                                                       \
	"\"kty\":\"EC\",\"crv\":\"P-256\","                      \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define A3_TEXT                                                    \
	"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA" \
	"4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."

static void
test_es256(void **state)
{
	static const char good[] =
	    A3_TEXT "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxL"
	            "a8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
	const char *why;

	(void)state;
	vyx_jwt_keys_free(keys);
	keys = vyx_jwt_keys_jwks(VYX_STR("{\"keys\":[{" A3 ",\"kid\":\"a\"}]}"),
	    NULL, NULL, &why);
	assert_non_null(keys);
	rules.algs = VYX_JWT_BIT(VYX_JWT_ES256);
	assert_int_equal(got_of(VYX_STR(good)), VYX_JWT_OK);
	/* r and s of zero, r alone, s alone */
	for (int i = 0; i < 3; i++) {
		unsigned char sig[64] = { 0 };

		memset(sig, 1, i == 1 ? 32 : 0);
		memset(sig + 32, 1, i == 2 ? 32 : 0);
		token.n = 0;
		vyx_buf_puts(&token, A3_TEXT);
		vyx_jwt_b64_encode(sig, 64, &token);
		assert_int_equal(got_of(vyx_buf_str(&token)),
		    VYX_JWT_SIGNATURE);
	}
	assert_int_equal(header("{\"alg\":\"ES256\",\"kid\":\"b\"}"),
	    VYX_JWT_KID);
	assert_int_equal(header("{\"alg\":\"ES256\",\"kid\":\"a\"}"),
	    VYX_JWT_SIGNATURE);
	/* a public key is no secret, whatever the rules say */
	rules.algs = VYX_JWT_HMAC | VYX_JWT_BIT(VYX_JWT_ES256);
	assert_int_equal(header(HS), VYX_JWT_ALG);
	vyx_jwt_keys_free(keys);
	keys = vyx_jwt_keys_jwks(VYX_STR("{\"keys\":[{" A3 "},{" A3
	                                 ",\"kid\":\"a\"}]}"),
	    NULL, NULL, &why);
	assert_int_equal(got_of(VYX_STR(good)), VYX_JWT_KID);
	assert_null(vyx_jwt_keys_jwks(VYX_STR("{\"keys\":[{" A3
	                                      ",\"kid\":\"a\"},{" A3
	                                      ",\"kid\":\"a\"}]}"),
	    NULL, NULL, &why));
}

static void
test_cache(void **state)
{
	static const uint8_t seed[32] = { 1 };
	struct vyx_jwt_cache *c = vyx_jwt_cache_new(seed);
	struct vyx_str want = VYX_STR("b"), t = VYX_STR("some.good.token");
	struct vyx_jwt_claims in = { .sub = VYX_STR("u"),
		.exp = 100,
		.n_roles = 2,
		.roles = { VYX_STR("a"), VYX_STR("b") } },
	                      out;
	char name[16];

	(void)state;
	assert_false(vyx_jwt_cache_get(c, t, 1, &out));
	vyx_jwt_cache_put(c, t, &in, 5);
	assert_true(vyx_jwt_cache_get(c, t, 104, &out));
	assert_true(vyx_str_eq(out.sub, in.sub));
	assert_int_equal(out.n_roles, 2);
	assert_true(vyx_jwt_has_role(&out, &want, 1));
	assert_null(out.all);
	assert_false(vyx_jwt_cache_get(c, VYX_STR("some.good.tokeN"), 1, &out));
	assert_false(vyx_jwt_cache_get(c, t, 105, &out));
	vyx_jwt_cache_put(c, t, &in, 0);
	vyx_jwt_cache_drop(c);
	assert_false(vyx_jwt_cache_get(c, t, 1, &out));
	/* what is asked for all the time outlives any number of others */
	vyx_jwt_cache_put(c, t, &in, 0);
	for (int i = 0; i < 50000; i++) {
		size_t n = vyx_dec_fmt(name, (uint64_t)i);

		vyx_jwt_cache_put(c, (struct vyx_str){ name, n }, &in, 0);
		assert_true(vyx_jwt_cache_get(c, t, 1, &out));
	}
	in.sub.n = VYX_JWT_CACHE_TEXT + 1;
	vyx_jwt_cache_put(c, VYX_STR("x"), &in, 0);
	assert_false(vyx_jwt_cache_get(c, VYX_STR("x"), 1, &out));
	vyx_jwt_cache_free(c);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = { TEST(test_header),
		TEST(test_claims), TEST(test_rules), TEST(test_form),
		TEST(test_keys), TEST(test_es256), TEST(test_cache) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
