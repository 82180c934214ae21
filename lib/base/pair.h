/* SPDX-License-Identifier: ISC */
#ifndef VYX_BASE_PAIR_H
#define VYX_BASE_PAIR_H

#include <stdint.h>

/*
 * pair - a key and its value, in memory that processes share, which change
 * together or not at all: a compare-and-swap of 16 bytes.
 *
 * Owns	    nothing.
 * Needs    x86-64 (all but the very first) or arm64. Compilers call libatomic
 *	    for it, which may lock, and a lock in one process is none in the
 *	    next: hence the instructions themselves.
 * Returns  as said with each. All of it is in one order that all see, as
 *	    with C's seq_cst.
 * Cost	    reading: three loads; a swap: one locked instruction.
 */
struct vyx_pair {
	uint64_t key;
	uint64_t value;
} __attribute__((aligned(16)));

/*
 * The two as they stood together, as far as the key tells: one that went and
 * came back in between goes unseen. A swap from what was read fails then.
 */
static inline struct vyx_pair
vyx_pair_read(const struct vyx_pair *p)
{
	struct vyx_pair r;

	do {
		r.key = __atomic_load_n(&p->key, __ATOMIC_SEQ_CST);
		r.value = __atomic_load_n(&p->value, __ATOMIC_SEQ_CST);
	} while (__atomic_load_n(&p->key, __ATOMIC_SEQ_CST) != r.key);
	return r;
}

/* *p was `old` and is `new` now: 1; it is something else: 0. */
static inline int
vyx_pair_swap(struct vyx_pair *p, struct vyx_pair old, struct vyx_pair new)
{
#if defined(__x86_64__)
	int done;

	__asm__ volatile("lock cmpxchg16b %1"
	                 : "=@ccz"(done), "+m"(*p), "+a"(old.key),
	                 "+d"(old.value)
	                 : "b"(new.key), "c"(new.value)
	                 : "memory");
	return done;
#elif defined(__aarch64__)
	uint64_t key, value;
	uint32_t lost;

	__asm__ volatile("1:	ldaxp	%0, %1, %3\n"
	                 "	mov	%w2, #1\n"
	                 "	cmp	%0, %4\n"
	                 "	ccmp	%1, %5, #0, eq\n"
	                 "	b.ne	2f\n"
	                 "	stlxp	%w2, %6, %7, %3\n"
	                 "	cbnz	%w2, 1b\n"
	                 "2:"
	                 : "=&r"(key), "=&r"(value), "=&r"(lost), "+Q"(*p)
	                 : "r"(old.key), "r"(old.value), "r"(new.key),
	                 "r"(new.value)
	                 : "cc", "memory");
	return !lost;
#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "no compare-and-swap of 16 bytes is known for this processor"
#endif
}

#endif
