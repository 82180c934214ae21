/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/limit.h"

/*
 * A limit, then two bytes a request: whose, and how much later. What passed
 * is written down, and the promises of lib/state/limit.h held against it: the
 * whole limit after silence, at most twice of it in a window's length, the
 * limit on average, and remaining and Retry-After that are true.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())
#define WINDOW (VYX_LIMIT_S * UINT64_C(1000))
#define KEYS 4
#define STEPS 512
#define ROOM 4096 /* bytes of a table for eight entries, and more */

static _Alignas(64) unsigned char mem[ROOM], was[ROOM];
static size_t size;
static int64_t limit;
static struct {
	uint64_t at[STEPS]; /* what passed, ms */
	size_t n;
	uint64_t asked; /* last, ms; 0: never */
} past[KEYS];

static uint64_t
key(const struct vyx_limit *t, unsigned k)
{
	static const uint8_t ip[16] = { [10] = 255, [11] = 255, 127, 0, 0, 1 };

	if (k < 2)
		return vyx_limit_key_token(t, k, VYX_STR("a"));
	return vyx_limit_key_ip(t, 0, k == 2 ? ip : NULL);
}

/* Ask on a copy, so that it does not count. */
static void
check_next(const struct vyx_limit *t, uint64_t k, uint64_t now,
    const struct vyx_limit_got *got)
{
	memcpy(was, mem, size);
	if (got->allowed) {
		for (uint32_t i = 0; i < got->remaining; i++)
			CHECK(vyx_limit_take(t, k, limit, now).allowed);
		CHECK(!vyx_limit_take(t, k, limit, now).allowed);
	} else
		CHECK(vyx_limit_take(t, k, limit, now + got->retry_s * 1000)
		          .allowed);
	memcpy(mem, was, size);
}

static void
passed(unsigned k, uint64_t now)
{
	size_t in = 0;

	past[k].at[past[k].n++] = now;
	for (size_t i = 0; i < past[k].n; i++)
		in += past[k].at[i] + WINDOW > now;
	CHECK(in <= 2 * (size_t)limit);
	/* windows begin at whole seconds: one may be there a second early */
	CHECK(past[k].n <=
	    (size_t)limit * ((now - past[k].at[0] + 1000) / WINDOW + 1));
}

static void
take(const struct vyx_limit *t, unsigned k, uint64_t now)
{
	uint64_t id = key(t, k);
	struct vyx_limit_got got;
	char lines[VYX_LIMIT_HEADERS];

	memcpy(was, mem, size);
	got = vyx_limit_take(t, id, limit, now);
	CHECK(got.reset_s >= 1);
	CHECK(vyx_limit_headers(lines, sizeof lines, limit, &got) > 0);
	if (got.allowed) {
		CHECK(!got.retry_s && got.remaining < limit);
		CHECK(got.reset_s <= VYX_LIMIT_S);
		passed(k, now);
	} else {
		CHECK(got.retry_s >= 1 && !got.remaining);
		CHECK(got.retry_s <= 2 * VYX_LIMIT_S);
		CHECK(!memcmp(was, mem, size)); /* it writes nothing */
	}
	if (!past[k].asked || now - past[k].asked > 2 * WINDOW)
		CHECK(got.allowed && got.remaining == limit - 1);
	past[k].asked = now;
	check_next(t, id, now, &got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t random[16] = "0123456789abcdef";
	uint64_t now = 12345678;
	struct vyx_limit t;

	if (!n)
		return 0;
	size = vyx_limit_size(8);
	CHECK(size && size <= sizeof mem);
	vyx_limit_init(mem, size, random);
	CHECK(vyx_limit_valid(mem, size));
	CHECK(vyx_limit_attach(&t, mem, size));
	memset(past, 0, sizeof past);
	limit = 1 + data[0] % 16;
	for (size_t i = 1; i + 1 < n && i < 2 * STEPS; i += 2) {
		/* ms, tenths, or seconds of up to two windows */
		uint64_t later = data[i + 1];

		now += later * (data[i] & 4 ? 1 : data[i] & 8 ? 100 : 1000);
		take(&t, data[i] % KEYS, now);
	}
	CHECK(vyx_limit_replaced(&t) == 0);
	return 0;
}
