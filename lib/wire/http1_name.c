/* SPDX-License-Identifier: ISC */
#include "http1_int.h"

#define HOP P_HOP
#define END P_END
#define NO P_NO

const struct vyx_str vyx_http1_names[VYX_H_COUNT] = { [VYX_H_OTHER] = { "", 0 },
#define X(id, name, hop, trailer) [VYX_H_##id] = { name, sizeof(name) - 1 },
	VYX_HTTP1_FIELDS(X)
#undef X
};

const char vyx_http1_text[VYX_H_COUNT][VYX_HTTP1_NAME_MAX] = {
#define X(id, name, hop, trailer) [VYX_H_##id] = name,
	VYX_HTTP1_FIELDS(X)
#undef X
};

const uint8_t vyx_http1_props[VYX_H_COUNT] = {
#define X(id, name, hop, trailer) [VYX_H_##id] = (hop) | (trailer),
	VYX_HTTP1_FIELDS(X)
#undef X
};

/*
 * By length, the last name of it; the others stand before. That a later
 * initialiser wins is the point.
 */
#pragma GCC diagnostic push
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
const uint8_t vyx_http1_last[VYX_HTTP1_NAME_MAX + 1] = {
#define X(id, name, hop, trailer) [sizeof(name) - 1] = VYX_H_##id,
	VYX_HTTP1_FIELDS(X)
#undef X
};
#pragma GCC diagnostic pop

/* clang-format off */
#define T C_TOKEN
#define P C_PATH
#define O (C_PATH | C_ODD)
#define TP (C_TOKEN | C_PATH)
#define TO (C_TOKEN | C_PATH | C_ODD)
#define A (C_TOKEN | C_HOST | C_PATH)
#define D (C_TOKEN | C_HOST | C_PATH | C_AFTER)
#define S (C_PATH | C_SLASH | C_AFTER)
const uint8_t vyx_http1_class[256] = {
/*	sp   !   "   #   $   %   &   '   (   )   *   +   ,   -   .   / */
[32] =	0,  TP,  O,  T, TP, TO, TP, TP,  P,  P, TP, TP,  P,  A,  D,  S,
/*	0   1   2   3   4   5   6   7   8   9   :   ;   <   =   >   ? */
	A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  P,  O,  O,  P,  O,  0,
	P,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,
/*	P … Z                                        [   \   ]   ^   _ */
	A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  O,  O,  O, TO,  A,
	TO, A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,
/*	p … z                                        {   |   }   ~ */
	A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  O, TO,  O,  A,  0,
};
/* clang-format on */

static const struct vyx_str methods[VYX_METHOD_COUNT] = {
	[VYX_METHOD_OTHER] = { "", 0 },
#define X(m) [VYX_METHOD_##m] = { #m, sizeof(#m) - 1 },
	VYX_METHODS(X)
#undef X
};

struct vyx_str
vyx_method_name(enum vyx_method m)
{
	return methods[m];
}

enum vyx_method
vyx_method_scan(struct vyx_str name)
{
	for (int i = 1; i < VYX_METHOD_COUNT; i++)
		if (vyx_str_eq(methods[i], name))
			return (enum vyx_method)i;
	return VYX_METHOD_OTHER;
}

enum vyx_http1_name
vyx_http1_lookup(struct vyx_str name)
{
	return vyx_http1_lookup_in(name.p, name.p, name.n, name.p + name.n);
}

int
vyx_http1_token(struct vyx_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!vyx_http1_is((unsigned char)s.p[i], C_TOKEN))
			return 0;
	return s.n > 0;
}

int
vyx_http1_value(struct vyx_str s)
{
	const char *end = s.p + s.n;

	return vyx_http1_skip_value(s.p, s.p, end) >= end;
}

#ifdef __SSE2__
__m128i
vyx_http1_tail(const char *base, const char *p, const char *end)
{
	char pad[32] = { 0 };
	size_t n = (size_t)(end - p);

	if (end - base < 16) {
		memcpy(pad, p, n);
		n = 16;
	} else /* the last 16 bytes, of which the first are before p */
		memcpy(pad, end - 16, 16);
	return _mm_loadu_si128((const __m128i *)(const void *)(pad + 16 - n));
}
#endif
