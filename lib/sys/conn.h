/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_CONN_H
#define VYX_SYS_CONN_H

#include "base/bytes.h"
#include "sys/loop.h"

/*
 * conn - one connected stream socket, edge-triggered, whose two buffers are
 * borrowed while they hold something and given back when they are empty.
 *
 * Owns	    the descriptor from vyx_conn_open to vyx_conn_close.
 * Needs    a loop; a set of slabs that all connections of the loop share.
 * Returns  1 when done; 0 when not, the members say why.
 * Cost	    registered once. Reading stops at a short read, what is written
 *	    leaves at the end of the turn in one send. No malloc while slabs
 *	    are kept.
 */

#define VYX_SLAB 98304       /* bytes of one buffer, at most */
#define VYX_SLAB_SMALL 28672 /* ... and of one that holds little */
#define VYX_SHARE 262144     /* bytes read of one connection in one turn */
#define VYX_SLABS_KEPT 128   /* unused ones kept for the next borrower */

struct vyx_slabs {
	struct vyx_slab *free[2]; /* small, large */
	unsigned kept[2];
	unsigned out; /* borrowed now */
};

/* Bytes [at, n) of one slab; p is NULL when none is borrowed. */
struct vyx_half {
	char *p;
	size_t at;
	size_t n;
	uint8_t hold; /* keep what has been taken: [0, at) stays too */
	uint8_t large;
};

/* Bytes that can be had behind n. */
size_t vyx_half_room(const struct vyx_half *h);
/* Have `need` bytes at p + n: p may move. 0: there is no room or memory. */
int vyx_half_want(struct vyx_half *h, struct vyx_slabs *s, size_t need);
/* The first `n` bytes are done with; gives the slab back when none is left. */
void vyx_half_take(struct vyx_half *h, struct vyx_slabs *s, size_t n);
void vyx_half_free(struct vyx_half *h, struct vyx_slabs *s);

/* Bytes behind n, without p moving. */
static inline size_t
vyx_half_tail(const struct vyx_half *h)
{
	return (h->large ? VYX_SLAB : VYX_SLAB_SMALL) - h->n;
}

static inline struct vyx_str
vyx_half_str(const struct vyx_half *h)
{
	return (struct vyx_str){ h->p ? h->p + h->at : "", h->n - h->at };
}

struct vyx_conn {
	struct vyx_loop *loop;
	struct vyx_slabs *slabs;
	/* Bytes, room or an end came; `events` as of epoll. */
	void (*on_event)(struct vyx_conn *c, uint32_t events);
	/* Bytes left at the end of a turn: room, or `error`. */
	void (*on_sent)(struct vyx_conn *c);

	struct vyx_io io;
	struct vyx_task flush;
	struct vyx_timer again; /* what this turn had no share left for */
	struct vyx_half in, out;
	uint64_t turn;              /* ns: that of the share */
	size_t share;               /* bytes read in it */
	uint64_t last_in, last_out; /* ns, when bytes moved last */
	uint64_t sent;              /* bytes, in all */
	int error;                  /* errno of what ended it; 0 */
	uint8_t lazy;               /* registered without OUT until it blocks */
	uint8_t readable;           /* a read may give something */
	uint8_t hup;     /* the peer sends no more; read on to the end */
	uint8_t eof;     /* ... which has been read */
	uint8_t blocked; /* the last send did not take all */
};

/* `lazy` for Unix sockets, whose room is told with every read of the peer.
 * loop, slabs, on_event and on_sent are set before. Whether fd blocks does not
 * matter: its description may be shared. */
int vyx_conn_open(struct vyx_conn *c, int fd, int lazy);

/* Out of the loop, shut down as told (SHUT_..., -1: not), closed, buffers
 * given back. Harmless twice. */
void vyx_conn_close(struct vyx_conn *c, int how);

/* Read once, up to `max` bytes into `in`, which does not move while it is on
 * hold. 1: something came; 0: nothing
 * now, or eof or error is set. One that had its share of this turn gets an
 * event in the next. */
int vyx_conn_recv(struct vyx_conn *c, size_t max);

/* Whether a byte or an end is there that was not read: 0 none, 1 a byte,
 * -1 the end or an error. */
int vyx_conn_peek(const struct vyx_conn *c);

/* Room to write at, of `need` bytes at least; NULL: not so much now. */
char *vyx_conn_room(struct vyx_conn *c, size_t need);
/* `n` bytes were written there; they leave at the end of the turn. */
void vyx_conn_wrote(struct vyx_conn *c, size_t n);
/* Send now. 0: error is set. */
int vyx_conn_send(struct vyx_conn *c);

#endif
