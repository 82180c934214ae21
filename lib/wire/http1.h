/* SPDX-License-Identifier: ISC */
#ifndef VYX_WIRE_HTTP1_H
#define VYX_WIRE_HTTP1_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * http1 - heads, trailer sections and chunks of HTTP/1.1, read strictly.
 *
 * Owns	    the syntax and framing rules of RFC 9112 and the field rules of
 *	    RFC 9110. No other file decides where a message ends.
 * Needs    the caller's bytes, contiguous for heads and trailers; chunks may
 *	    be cut anywhere. No system call, clock, malloc or output.
 * Returns  one of enum vyx_http1_got.
 * Cost	    a head is read once, a line that came in pieces twice: 1,250
 *	    instructions for a request of 82 bytes, with its framing.
 *
 * What two parsers could read differently is refused: both or repeated
 * framing fields, a bare CR or LF, NUL and other controls, obs-fold, blanks
 * before a colon, an empty name. What the RFC asks a recipient to bear, and
 * no more, is borne: one empty line before a request line (9112 2.2), blanks
 * before the colon in a response (9112 5.1), blanks before a chunk extension
 * (9112 7.1.1).
 */

enum vyx_http1_got {
	VYX_HTTP1_BAD = -1, /* status and why say what; close the connection */
	VYX_HTTP1_MORE = 0, /* call again with the same bytes and more */
	VYX_HTTP1_DONE = 1,
};

/* clang-format off */
#define VYX_METHODS(X) \
	X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(OPTIONS) X(PATCH) X(TRACE)

/*
 * Fields known by number, by length of name, the commonest of a length last.
 * HOP: means this connection alone and is not passed on. END: end to end, a
 * Connection field cannot take it away. The last column: NO when RFC 9110
 * 6.5.1 forbids the field in a trailer section.
 */
#define VYX_HTTP1_FIELDS(X) \
	X(TE, "te", HOP, NO) \
	X(VIA, "via", END, NO) \
	X(VARY, "vary", END, NO) \
	X(DATE, "date", END, NO) \
	X(HOST, "host", END, NO) \
	X(ALLOW, "allow", 0, 0) \
	X(RANGE, "range", END, NO) \
	X(EXPECT, "expect", END, NO) \
	X(ORIGIN, "origin", END, NO) \
	X(SERVER, "server", 0, 0) \
	X(COOKIE, "cookie", END, NO) \
	X(ACCEPT, "accept", 0, 0) \
	X(REFERER, "referer", 0, 0) \
	X(TRAILER, "trailer", 0, NO) \
	X(UPGRADE, "upgrade", HOP, NO) \
	X(LOCATION, "location", END, NO) \
	X(FORWARDED, "forwarded", END, NO) \
	X(X_REAL_IP, "x-real-ip", END, NO) \
	X(KEEP_ALIVE, "keep-alive", HOP, NO) \
	X(SET_COOKIE, "set-cookie", END, NO) \
	X(TRACESTATE, "tracestate", END, NO) \
	X(CONNECTION, "connection", HOP, NO) \
	X(USER_AGENT, "user-agent", 0, 0) \
	X(RETRY_AFTER, "retry-after", END, NO) \
	X(TRACEPARENT, "traceparent", END, NO) \
	X(MAX_FORWARDS, "max-forwards", END, NO) \
	X(VYX_INSTANCE, "vyx-instance", HOP, NO) \
	X(X_REQUEST_ID, "x-request-id", END, NO) \
	X(CONTENT_TYPE, "content-type", END, NO) \
	X(AUTHORIZATION, "authorization", END, NO) \
	X(CONTENT_RANGE, "content-range", END, NO) \
	X(CACHE_CONTROL, "cache-control", END, NO) \
	X(HTTP2_SETTINGS, "http2-settings", HOP, NO) \
	X(CONTENT_LENGTH, "content-length", END, NO) \
	X(ACCEPT_LANGUAGE, "accept-language", 0, 0) \
	X(REFERRER_POLICY, "referrer-policy", END, NO) \
	X(X_FORWARDED_FOR, "x-forwarded-for", END, NO) \
	X(X_FRAME_OPTIONS, "x-frame-options", END, NO) \
	X(ACCEPT_ENCODING, "accept-encoding", 0, 0) \
	X(CONTENT_ENCODING, "content-encoding", END, NO) \
	X(PROXY_CONNECTION, "proxy-connection", HOP, NO) \
	X(WWW_AUTHENTICATE, "www-authenticate", END, NO) \
	X(X_FORWARDED_HOST, "x-forwarded-host", END, NO) \
	X(X_FORWARDED_PORT, "x-forwarded-port", END, NO) \
	X(X_XSS_PROTECTION, "x-xss-protection", END, NO) \
	X(SEC_WEBSOCKET_KEY, "sec-websocket-key", END, NO) \
	X(TRANSFER_ENCODING, "transfer-encoding", HOP, NO) \
	X(X_FORWARDED_PROTO, "x-forwarded-proto", END, NO) \
	X(PROXY_AUTHENTICATE, "proxy-authenticate", HOP, NO) \
	X(PROXY_AUTHORIZATION, "proxy-authorization", HOP, NO) \
	X(SEC_WEBSOCKET_ACCEPT, "sec-websocket-accept", END, NO) \
	X(SEC_WEBSOCKET_VERSION, "sec-websocket-version", END, NO) \
	X(SEC_WEBSOCKET_PROTOCOL, "sec-websocket-protocol", END, NO) \
	X(X_CONTENT_TYPE_OPTIONS, "x-content-type-options", END, NO) \
	X(CONTENT_SECURITY_POLICY, "content-security-policy", END, NO) \
	X(SEC_WEBSOCKET_EXTENSIONS, "sec-websocket-extensions", END, NO) \
	X(STRICT_TRANSPORT_SECURITY, "strict-transport-security", END, NO)

