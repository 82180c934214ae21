/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_CORS_H
#define VYX_STATE_CORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * cors - what a browser is told about requests from other origins.
 *
 * Owns	    nothing; texts are the caller's.
 * Needs    nothing else.
 * Returns  header lines, each with CRLF: bytes written; 0 when they do not fit
 *	    or there are none.
 * Cost	    one look at each origin.
 *
 * A list is its items with a blank between two. An origin that is not allowed
 * is told nothing, and its request is served all the same: it is the browser
 * that keeps the answer from the page.
 *
 * Source: Fetch standard 3.2 (CORS protocol).
 */

struct vyx_cors {
	struct vyx_str origins; /* `*`: any; empty: no CORS at all */
	struct vyx_str methods, headers, expose;
	int credentials;
	uint64_t max_age_s;
};

#define VYX_CORS_LINES 4096 /* enough for one answer's lines */

/*
 * Of every answer; `origin` is the request's, empty when it has none. For `*`
 * the lines are the same then: there is no Vary, and a cache may keep an answer
 * that one who has no origin asked for.
 */
size_t vyx_cors_answer(const struct vyx_cors *c, struct vyx_str origin,
    char *out, size_t cap);

/* Of the answer to a preflight, beside those; `asked` is the value of
 * Access-Control-Request-Headers. */
size_t vyx_cors_preflight(const struct vyx_cors *c, struct vyx_str origin,
    struct vyx_str asked, char *out, size_t cap);

#endif
