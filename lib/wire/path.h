/* SPDX-License-Identifier: ISC */
#ifndef VYX_WIRE_PATH_H
#define VYX_WIRE_PATH_H

#include <stddef.h>

#include "base/bytes.h"

/*
 * path - the one form of a request path, matched, authorised and forwarded.
 *
 * Owns	    what a path means. Two paths that a worker could take for the same
 *	    have one canonical form, or are refused.
 * Needs    the caller's buffer; no malloc, no system call.
 * Returns  1 when done; 0 when refused, errno says why.
 * Cost	    one pass; nothing is copied when nothing changes.
 *
 * The form (RFC 3986 6.2.2, and stricter): begins with `/`; `//` is one `/`;
 * dot segments are removed, never above the root; a trailing `/` stays.
 * Letters, digits and -._~!$&'()*+,=:@ stand as they are, every other byte
 * as %XX in capitals: a %XX of the first sort is decoded, a raw "<>[]^`{|}
 * encoded. So each decoded segment has exactly one spelling.
 *
 * Refused: raw controls, blank, `\`, `;`, `#`, `?` and bytes above 7e; a `%`
 * without two hex digits; %2F, %5C, encoded controls; %C0 and %C1 (in no
 * UTF-8 text, but in overlong forms of `/` and `.`); a `%25` that makes one
 * of those, `.`, `;` or `%` on a second decoding.
 */

/*
 * The canonical form of `in`; empty is `/`. *out is `in` itself when that is
 * canonical, else lies in buf[cap] (3 * in.n + 1 is always enough).
 *	EINVAL		refused: 400
 *	ENAMETOOLONG	the form does not fit: 414
 */
int vyx_path_canon(struct vyx_str in, char *buf, size_t cap,
    struct vyx_str *out);

/*
 * One segment of a route's pattern in that form: raw blanks and bytes above
 * 7e are encoded too. EINVAL: as above, also for `/`, `.` and `..`.
 */
int vyx_path_segment(struct vyx_str in, char *buf, size_t cap,
    struct vyx_str *out);

#endif
