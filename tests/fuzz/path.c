/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "wire/path.h"

/*
 * A canonical path is its own canonical form, has no empty or dot segment,
 * and says the same as the input once decoded; nor does a second decoding
 * make a separator, a dot or a control of it.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())

/* What a worker makes of it: %XX decoded once, in place. */
static size_t
decode(const char *p, size_t n, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++, len++) {
		out[len] = p[i];
		if (p[i] == '%' && i + 2 < n &&
		    vyx_hex_digit((unsigned char)p[i + 1]) >= 0 &&
		    vyx_hex_digit((unsigned char)p[i + 2]) >= 0) {
			out[len] =
			    (char)(vyx_hex_digit((unsigned char)p[i + 1]) << 4 |
			        vyx_hex_digit((unsigned char)p[i + 2]));
			i += 2;
		}
	}
	return len;
}

/* RFC 3986 5.2.4 and merging of `//`, the plain way, on decoded text. */
static size_t
plain(const char *p, size_t n, char *out)
{
	size_t len = 1, from;

	out[0] = '/';
	for (size_t i = 0; i < n;) {
		while (i < n && p[i] == '/')
			i++;
		from = i;
		while (i < n && p[i] != '/')
			i++;
		if (i - from == 1 && p[from] == '.')
			continue;
		if (i - from == 2 && p[from] == '.' && p[from + 1] == '.') {
			while (len > 1 && out[--len - 1] != '/')
				;
			continue;
		}
		memcpy(out + len, p + from, i - from);
		len += i - from;
		if (i < n)
			out[len++] = '/';
	}
	return len;
}

static void
check(struct vyx_str out)
{
	static const char bad[] = "//\0/./\0/../\0";
	struct vyx_str again;
	char buf[8];

	CHECK(out.n && out.p[0] == '/');
	for (const char *b = bad; *b; b += strlen(b) + 1) {
		size_t m = strlen(b);

		CHECK(!memmem(out.p, out.n, b, m));
		if (m > 2)
			CHECK(out.n < m - 1 ||
			    memcmp(out.p + out.n - m + 1, b, m - 1) != 0);
	}
	/* nothing to change: then it is not even copied */
	if (!memchr(out.p, '%', out.n) && !memmem(out.p, out.n, "/.", 2))
		CHECK(vyx_path_canon(out, buf, 0, &again) && again.p == out.p);
}

static size_t
slashes(const char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		CHECK((unsigned char)p[i] > 0x1f && p[i] != 0x7f &&
		    p[i] != '\\');
		count += p[i] == '/';
	}
	return count;
}

static void
check_canon(struct vyx_str in)
{
	size_t cap = 3 * in.n + 2, n, m;
	char *buf = malloc(cap), *once = malloc(cap), *twice = malloc(cap),
	     *want = malloc(cap);
	struct vyx_str out, again;

	errno = 0;
	if (vyx_path_canon(in, buf, cap - 1, &out)) {
		check(out);
		n = decode(in.p, in.n, twice);
		m = plain(twice, n, want);
		n = decode(out.p, out.n, once);
		CHECK(n == m && !memcmp(once, want, n));
		m = decode(once, n, twice);
		CHECK(slashes(once, n) == slashes(twice, m));
		CHECK(plain(twice, m, want) == m);
		CHECK(vyx_path_canon(out, want, cap, &again) &&
		    vyx_str_eq(out, again));
	} else
		CHECK(errno == EINVAL);
	free(buf);
	free(once);
	free(twice);
	free(want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct vyx_str in = { (const char *)data, n }, out;
	char *buf = malloc(3 * n + 1);

	if (n)
		check_canon(in);
	if (n && vyx_path_segment(in, buf, 3 * n, &out))
		CHECK(!memchr(out.p, '/', out.n) && !memchr(out.p, ';', out.n));
	free(buf);
	return 0;
}
