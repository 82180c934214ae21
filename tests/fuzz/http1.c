/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "wire/http1.h"
#include "wire/path.h"

/*
 * Heads, and what follows them as chunks and trailers, must come out the same
 * however the bytes are cut, and keep the promises of lib/wire/http1.h. The
 * first byte says what kind of message it is and where to cut.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())

/* Read in steps, each from memory that ends where the bytes do. */
static enum vyx_http1_got
in_steps(struct vyx_http1 *h, const char *p, size_t n, size_t step, char **copy)
{
	enum vyx_http1_got got = VYX_HTTP1_MORE;
	char *old;

	*copy = NULL;
	for (size_t i = 0; i < n && got == VYX_HTTP1_MORE;) {
		i = i + step < n ? i + step : n;
		old = *copy;
		*copy = malloc(i);
		memcpy(*copy, p, i);
		free(old);
		got = vyx_http1_parse(h, *copy, i);
	}
	return got;
}

static void
check_fields(const struct vyx_http1 *h)
{
	for (uint32_t i = 0; i < h->nfield; i++) {
		const struct vyx_http1_field *f = &h->field[i];
		struct vyx_str v = vyx_http1_str(h, f->value);

		CHECK(vyx_http1_token(vyx_http1_name(h, f)));
		CHECK(vyx_http1_value(v));
		CHECK(f->value.at + f->value.n <= h->len);
		CHECK(!v.n || (v.p[0] != ' ' && v.p[v.n - 1] != '\t'));
		CHECK(f->id == vyx_http1_lookup(vyx_http1_name(h, f)));
		CHECK(!f->id || h->first[f->id]);
	}
}

static void
check_head(const struct vyx_http1 *h)
{
	char buf[3 * 8192];
	struct vyx_str path, out, all = { h->base, h->len };

	CHECK(h->len >= 2 && !memcmp(all.p + all.n - 2, "\r\n", 2));
	check_fields(h);
	if (h->kind != VYX_HTTP1_REQUEST)
		return;
	CHECK(h->framing != VYX_BODY_CLOSE);
	CHECK(vyx_http1_find(h, VYX_H_HOST) || !h->minor);
	path = vyx_http1_str(h, h->path);
	if (vyx_path_canon(path, buf, sizeof(buf), &out))
		CHECK(h->plain == (path.n && out.p == path.p));
	else
		CHECK(!h->plain);
}

/* Decode in steps: how it ended, how much was read, what came out. */
static enum vyx_chunk_got
chunks(const char *p, size_t n, size_t step, size_t *used, char *out,
    size_t *len)
{
	enum vyx_chunk_got got = VYX_CHUNK_MORE;
	struct vyx_chunk c;

	vyx_chunk_start(&c);
	*used = *len = 0;
	while (*used < n && got == VYX_CHUNK_MORE) {
		size_t m = n - *used < step ? n - *used : step;
		struct vyx_str in = { p + *used, m }, data;

		while ((got = vyx_chunk_next(&c, &in, &data)) ==
		    VYX_CHUNK_DATA) {
			CHECK(data.n > 0 && data.p >= p + *used);
			memcpy(out + *len, data.p, data.n);
			*len += data.n;
		}
		*used += m - in.n;
	}
	CHECK(got != VYX_CHUNK_BAD || c.why);
	return got;
}

static void
check_chunks(const char *p, size_t n, size_t step)
{
	char *a = malloc(n + 1), *b = malloc(n + 1);
	size_t used, used2, len, len2;
	enum vyx_chunk_got got = chunks(p, n, n, &used, a, &len);

	CHECK(chunks(p, n, step, &used2, b, &len2) == got);
	CHECK(used == used2 && len == len2 && !memcmp(a, b, len));
	free(a);
	free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct vyx_http1 whole, cut;
	enum vyx_http1_got got, again;
	enum vyx_http1_kind kind;
	const char *p = (const char *)data + 1;
	size_t step;
	char *copy;

	if (n < 2)
		return 0;
	kind = data[0] % 3;
	step = 1 + data[0] / 6;
	n--;
	vyx_http1_start(&whole, kind, NULL);
	vyx_http1_start(&cut, kind, NULL);
	whole.to_head = cut.to_head = data[0] / 3 % 2;
	got = vyx_http1_parse(&whole, p, n);
	again = in_steps(&cut, p, n, step, &copy);
	if (got != again) /* a bad byte in a line that has no end yet */
		CHECK(got == VYX_HTTP1_BAD && again == VYX_HTTP1_MORE &&
		    !memchr(p + cut.at, '\n', n - cut.at));
	else if (got == VYX_HTTP1_BAD)
		CHECK(whole.status == cut.status && whole.why == cut.why);
	else if (got == VYX_HTTP1_DONE) {
		/* all but base and how far it had come */
		cut.base = whole.base;
		cut.at = whole.at;
		cut.seen = whole.seen;
		CHECK(!memcmp(&whole, &cut,
		    offsetof(struct vyx_http1, field) +
		        whole.nfield * sizeof(whole.field[0])));
		check_head(&whole);
		check_chunks(p + whole.len, n - whole.len, step);
	}
	free(copy);
	check_chunks(p, n, step);
	return 0;
}
