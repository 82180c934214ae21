/* SPDX-License-Identifier: ISC */
/* jwt_pem - public keys as files have them: PEM around DER. */
#include <errno.h>
#include <stdlib.h>

#include "state/jwt_int.h"

struct sink {
	unsigned char *p;
	size_t cap, n;
	int over;
};

static void
append(void *arg, const void *p, size_t n)
{
	struct sink *s = arg;

	if (n > s->cap - s->n) {
		s->over = 1;
		return;
	}
	memcpy(s->p + s->n, p, n);
	s->n += n;
}

const char *
vyx_jwt_pem(struct vyx_str text, char name[128], unsigned char *der, size_t cap,
    size_t *n)
{
	struct sink sink = { der, cap, 0, 0 };
	br_pem_decoder_context pem;
	const char *why = NULL;
	unsigned ends = 0;
	int last = 0;

	if (text.n > VYX_JWT_TEXT_MAX)
		return "the text is too long";
	br_pem_decoder_init(&pem);
	/* the decoder sees the end of a line by its newline */
	for (int tail = 0; !why && (text.n || !tail);) {
		size_t got;

		tail = !text.n;
		got = br_pem_decoder_push(&pem, tail ? "\n" : text.p,
		    tail ? 1 : text.n);
		if (!tail)
			text = (struct vyx_str){ text.p + got, text.n - got };
		switch (br_pem_decoder_event(&pem)) {
		case BR_PEM_BEGIN_OBJ:
			if (ends)
				why = "it has more than one PEM object";
			memcpy(name, br_pem_decoder_name(&pem), 127);
			name[127] = '\0';
			br_pem_decoder_setdest(&pem, append, &sink);
			last = 1;
			break;
		case BR_PEM_END_OBJ:
			ends++;
			last = 0;
			break;
		case BR_PEM_ERROR:
			why = "its PEM is broken";
			break;
		default:
			break;
		}
	}
	vyx_jwt_wipe(&pem, sizeof(pem));
	*n = sink.n;
	if (!why && last)
		why = "its PEM has no end";
	if (!why && !ends)
		why = "it has no PEM object";
	if (!why && sink.over)
		why = "its PEM object is too long";
	return why;
}

/* Cut one DER element with this tag off *s: lengths must be the shortest. */
static int
der_cut(struct vyx_str *s, unsigned char tag, struct vyx_str *out)
{
	const unsigned char *p = (const unsigned char *)s->p;
	size_t len, head = 2;

	if (s->n < 2 || p[0] != tag)
		return 0;
	len = p[1];
	if (len == 0x81 && s->n >= 3 && p[2] >= 0x80) {
		len = p[2];
		head = 3;
	} else if (len == 0x82 && s->n >= 4 && p[2] != 0) {
		len = (size_t)p[2] << 8 | p[3];
		head = 4;
	} else if (len >= 0x80)
		return 0;
	if (len > s->n - head)
		return 0;
	*out = (struct vyx_str){ s->p + head, len };
	*s = (struct vyx_str){ s->p + head + len, s->n - head - len };
	return 1;
}

#define DER_INTEGER 0x02
#define DER_BITS 0x03
#define DER_NULL 0x05
#define DER_OID 0x06
#define DER_SEQUENCE 0x30

/* RFC 8017 A.1.1: modulus and exponent. */
static const char *
der_rsa(struct vyx_jwt_key *k, struct vyx_str s)
{
	struct vyx_str seq, n, e;

	if (!der_cut(&s, DER_SEQUENCE, &seq) || s.n ||
	    !der_cut(&seq, DER_INTEGER, &n) ||
	    !der_cut(&seq, DER_INTEGER, &e) || seq.n || !n.n || !e.n ||
	    (n.p[0] & 0x80) || (e.p[0] & 0x80))
		return "its DER is broken";
	return vyx_jwt_key_rsa(k, (const unsigned char *)n.p, n.n,
	    (const unsigned char *)e.p, e.n);
}

/* RFC 5280 4.1: algorithm, then the key in a bit string; RFC 3279 2.3.1 and
 * RFC 5480 2.1 name the two algorithms. */
static const char *
der_spki(struct vyx_jwt_key *k, struct vyx_str s)
{
	static const char rsa[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
	static const char ec[] = "\x2a\x86\x48\xce\x3d\x02\x01";
	static const char p256[] = "\x2a\x86\x48\xce\x3d\x03\x01\x07";
	struct vyx_str spki, alg, bits, oid, rest;

	if (!der_cut(&s, DER_SEQUENCE, &spki) || s.n ||
	    !der_cut(&spki, DER_SEQUENCE, &alg) ||
	    !der_cut(&spki, DER_BITS, &bits) || spki.n ||
	    !der_cut(&alg, DER_OID, &oid) || bits.n < 2 || bits.p[0] != 0)
		return "its DER is broken";
	bits = (struct vyx_str){ bits.p + 1, bits.n - 1 };
	if (vyx_str_eq(oid, VYX_STR(rsa))) {
		if (!der_cut(&alg, DER_NULL, &rest) || rest.n || alg.n)
			return "its DER is broken";
		return der_rsa(k, bits);
	}
	if (!vyx_str_eq(oid, VYX_STR(ec)))
		return "a key is RSA or EC";
	if (!der_cut(&alg, DER_OID, &oid) || alg.n ||
	    !vyx_str_eq(oid, VYX_STR(p256)))
		return "an EC key is of P-256";
	return vyx_jwt_key_ec(k, (const unsigned char *)bits.p, bits.n);
}

static const char *
certificate(struct vyx_jwt_key *k, const unsigned char *der, size_t n)
{
	br_x509_decoder_context x;
	const br_x509_pkey *pk;

	br_x509_decoder_init(&x, NULL, NULL);
	br_x509_decoder_push(&x, der, n);
	pk = br_x509_decoder_get_pkey(&x);
	if (!pk)
		return "its certificate is broken";
	if (pk->key_type == BR_KEYTYPE_RSA)
		return vyx_jwt_key_rsa(k, pk->key.rsa.n, pk->key.rsa.nlen,
		    pk->key.rsa.e, pk->key.rsa.elen);
	if (pk->key.ec.curve != BR_EC_secp256r1)
		return "an EC key is of P-256";
	return vyx_jwt_key_ec(k, pk->key.ec.q, pk->key.ec.qlen);
}

static const char *
read_pem(struct vyx_jwt_key *k, struct vyx_str text)
{
	unsigned char der[VYX_JWT_DER_MAX];
	char name[128];
	size_t n;
	const char *why = vyx_jwt_pem(text, name, der, sizeof(der), &n);

	if (why)
		return why;
	if (!strcmp(name, "CERTIFICATE"))
		return certificate(k, der, n);
	if (!strcmp(name, "PUBLIC KEY"))
		return der_spki(k, (struct vyx_str){ (char *)der, n });
	vyx_jwt_wipe(der, sizeof(der));
	return strstr(name, "PRIVATE KEY")
	    ? "it is a private key: the public one is needed"
	    : "it is neither a PUBLIC KEY nor a CERTIFICATE";
}

struct vyx_jwt_keys *
vyx_jwt_keys_pem(struct vyx_str text, const char **why)
{
	struct vyx_jwt_keys *k = calloc(1, sizeof(*k) + sizeof(k->key[0]));

	*why = k ? read_pem(&k->key[0], text) : "out of memory";
	if (!*why) {
		k->n = 1;
		k->key[0].any_kid = 1;
		return k;
	}
	errno = k ? EINVAL : ENOMEM;
	free(k);
	return NULL;
}
