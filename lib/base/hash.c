/* SPDX-License-Identifier: ISC */
/* SipHash-1-3 (Aumasson, Bernstein 2012), little-endian. */
#include "base/bytes.h"

#define ROT(x, b) ((x) << (b) | (x) >> (64 - (b)))

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = ROT(v[1], 13) ^ v[0];
	v[3] = ROT(v[3], 16) ^ v[2];
	v[0] = ROT(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = ROT(v[1], 17) ^ v[2];
	v[3] = ROT(v[3], 21) ^ v[0];
	v[2] = ROT(v[2], 32);
}

static uint64_t
load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

uint64_t
vyx_hash(const uint8_t key[16], const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint64_t k0 = load(key), k1 = load(key + 8), last = (uint64_t)n << 56;
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };

	for (; n >= 8; p += 8, n -= 8) {
		v[3] ^= load(p);
		sip_round(v);
		v[0] ^= load(p);
	}
	for (size_t i = 0; i < n; i++)
		last |= (uint64_t)p[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