/* RFC 9110 9.1: names are case-sensitive; others are VYX_METHOD_OTHER. One of
 * these that is not in capitals is refused: 501. */
enum vyx_method {
	VYX_METHOD_OTHER,
#define X(m) VYX_METHOD_##m,
	VYX_METHODS(X)
#undef X
	VYX_METHOD_COUNT
};

enum vyx_http1_name {
	VYX_H_OTHER,
#define X(id, name, hop, trailer) VYX_H_##id,
	VYX_HTTP1_FIELDS(X)
#undef X
	VYX_H_COUNT
};
/* clang-format on */

/* Lower-case name of each, indexed by enum vyx_http1_name. */
extern const struct vyx_str vyx_http1_names[VYX_H_COUNT];

#define VYX_HTTP1_FIELD_MAX 128  /* fields a head or trailer section */
#define VYX_HTTP1_HEAD_MAX 65535 /* bytes, the most a limit may be set to */
#define VYX_HTTP1_METHOD_MAX 32  /* bytes; longer is 501 (RFC 9112 3) */
#define VYX_HTTP1_OPTION_MAX 32  /* members of all Connection fields */

/* Bytes of a head: offsets, so that the buffer may move. */
struct vyx_span {
	uint32_t at;
	uint32_t n;
};

enum {
	VYX_FIELD_HOP = 1,       /* of this connection: never pass it on */
	VYX_FIELD_ALIAS = 2,     /* reads like a known name once _ is - */
	VYX_FIELD_NOTRAILER = 4, /* in a trailer section: drop it */
};

struct vyx_http1_field {
	uint32_t name_at;
	uint16_t name_n;
	uint8_t id;            /* enum vyx_http1_name */
	uint8_t flags;         /* VYX_FIELD_* */
	struct vyx_span value; /* without the blanks around it */
};

enum vyx_http1_kind {
	VYX_HTTP1_REQUEST,
	VYX_HTTP1_RESPONSE,
	VYX_HTTP1_TRAILER, /* fields, then an empty line; 502 if a worker's */
};

enum vyx_http1_form { /* RFC 9112 3.2; authority-form is CONNECT's: 501 */
	VYX_HTTP1_ORIGIN,
	VYX_HTTP1_ABSOLUTE,
	VYX_HTTP1_ASTERISK, /* OPTIONS alone; path and query are empty */
};

enum vyx_http1_framing { /* RFC 9112 6.3 */
	VYX_BODY_NONE,
	VYX_BODY_LENGTH, /* `length` bytes, may be 0 */
	VYX_BODY_CHUNKED,
	VYX_BODY_CLOSE, /* responses: all until the connection ends */
};

struct vyx_http1_limits {
	uint32_t head;   /* bytes in all, at most VYX_HTTP1_HEAD_MAX: 431 */
	uint32_t target; /* bytes of the request target: 414 */
	uint32_t fields; /* at most VYX_HTTP1_FIELD_MAX: 431 */
};

#define VYX_HTTP1_LIMITS \
	((struct vyx_http1_limits){ 16384, 8192, VYX_HTTP1_FIELD_MAX })

struct vyx_http1 {
	/* set by vyx_http1_start(); base also by each vyx_http1_parse() */
	const char *base; /* what spans count from; set it after a move */
	struct vyx_http1_limits lim;
	uint8_t kind;    /* enum vyx_http1_kind */
	uint8_t to_head; /* the response answers a HEAD request */

	/* how far: private */
	uint8_t stage;
	uint32_t at;   /* start of the line being read */
	uint32_t seen; /* no end of that line before here */

	/* BAD */
	uint16_t status; /* to answer: 400 414 417 431 501 505; 502 */
	const char *why; /* a few words, for the log and the answer */

	/* DONE: of every kind */
	uint32_t len; /* bytes of the head, its empty line included */
	uint32_t nfield;
	uint8_t first[VYX_H_COUNT]; /* 1 + index of the first; 0: none */

	/* DONE: requests and responses */
	uint8_t minor;      /* HTTP/1.0: 0, else 1 */
	uint8_t framing;    /* enum vyx_http1_framing */
	uint8_t has_length; /* Content-Length was there (HEAD, 304 too) */
	uint8_t keep;       /* the sender will go on after this message */
	uint8_t websocket;  /* request: GET that asks for it, no content;
	                     * response: a 101 that grants it */
	uint64_t length;    /* valid with has_length */

