/* SPDX-License-Identifier: ISC */
#ifndef VYX_WIRE_FORWARD_H
#define VYX_WIRE_FORWARD_H

#include "wire/http1.h"

/*
 * forward - a head as a gateway passes it on, and the heads of its own
 * answers.
 *
 * Owns	    what is dropped, kept, made anew and added: hop-by-hop fields,
 *	    framing, Via, Forwarded, X-Forwarded-*, X-Request-Id, Date and
 *	    the security headers.
 * Needs    a parsed head, whose bytes are still there; room to write.
 * Returns  bytes written; 0 when they do not fit.
 * Cost	    one pass over the fields.
 *
 * What a client says of itself in Forwarded, X-Forwarded-* or X-Real-IP is
 * dropped in every spelling, also with `_` for `-`, and said anew: whoever is
 * in front of this gateway is not trusted. Framing fields are never copied.
 * Sources: RFC 9110 7.6, 6.6.1, 10.1; RFC 9112 6, 9; RFC 7239;
 * contracts/vyx.md 4 (security headers).
 */

#define VYX_FORWARD_VIA "vyx"
#define VYX_FORWARD_MORE \
	2048 /* bytes added to a head, less path, rules, `more`, and the \
	      * authority, which is said twice more */

/* What a route changes in a head: fields that are not passed on, by name in
 * any case, `_` as `-`; and lines that are added, each with its CRLF. */
struct vyx_forward_rules {
	const struct vyx_str *drop;
	size_t n_drop;
	struct vyx_str lines;
};

/* Whether `lines` may hold a field of that name, `_` read as `-`: not one that
 * is of a connection or made anew here, for then it would stand twice. */
int vyx_forward_may(struct vyx_str name);

struct vyx_forward_request {
	struct vyx_str method;
	struct vyx_str path;  /* canonical; what is not in it was `*` */
	struct vyx_str peer;  /* address of the client; empty: a Unix socket */
	struct vyx_str id;    /* X-Request-Id */
	int tls;              /* the client came by TLS */
	int websocket;        /* pass the upgrade on */
	int max_forwards;     /* to say; -1: none */
	int trailers;         /* TE: trailers */
	struct vyx_str trace; /* traceparent; empty: the client's is passed */
	const struct vyx_forward_rules *rules; /* NULL: none */
};
size_t vyx_forward_request(char *out, size_t cap, const struct vyx_http1 *h,
    const struct vyx_forward_request *f);

struct vyx_forward_answer {
	struct vyx_str id;   /* X-Request-Id */
	struct vyx_str date; /* added when neither worker nor rule has one */
	enum vyx_http1_framing framing; /* as it goes out */
	int old;                        /* the client speaks HTTP/1.0 */
	int keep;                       /* the client's connection goes on */
	int trailers;                   /* the client reads trailers */
	int bare;                       /* without the security headers */
	int cors; /* Access-Control-* of the worker is not passed on */
	struct vyx_str more; /* further lines of a final head */
	const struct vyx_forward_rules *rules; /* NULL: none */
};
size_t vyx_forward_answer(char *out, size_t cap, const struct vyx_http1 *h,
    const struct vyx_forward_answer *f);

/* The trailer section `h`, and the empty line; with `h` NULL that alone. What
 * may not stand in trailers is left out, and what `rules` (may be NULL) drop. */
size_t vyx_forward_trailers(char *out, size_t cap, const struct vyx_http1 *h,
    const struct vyx_forward_rules *rules);

/* An answer of our own: JSON {"error":"text"}, or `json` as it is, or no
 * content. `more`: further field lines. */
struct vyx_forward_own {
	unsigned status;
	const char *text;    /* NULL: none */
	struct vyx_str json; /* empty: none */
	struct vyx_str more;
	struct vyx_str id;
	struct vyx_str date;
	int old, keep;
	int head; /* to HEAD: the content is left out */
	int bare; /* without the security headers */
};
size_t vyx_forward_own(char *out, size_t cap, const struct vyx_forward_own *f);

/* The length that it says its content has. */
size_t vyx_forward_own_content(const struct vyx_forward_own *f);

/* The reason phrase of a status; "" for one unknown here. */
const char *vyx_forward_reason(unsigned status);

/* Whether a client's X-Request-Id is taken over: 1 to 128 bytes of
 * [A-Za-z0-9._:/+=@-]. */
int vyx_forward_id(struct vyx_str id);

/* Whether a client's traceparent is one (W3C Trace Context 3.2; what later
 * versions add behind it is let be). */
#define VYX_FORWARD_TRACE 55
int vyx_forward_trace(struct vyx_str s);

#endif
