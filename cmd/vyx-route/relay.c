/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include "router.h"

/*
 * HOP 5: content from one end to the other, either way, at the pace of the
 * slower one. What does not fit stays where it was read, and then in the
 * kernel: so nothing is held but the buffers.
 */
enum relayed
relay(struct exchange *x, const struct side *to, struct vyx_body *b,
    struct vyx_half *in, struct vyx_http1 *scratch)
{
	for (;;) {
		struct vyx_str s = vyx_half_str(in), piece = { NULL, 0 };
		size_t had = s.n, room = to->room(x);
		enum vyx_body_got got =
		    vyx_body_next(b, &s, room, scratch, &piece);

		if (got == VYX_BODY_DATA)
			to->body(x, piece);
		else if (got == VYX_BODY_END)
			to->end(x, b->trailers);
		vyx_half_take(in, &x->r->slabs, had - s.n);
		switch (got) {
		case VYX_BODY_DATA:
			if (x->refuse)
				return RELAY_BAD;
			break;
		case VYX_BODY_END:
			return RELAY_END;
		case VYX_BODY_MORE:
			return room ? RELAY_MORE : RELAY_FULL;
		case VYX_BODY_BAD:
			return RELAY_BAD;
		}
	}
}

/* Bytes from `a` to `b`: a buffer changes hands, nothing is copied. 0: that
 * way is over. */
static int
pass(struct vyx_conn *a, struct vyx_conn *b)
{
	while (b->out.n == b->out.at) {
		if (a->in.n == a->in.at && !vyx_conn_recv(a, VYX_SLAB))
			return !a->eof && !a->error;
		vyx_half_free(&b->out, b->slabs);
		b->out = a->in;
		a->in = (struct vyx_half){ 0 };
		vyx_conn_wrote(b, 0);
		vyx_conn_send(b);
		if (b->error)
			return 0;
	}
	return 1;
}

/* An upgraded connection: until either end has nothing more to say. */
void
relay_tunnel(struct exchange *x)
{
	struct vyx_conn *c = &x->client->conn, *b = &x->back->conn;
	int on = pass(c, b);

	if (pass(b, c) && on)
		return;
	x->out_bytes = c->sent - x->out_bytes;
	x->in_bytes = b->sent - x->in_bytes;
	back_leave(x, VYX_POOL_CLOSE);
	x->keep = 0;
	x->ended = 1;
	done(x);
}

void
relay_sent(struct exchange *x)
{
	if (x->back->conn.error || x->client->conn.error)
		client_close(x->client);
	else
		relay_tunnel(x);
}
