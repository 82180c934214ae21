/* SPDX-License-Identifier: ISC */
#ifndef VYX_BASE_BYTES_H
#define VYX_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * bytes - borrowed strings, growing buffers, and the only number routines.
 *
 * Owns	    nothing but the memory of a vyx_buf, until vyx_buf_free().
 * Needs    malloc, for vyx_buf alone.
 * Returns  1 when done; 0 when refused, errno says why, nothing has changed.
 * Cost	    linear in the bytes given; a vyx_buf doubles.
 */

/* Bytes that belong to somebody else; not terminated, may hold NUL. */
struct vyx_str {
	const char *p;
	size_t n;
};

#define VYX_STR(lit) ((struct vyx_str){ (lit), sizeof(lit) - 1 })
#define VYX_STRZ(z) ((struct vyx_str){ (z), strlen(z) })

/* The struct that has `member` at `ptr`. */
#define VYX_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define VYX_COUNT(array) (sizeof(array) / sizeof(array)[0])

static inline int
vyx_str_eq(struct vyx_str a, struct vyx_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII case only; the locale has no say. */
int vyx_str_caseeq(struct vyx_str a, struct vyx_str b);

/* <0, 0, >0: byte order, a prefix before what it starts. */
int vyx_str_cmp(struct vyx_str a, struct vyx_str b);

/* Whether `s` starts with `prefix`. */
int vyx_str_starts(struct vyx_str s, struct vyx_str prefix);

/*
 * Cut the part of *s before the first `sep` off *s and return it; *s is left
 * behind the separator. Without one the whole is returned and s->p is NULL.
 */
struct vyx_str vyx_str_cut(struct vyx_str *s, char sep);

/* A terminated copy by malloc, NULL and ENOMEM when there is no memory. */
char *vyx_str_dup(struct vyx_str s);

/*
 * The whole of `s` as an unsigned decimal, 1*DIGIT, at most `max`.
 * EINVAL: empty or a byte that is no digit. ERANGE: over max.
 */
int vyx_dec_scan(struct vyx_str s, uint64_t max, uint64_t *out);

/* The same for 1*HEXDIG, either case, no prefix. */
int vyx_hex_scan(struct vyx_str s, uint64_t max, uint64_t *out);

/* Write `v` in decimal, unterminated; returns its length, VYX_DEC at most. */
#define VYX_DEC 20
size_t vyx_dec_fmt(char *out, uint64_t v);

/* Write `v` in lower-case hex without leading zeros, 16 bytes at most. */
size_t vyx_hex_fmt(char *out, uint64_t v);

/* The value of one hex digit, -1 when it is none. */
int vyx_hex_digit(unsigned char c);

/* SipHash-1-3 of `n` bytes under a 16-byte key: for tables strangers fill. */
uint64_t vyx_hash(const uint8_t key[16], const void *p, size_t n);

/*
 * A buffer that grows to `max` bytes and no further. Zero is empty with no
 * limit but memory. `p` moves when it grows.
 */
struct vyx_buf {
	char *p;
	size_t n;
	size_t cap;
	size_t max; /* 0: none */
};

void vyx_buf_free(struct vyx_buf *b);

/* Room for `n` bytes more at p + n. ENOMEM; EMSGSIZE: over max. */
int vyx_buf_room(struct vyx_buf *b, size_t n);

/* Append. As vyx_buf_room; nothing is appended in part. */
int vyx_buf_put(struct vyx_buf *b, const void *p, size_t n);
int vyx_buf_puts(struct vyx_buf *b, const char *z);
int vyx_buf_putc(struct vyx_buf *b, char c);
int vyx_buf_putu(struct vyx_buf *b, uint64_t v);
int vyx_buf_putstr(struct vyx_buf *b, struct vyx_str s);

/* Append as printf would. */
int vyx_buf_fmt(struct vyx_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Append `s` as the inside of a JSON string; bytes that are no UTF-8
 * become U+FFFD. */
int vyx_buf_json(struct vyx_buf *b, struct vyx_str s);

/* Forget the first `n` bytes. */
void vyx_buf_shift(struct vyx_buf *b, size_t n);

/* What it holds, valid until it changes. */
static inline struct vyx_str
vyx_buf_str(const struct vyx_buf *b)
{
	return (struct vyx_str){ b->p, b->n };
}

#endif