	/* DONE: requests */
	uint8_t method; /* enum vyx_method */
	uint8_t form;   /* enum vyx_http1_form */
	uint8_t plain;  /* `path` is canonical as it stands: see path.h */
	uint8_t has_query;
	uint8_t expect;              /* 100-continue, from HTTP/1.1 */
	uint8_t trailers;            /* TE has `trailers`: it will read them */
	int32_t max_forwards;        /* OPTIONS, TRACE; -1: none */
	struct vyx_span method_name; /* as it came */
	struct vyx_span target;      /* as it came */
	struct vyx_span authority;   /* host and port; absolute-form wins */
	struct vyx_span host;        /* without the port; may be empty */
	int32_t port;                /* -1: none */
	struct vyx_span path;  /* raw; empty: an absolute-form without one */
	struct vyx_span query; /* behind `?` */

	/* DONE: responses */
	uint16_t code; /* 100 to 599 */
	struct vyx_span reason;

	/* last, as it is the one part that need not be cleared */
	struct vyx_http1_field field[VYX_HTTP1_FIELD_MAX]; /* in order */
};

/*
 * Begin a message. `lim` NULL: VYX_HTTP1_LIMITS. For a response to a HEAD
 * request set to_head afterwards.
 */
void vyx_http1_start(struct vyx_http1 *h, enum vyx_http1_kind kind,
    const struct vyx_http1_limits *lim);

/*
 * Read on: `p` holds all bytes of the message so far, `n` of them; bytes
 * behind the head are not looked at. At DONE the first h->len bytes are the
 * head. Spans stay right while h->base points at those bytes.
 */
enum vyx_http1_got vyx_http1_parse(struct vyx_http1 *h, const char *p,
    size_t n);

static inline struct vyx_str
vyx_http1_str(const struct vyx_http1 *h, struct vyx_span s)
{
	return (struct vyx_str){ h->base + s.at, s.n };
}

static inline struct vyx_str
vyx_http1_name(const struct vyx_http1 *h, const struct vyx_http1_field *f)
{
	return (struct vyx_str){ h->base + f->name_at, f->name_n };
}

/* The first field of that name, NULL: none. Others come behind it. */
static inline const struct vyx_http1_field *
vyx_http1_find(const struct vyx_http1 *h, enum vyx_http1_name id)
{
	return h->first[id] ? &h->field[h->first[id] - 1] : NULL;
}

/* The method's name in capitals; "" for VYX_METHOD_OTHER. */
struct vyx_str vyx_method_name(enum vyx_method m);

/* The method of that exact name. */
enum vyx_method vyx_method_scan(struct vyx_str name);

/*
 * The number of a field name in any case, VYX_H_OTHER when it is none of
 * ours. The bytes need not be a token.
 */
enum vyx_http1_name vyx_http1_lookup(struct vyx_str name);

/* Whether `s` is a token (RFC 9110 5.6.2). */
int vyx_http1_token(struct vyx_str s);

/* Whether `s` may be a field's value: no control but HTAB. */
int vyx_http1_value(struct vyx_str s);

/*
 * Split host and port of a Host value or an authority without userinfo:
 * letters, digits, `-._~`, or an address in its brackets; the port at most
 * 65535, -1 when there is none. *host counts from s.p. 0: it is no authority.
 */
int vyx_http1_authority(struct vyx_str s, struct vyx_span *host, int32_t *port);

/*
 * Chunked content (RFC 9112 7.1), cut anywhere. Zero is not a start.
 *
 *	while ((got = vyx_chunk_next(&c, &in, &data)) == VYX_CHUNK_DATA)
 *		pass `data` on;
 *
 * At VYX_CHUNK_LAST the rest of `in` begins with the trailer section, often
 * just CRLF: read it with VYX_HTTP1_TRAILER.
 */
enum vyx_chunk_got {
	VYX_CHUNK_BAD = -1, /* 400 or 502 and close; c->why says what */
	VYX_CHUNK_MORE = 0, /* `in` is used up */
	VYX_CHUNK_DATA = 1, /* `data` is a piece of content, never empty */
	VYX_CHUNK_LAST = 2, /* the last chunk's line has been read */
};

#define VYX_CHUNK_EXT 1024 /* bytes of extensions a message, `;` included */
#define VYX_CHUNK_HEAD 18  /* longest output of vyx_chunk_head() */

struct vyx_chunk {
	uint8_t stage;
	uint8_t digits; /* of the size, at most 16 */
	uint16_t ext;   /* bytes of extensions so far */
	uint64_t left;  /* of the chunk; a size is below 2^60 */
	const char *why;
};

void vyx_chunk_start(struct vyx_chunk *c);

/* Cuts what it has read off the front of *in. */
enum vyx_chunk_got vyx_chunk_next(struct vyx_chunk *c, struct vyx_str *in,
    struct vyx_str *data);

/* Write the line that begins a chunk of `n` > 0 bytes; its length. The chunk
 * ends with CRLF, the content with "0" CRLF, trailer section, CRLF. */
size_t vyx_chunk_head(char out[VYX_CHUNK_HEAD], uint64_t n);

#endif
