/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "state/jwt.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int
value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int
vyx_jwt_b64_decode(struct vyx_str s, unsigned char *out, size_t cap, size_t *n)
{
	uint32_t bits = 0;
	size_t len = s.n / 4 * 3 + (s.n % 4 ? s.n % 4 - 1 : 0);
	unsigned have = 0;

	if (len > cap) {
		errno = ENOSPC;
		return 0;
	}
	for (size_t i = 0; i < s.n; i++) {
		int v = value((unsigned char)s.p[i]);

		if (v < 0)
			goto bad;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*out++ = (unsigned char)(bits >> have);
		}
	}
	/* one digit alone is no byte; bits left over must be zero, or one
	 * token could be written in several ways (RFC 4648 3.5) */
	if (s.n % 4 == 1 || (bits & ((1u << have) - 1)))
		goto bad;
	*n = len;
	return 1;
bad:
	errno = EINVAL;
	return 0;
}

int
vyx_jwt_b64_encode(const void *p, size_t n, struct vyx_buf *out)
{
	const unsigned char *b = p;
	size_t len = n / 3 * 4 + (n % 3 ? n % 3 + 1 : 0);
	uint32_t bits = 0;
	unsigned have = 0;
	char *to;

	if (!vyx_buf_room(out, len))
		return 0;
	to = out->p + out->n;
	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | b[i];
		have += 8;
		while (have >= 6) {
			have -= 6;
			*to++ = digits[bits >> have & 63];
		}
	}
	if (have)
		*to++ = digits[bits << (6 - have) & 63];
	out->n += len;
	return 1;
}
