/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_REGEX_H
#define VYX_STATE_REGEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * regex - whether a text has a match of an ECMA-262 pattern, in linear time.
 *
 * Owns	    the compiled pattern and the room one match needs: one match at a
 *	    time, so not for two threads.
 * Needs    malloc to compile; a match needs none.
 * Returns  as said with each.
 * Cost	    a match looks at each instruction once a code point, at most:
 *	    length of the program times length of the text, whatever either is.
 *
 * The engine is our own: a Thompson automaton run as a set of states. PCRE2
 * and Oniguruma backtrack, which a limit can only cut short with no answer;
 * RE2 and Hyperscan would be linear, and are C++; TRE has another syntax.
 *
 * What it takes is ECMA-262 22.2.1 with the u flag, as JSON Schema asks:
 *   - `.` [ ] [^ ] | ( ) (?: ) (?<name> ) * + ? {m} {m,} {m,n}, also lazy;
 *   - ^ $ (ends of the text, never of a line) \b \B;
 *   - \d \D \w \W \s \S (ASCII, but \s: as in ECMA-262 every Unicode blank),
 *     \t \n \v \f \r \0 \cX \xHH \uHHHH (pairs too) \u{H...};
 *   - \p{ } \P{ } with a general category, short or long (L, Letter, gc=Nd,
 *     digit, ...), and with Any and ASCII; Unicode 14;
 *   - a `\` before any ASCII punctuation: ECMA-262 has only some of them.
 * Refused, as no automaton has them or they are none: lookahead, lookbehind,
 * back-references, other properties (scripts), a lone { } or ], [\d-x], other
 * escapes. {m,n} is written out, so its size counts.
 */
#define VYX_REGEX_TEXT 4096  /* bytes of a pattern */
#define VYX_REGEX_PROG 8192  /* instructions it may become */
#define VYX_REGEX_RANGE 8192 /* ranges in all its classes */
#define VYX_REGEX_NEST 64    /* groups in groups */

struct vyx_regex;

struct vyx_regex_error {
	const char *why; /* static */
	size_t at;       /* bytes before it */
};

/* NULL: EINVAL, *err says why; ENOMEM. */
struct vyx_regex *vyx_regex_compile(struct vyx_str pattern,
    struct vyx_regex_error *err);
void vyx_regex_free(struct vyx_regex *re);

/* Instructions and ranges it holds: up to 24 bytes of memory each. */
size_t vyx_regex_size(const struct vyx_regex *re);

/*
 * Whether `text` has a match anywhere: 1, 0. A step is one instruction looked
 * at; *steps is what may be spent, and afterwards what is left. -1: it was not
 * enough. A byte that is no UTF-8 counts as U+FFFD.
 */
int vyx_regex_match(struct vyx_regex *re, struct vyx_str text, uint64_t *steps);

#endif
