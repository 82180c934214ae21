/* SPDX-License-Identifier: ISC */
#ifndef VYX_BASE_UNITS_H
#define VYX_BASE_UNITS_H

#include <stdint.h>

#include "base/bytes.h"

/*
 * units - durations and sizes as people write them.
 *
 * Owns	    nothing.
 * Needs    nothing.
 * Returns  1 when read; 0 when refused and *out untouched. EINVAL: not of
 *	    the form. ERANGE: more than the type can hold.
 * Cost	    linear in the bytes given.
 */

#define VYX_NS_MS INT64_C(1000000)
#define VYX_NS_S INT64_C(1000000000)

/*
 * A duration in the syntax of Go's time.ParseDuration, in nanoseconds: an
 * optional sign, then numbers with a unit each (ns us ms s m h; a number may
 * have a fraction), as in 300ms, 1m30s, 1.5h. "0" alone needs no unit.
 */
int vyx_dur_scan(struct vyx_str s, int64_t *ns);

/* Write it so that vyx_dur_scan reads the same; its length, VYX_DUR at most. */
#define VYX_DUR 40
size_t vyx_dur_fmt(char *out, int64_t ns);

/*
 * A size in bytes: a decimal number, then nothing, b, k or kb, m or mb, g or
 * gb in either case, each 1024 times the one before.
 */
int vyx_size_scan(struct vyx_str s, uint64_t *bytes);

/* Write it in the largest unit that divides it; its length, VYX_SIZE at most.
 */
#define VYX_SIZE 24
size_t vyx_size_fmt(char *out, uint64_t bytes);

#endif
