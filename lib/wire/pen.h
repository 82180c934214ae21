/* SPDX-License-Identifier: ISC */
#ifndef VYX_WIRE_PEN_H
#define VYX_WIRE_PEN_H

#include "base/bytes.h"

/*
 * pen - write into room of a fixed size; once something did not fit nothing
 * more is written, and vyx_pen_end says 0.
 */
struct vyx_pen {
	char *p;
	char *end;
	int full;
};

static inline void
vyx_pen_put(struct vyx_pen *w, const char *p, size_t n)
{
	if (w->full || (size_t)(w->end - w->p) < n) {
		w->full = 1;
		return;
	}
	if (n)
		memcpy(w->p, p, n);
	w->p += n;
}

static inline void
vyx_pen_str(struct vyx_pen *w, struct vyx_str s)
{
	vyx_pen_put(w, s.p, s.n);
}

#define vyx_pen_lit(w, literal) vyx_pen_put(w, literal, sizeof(literal) - 1)

static inline void
vyx_pen_dec(struct vyx_pen *w, uint64_t v)
{
	char b[VYX_DEC];

	vyx_pen_put(w, b, vyx_dec_fmt(b, v));
}

static inline size_t
vyx_pen_end(const struct vyx_pen *w, const char *start)
{
	return w->full ? 0 : (size_t)(w->p - start);
}

#endif
