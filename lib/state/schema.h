/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_SCHEMA_H
#define VYX_STATE_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/bytes.h"

/*
 * schema - JSON Schema: a schema loaded once, documents checked against it.
 *
 * Owns	    the compiled schema until vyx_schema_free(); never the documents.
 * Needs    malloc to load. A check allocates where unevaluated*, propertyNames,
 *	    uniqueItems or the format regex ask for it, nothing else. One check of a schema at a
 *	    time: not for two threads.
 * Returns  as said with each.
 * Cost	    a check takes opt.steps steps at most, a step being a subschema
 *	    tried on a value, a member or value compared, or an instruction of
 *	    a pattern (state/regex.h: linear). What would take more is refused.
 *
 * Drafts: 2020-12 and draft-07, by the root's `$schema`, else opt.draft.
 * All their keywords but $vocabulary. `$schema` inside must say the same.
 *
 * Refused when it loads, never ignored:
 *   - keywords the draft has not. Those that say nothing about validity
 *     (title, description, default, examples, deprecated, readOnly, writeOnly,
 *     $comment, content*) and x-* may stand anywhere;
 *   - keywords whose value is of a wrong type, patterns that do not compile or
 *	are larger than VYX_SCHEMA_PATTERNS together;
 *   - a $ref to what is not in the text itself, the meta-schemas included;
 *   - subschemas that lead back to themselves without a step into the
 *     document, and more than VYX_SCHEMA_DEPTH of them inside each other;
 *   - with opt.format_assert: a `format` not in VYX_SCHEMA_FORMATS. Without,
 *     any format is an annotation, as 2020-12 has it.
 *
 * Numbers are compared as what is written, not as what a double holds: 0.0075
 * is a multiple of 0.0001, 1.0 and 1e3 are integers. Integers are exact in 64
 * bits with a sign. A document with one beyond has all its numbers read as
 * doubles: exact to 2^53, rounded above; beyond 1.8e308 it is refused.
 *
 * In draft-07 all that stands beside a $ref is checked for its form and has
 * no effect. `definitions` is taken in both drafts, `$defs` in 2020-12.
 *
 * Sources: JSON Schema Core and Validation, 2020-12 and draft-07; RFC 3986
 * 5.2 (references), RFC 6901 (pointers); contracts/vyx.md 4.
 */
#define VYX_SCHEMA_TEXT 1048576    /* bytes of a schema */
#define VYX_SCHEMA_NODES 10000     /* subschemas of a schema */
#define VYX_SCHEMA_PATTERNS 262144 /* of a schema, by vyx_regex_size() */
#define VYX_SCHEMA_DEPTH 64        /* nesting, of schemas and documents */
#define VYX_SCHEMA_REPORTS 32      /* of a check */
#define VYX_SCHEMA_STEPS 10000000  /* of a check, unless told */
#define VYX_SCHEMA_VALUES 50000    /* of a document: each has its memory */

/* clang-format off */

/* Formats, and the words for what a value must be. Sources: RFC 3339 5.6 and
 * appendix A, 5321 4.1.2, 1123 2.1, 2673 3.2, 4291 2.2, 3986, 9562 4, 6901;
 * relative JSON pointers: draft 01; regex: what state/regex.h takes.
 *	  name			   words */
#define VYX_SCHEMA_FORMATS(X) \
	X(date_time, "date-time",  "a date and time such as 2025-01-31T12:00:00Z") \
	X(date,	     "date",	   "a date such as 2025-01-31") \
	X(time,	     "time",	   "a time such as 12:00:00Z") \
	X(duration,  "duration",   "a duration such as P1DT12H") \
	X(email,     "email",	   "an e-mail address") \
	X(hostname,  "hostname",   "a host name") \
	X(ipv4,	     "ipv4",	   "an IPv4 address") \
	X(ipv6,	     "ipv6",	   "an IPv6 address") \
	X(uri,	     "uri",	   "a URI with a scheme") \
	X(reference, "uri-reference", "a URI or a relative reference") \
	X(uuid,	     "uuid",	   "a UUID") \
	X(pointer,   "json-pointer", "a JSON pointer") \
	X(relative,  "relative-json-pointer", "a relative JSON pointer") \
	X(regex,     "regex",	   "a regular expression")
/* clang-format on */

enum vyx_schema_draft { VYX_SCHEMA_2020_12, VYX_SCHEMA_07 };

/* All zero is the default. */
struct vyx_schema_opt {
	enum vyx_schema_draft draft; /* of a schema without $schema */
	int format_assert;
	uint64_t steps; /* 0: VYX_SCHEMA_STEPS */
};

/* For a line `FILE: at: why`. `at`: JSON pointer into the schema, "/" for the
 * whole; for a text that is no JSON "line N". Both terminated. */
struct vyx_schema_error {
	char at[256];
	char why[256];
};

struct vyx_schema;

/*
 * Read and compile. `text` and `opt` are not needed afterwards; `opt` may be
 * NULL. NULL: *err says why, also when there was no memory.
 */
struct vyx_schema *vyx_schema_load(struct vyx_str text,
    const struct vyx_schema_opt *opt, struct vyx_schema_error *err);
void vyx_schema_free(struct vyx_schema *s);

/*
 * Read a document as a check wants it: duplicate members refused, deeper than
 * VYX_SCHEMA_DEPTH refused, and more than VYX_SCHEMA_VALUES values. For json_decref(). NULL: *err says why.
 */
json_t *vyx_schema_doc(struct vyx_str text, struct vyx_schema_error *err);

/*
 * One thing that is wrong. `field`: where, as in address.zip, items[2].name,
 * ["a.b"] for names with other bytes than letters, digits, - _ and $; empty
 * for the whole document. `message`: what, in words, without a full stop, such
 * as "is required", "must be at least 1". Both are terminated UTF-8 without
 * control bytes, but not escaped for JSON, and live for the call alone.
 */
typedef void vyx_schema_report(void *arg, struct vyx_str field,
    struct vyx_str message);

/*
 * 1: `doc`, of vyx_schema_doc(), is valid. 0: it is not, and `fn` was called,
 * VYX_SCHEMA_REPORTS times at most. What cannot be checked (steps spent, no
 * memory, too deep) is not valid, and reported as that. `fn` may be NULL: the
 * first fault ends the check.
 */
int vyx_schema_check(const struct vyx_schema *s, const json_t *doc,
    vyx_schema_report *fn, void *arg);

#endif
