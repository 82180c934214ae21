/* SPDX-License-Identifier: ISC */
#include "sys/wall.h"

#include <sys/random.h>

static uint64_t
ms_of(struct vyx_wall *w, uint64_t now)
{
	struct timespec t;

	if (now >= w->next) {
		clock_gettime(CLOCK_REALTIME, &t);
		w->less = (uint64_t)t.tv_sec * 1000 +
		    (uint64_t)t.tv_nsec / 1000000 - now / VYX_MS;
		w->next = now + VYX_SEC;
	}
	return w->less + now / VYX_MS;
}

struct vyx_str
vyx_wall_stamp(struct vyx_wall *w, uint64_t now)
{
	uint64_t ms = ms_of(w, now);
	time_t s = (time_t)(ms / 1000);
	unsigned m = (unsigned)(ms % 1000);
	struct tm tm;

	if (s != w->stamp_at) {
		w->stamp_at = s;
		gmtime_r(&s, &tm);
		strftime(w->stamp, sizeof w->stamp, "%Y-%m-%dT%H:%M:%S.000Z",
		    &tm);
	}
	w->stamp[20] = (char)('0' + m / 100);
	w->stamp[21] = (char)('0' + m / 10 % 10);
	w->stamp[22] = (char)('0' + m % 10);
	return (struct vyx_str){ w->stamp, 24 };
}

struct vyx_str
vyx_wall_date(struct vyx_wall *w, uint64_t now)
{
	time_t s = (time_t)(ms_of(w, now) / 1000);
	struct tm tm;

	if (s != w->date_at) {
		w->date_at = s;
		gmtime_r(&s, &tm);
		strftime(w->date, sizeof w->date, "%a, %d %b %Y %H:%M:%S GMT",
		    &tm);
	}
	return (struct vyx_str){ w->date, 29 };
}

static char *
hex(char *out, const unsigned char *in, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digit[in[i] >> 4];
		*out++ = digit[in[i] & 15];
	}
	return out;
}

/* `n` random bytes, each given once; NULL: the kernel gave none. */
static unsigned char *
chance(struct vyx_wall *w, size_t n)
{
	if (w->left < n) {
		if (getrandom(w->random, sizeof w->random, 0) !=
		    sizeof w->random)
			return NULL;
		w->left = sizeof w->random;
	}
	return w->random + (w->left -= n);
}

int
vyx_wall_trace(struct vyx_wall *w, char out[55])
{
	unsigned char *u = chance(w, 24);

	if (!u)
		return 0;
	u[0] |= 1; /* not all of them 0 */
	u[16] |= 1;
	memcpy(out, "00-", 3);
	hex(out + 3, u, 16);
	out[35] = '-';
	hex(out + 36, u + 16, 8);
	memcpy(out + 52, "-00", 3);
	return 1;
}

int64_t
vyx_wall_seconds(struct vyx_wall *w, uint64_t now)
{
	return (int64_t)(ms_of(w, now) / 1000);
}

int
vyx_wall_uuid(struct vyx_wall *w, char out[VYX_UUID])
{
	static const uint8_t part[] = { 4, 2, 2, 2, 6 };
	unsigned char *u = chance(w, 16);

	if (!u)
		return 0;
	u[6] = (unsigned char)((u[6] & 15) | 0x40);
	u[8] = (unsigned char)((u[8] & 63) | 0x80);
	for (unsigned i = 0; i < sizeof part; u += part[i++]) {
		out = hex(out, u, part[i]);
		if (i + 1 < sizeof part)
			*out++ = '-';
	}
	return 1;
}
