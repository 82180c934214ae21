/* SPDX-License-Identifier: ISC */
/*
 * The first byte chooses edge, side and strictness; the rest is a stream. Each
 * record found is parsed; one that is taken is written and read again, and
 * must be the same.
 */
#include <stdlib.h>

#include "wire/rec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
again(const struct vyx_rec *r, enum vyx_edge edge, enum vyx_side from)
{
	static struct vyx_rec two;
	struct vyx_buf b = { 0 };
	struct vyx_rec_out o = vyx_rec_begin(&b, r->verb);

	for (unsigned i = 0; i < r->n; i++)
		vyx_rec_puts(&o, r->f[i].id, r->f[i].v);
	must(vyx_rec_end(&o));
	must(vyx_rec_len(b.p, b.n, 0) == b.n);
	must(vyx_rec_parse(&two, edge, from, b.p, b.n, 1));
	must(two.verb == r->verb && two.n == r->n && two.table == r->table);
	for (unsigned i = 0; i < r->n; i++)
		must(two.f[i].id == r->f[i].id && two.f[i].u == r->f[i].u &&
		    vyx_str_eq(two.f[i].v, r->f[i].v));
	vyx_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vyx_rec r;
	enum vyx_edge edge;
	enum vyx_side from;
	struct vyx_buf b = { 0 };
	size_t len, at = 0;

	if (size < 2)
		return 0;
	edge = (enum vyx_edge)(1 + data[0] % (VYX_E_COUNT - 1));
	from = data[0] & 0x40 ? VYX_LISTENS : VYX_CONNECTS;
	must(vyx_buf_put(&b, data + 1, size - 1));
	while ((len = vyx_rec_len(b.p + at, b.n - at, 0)) > 0) {
		if (vyx_rec_parse(&r, edge, from, b.p + at, len, data[0] >> 7))
			again(&r, edge, from);
		else
			must(r.text && r.n <= VYX_REC_FIELDS);
		at += len;
	}
	vyx_buf_free(&b);
	return 0;
}
