/* SPDX-License-Identifier: ISC */
#ifndef VYX_HELLO_H
#define VYX_HELLO_H

#include "base/bytes.h"

/*
 * hello - a worker that misbehaves on demand.
 *
 * Its reading of HTTP is its own, small and tolerant, and shares nothing with
 * lib/wire: a fault in the parser of vyx-route would hide itself from a test
 * worker that was built on the same one.
 *
 *	head.c		a request's head and body out of bytes
 *	answer.c	the table of paths, and what each answers
 *	conn.c		one connection: read, pause, answer, again
 *	main.c		options, the socket, the loop
 */

#define HELLO_HEAD_MAX 65536 /* bytes of one request head */
#define HELLO_PIECE 65536    /* bytes made or read at a time */

struct hello_conn;

/* What a step of work came to. */
enum hello_step {
	HELLO_MORE,  /* something was done, go on */
	HELLO_READ,  /* needs bytes from the client */
	HELLO_WAIT,  /* nothing before conn->wake */
	HELLO_DONE,  /* this part is finished */
	HELLO_CUT,   /* write what is there, then close */
	HELLO_RESET, /* close now */
};

struct hello_answer {
	const char *name; /* the first segment of the path */
	int eager;        /* begins before the request's body is read */
	enum hello_step (*step)(struct hello_conn *c);
};

enum hello_body {
	HELLO_LENGTH, /* `left` bytes to come */
	HELLO_SIZE,   /* a chunk's size line */
	HELLO_CHUNK,  /* `left` bytes of a chunk */
	HELLO_CRLF,   /* the end of a chunk */
	HELLO_TRAILER,
	HELLO_END,
};

/* A request's head; the strings lie in conn->head. */
struct hello_req {
	struct vyx_str method;
	struct vyx_str path;
	struct vyx_str wish;  /* Vyx-Hello: stands for the path when there */
	struct vyx_str type;  /* Content-Type */
	struct vyx_str proto; /* Upgrade */
	uint64_t length;
	int has_length;
	int chunked;
	int close;  /* the connection ends after the answer */
	int expect; /* 100-continue, not sent yet */
	int old;    /* HTTP/1.0 */
};

struct hello_opts {
	int close_each;  /* -c */
	int one_only;    /* -b */
	uint64_t accept; /* -A, ns */
	uint64_t jitter; /* -R, ns */
};

struct hello_count {
	uint64_t requests;
	uint64_t accepted;
	uint64_t open;
};

enum hello_phase {
	HELLO_P_HEAD,
	HELLO_P_BODY,
	HELLO_P_PAUSE,
	HELLO_P_ANSWER,
	HELLO_P_REST,
	HELLO_P_LAST
};

struct hello_conn {
	struct hello_conn *next;
	struct hello_conn **prev;
	int fd;
	enum hello_phase phase;
	enum hello_body body;
	uint64_t left;   /* of the body or chunk that is read */
	size_t took;     /* bytes of `in` the last piece was */
	uint64_t wake;   /* ns; 0: waits for no time */
	uint64_t arg[3]; /* the numbers of the path */
	uint64_t made;   /* the answer's own count: pieces or bytes */
	int began;       /* its head was written */
	int mute;        /* HEAD: no body */
	int framed;      /* its body goes out in chunks */
	const struct hello_answer *answer;
	struct hello_req req;
	struct vyx_buf head;
	struct vyx_buf in;
	struct vyx_buf out;
};

extern struct hello_opts hello_opts;
extern struct hello_count hello_count;
extern uint64_t hello_now; /* CLOCK_MONOTONIC ns of this turn */
extern int hello_draining;

/*
 * Parse the head in c->head into c->req and set up the reading of its body.
 * Returns 1, or 0: it is no request that this reader understands.
 */
int hello_head_parse(struct hello_conn *c);

/*
 * The next piece of the request's body, valid until the next call.
 * Returns 1 with *piece, empty at the end (c->body == HELLO_END); 0 when more
 * must be read first; -1 when it is malformed.
 */
int hello_body_next(struct hello_conn *c, struct vyx_str *piece);

/* The answer for c->req; numbers of its path are put into c->arg. */
const struct hello_answer *hello_answer_find(struct hello_conn *c);

/* A connection for `fd`, in the list; NULL: no memory. */
struct hello_conn *hello_conn_new(int fd, struct hello_conn **list);

/* Work until it must wait. 0: it is over, call hello_conn_end. */
int hello_conn_run(struct hello_conn *c);

/* Nothing of a request was read yet. */
int hello_conn_idle(const struct hello_conn *c);

void hello_conn_end(struct hello_conn *c);

#endif
