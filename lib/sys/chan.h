/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_CHAN_H
#define VYX_SYS_CHAN_H

#include <sys/types.h>

#include "sys/loop.h"
#include "wire/rec.h"

/*
 * chan - records over one connected Unix-domain socket, and the only place
 * that receives descriptors.
 *
 * Owns	    the socket from vyx_chan_open to vyx_chan_close, and its buffers.
 * Needs    a loop. The callbacks below, both set.
 * Returns  1 when done; 0 when refused, errno says why.
 * Cost	    stream: one recv a wake-up for many records, one send a turn for
 *	    all that was put. Packet: one system call a record.
 *
 * What the peer sends wrongly (form, verb, size, descriptors, pace) ends
 * the channel: one log line, its descriptors closed, on_close with EPROTO.
 */

struct vyx_chan {
	struct vyx_loop *loop;
	struct vyx_io io;
	enum vyx_edge edge;
	enum vyx_side us; /* what we are on it */
	int strict;       /* refuse unknown fields */
	int packet;       /* SOCK_SEQPACKET */
	int closed;
	pid_t pid; /* of the peer, by SO_PEERCRED */
	uid_t uid;

	/* A record came. `fd` is the descriptor that came with it, yours
	 * now, or -1 (also where the map says one must come: it was lost on
	 * the way). The record lives until you return. */
	void (*on_rec)(struct vyx_chan *c, struct vyx_rec *r, int fd);
	/* What came in a record's form is none of this edge: r->text and
	 * r->where say why, r->verb is VYX_V_NONE when that was wrong.
	 * Streams only, and the channel goes on; NULL: it ends. */
	void (*on_bad)(struct vyx_chan *c, const struct vyx_rec *r);
	/* The channel ended by the peer (errno 0) or by an error; it is
	 * closed already. Free it here if you like. */
	void (*on_close)(struct vyx_chan *c, int error);
	/* There is room again: packet, after EAGAIN; stream, `out` has
	 * become empty. May be NULL. */
	void (*on_room)(struct vyx_chan *c);

	struct vyx_buf in, out;
	size_t seen;    /* bytes of `in` searched for an end */
	size_t out_max; /* stream: more unsent than this ends the channel */
	struct vyx_task flush;
	struct vyx_timer stall; /* 10 s without the peer reading: closed */
	int want_write;
	int told;       /* on_close was called, or is not wanted any more */
	int delivering; /* in on_rec */
	int ended;      /* the peer says no more; what is left is sent */
	int error;      /* why the end of this turn ends it */
};

/*
 * Take over the connected socket `fd` (made non-blocking, close-on-exec).
 * Descriptors are refused by the kernel where the map has none for us.
 * Set on_rec and on_close, and loop, before.
 */
int vyx_chan_open(struct vyx_chan *c, int fd, enum vyx_edge edge,
    enum vyx_side us);

/* Close at once; on_close is not called. Safe within its own callbacks, and
 * twice; but within on_rec the struct must outlive the callback. What was put
 * and not sent is lost. */
void vyx_chan_close(struct vyx_chan *c);

/* Send what is left, as far as the socket takes it now, then close. */
void vyx_chan_finish(struct vyx_chan *c);

/*
 * Stream: begin a record in c->out by vyx_rec_begin(&c->out, verb), end it,
 * then call this: it is sent at the end of the turn. 0, EMSGSIZE: the peer
 * does not read; the channel ends with this turn, on_close told.
 */
int vyx_chan_put(struct vyx_chan *c);

/*
 * Packet: send the one record in `b`, with `fd` or -1, now. 0: EAGAIN or
 * ETOOMANYREFS, ask again at on_room; another errno: the channel ended,
 * on_close told at the end of the turn.
 */
int vyx_chan_send(struct vyx_chan *c, const struct vyx_buf *b, int fd);

/*
 * The sockets themselves, in chan_sock.c.
 *
 * Connect to the socket at `path`, non-blocking. A socket, or -1.
 */
int vyx_chan_dial(const char *path, int packet);

/*
 * Listen at `path`, an old file of a dead listener replaced. `mode` as in
 * chmod. A socket, or -1: EADDRINUSE: somebody listens there.
 */
int vyx_chan_listen(const char *path, int packet, mode_t mode);

/* Accept one; -1 with EAGAIN: none. The peer's credentials into *pid, *uid. */
int vyx_chan_accept(int fd, pid_t *pid, uid_t *uid);

/* The uid that program `p` has under root: of the system user the map names,
 * else the number there. 0: it runs as its caller. */
uid_t vyx_chan_uid(enum vyx_proc p);

/*
 * Which program of the map the peer `uid` may be on `edge`: a bit set of
 * 1 << VYX_P_...; 0: it may not connect. Root and our own uid may be any.
 * Under `vyx up` as root VYX_UIDS=map makes the uids of VYX_PROCS known.
 */
unsigned vyx_chan_may(enum vyx_edge edge, uid_t uid);

#endif
