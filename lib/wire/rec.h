/* SPDX-License-Identifier: ISC */
#ifndef VYX_WIRE_REC_H
#define VYX_WIRE_REC_H

#include "base/bytes.h"
#include "vyx.h"

/*
 * rec - the one record form of every edge: a verb line, key=value lines, an
 * empty line. Control bytes and `%` in a value are percent-encoded.
 *
 * Owns	    nothing. A parsed record borrows the bytes it was parsed from,
 *	    which are decoded in place.
 * Needs    the tables of vyx.h. No other file knows the names in them.
 * Returns  1 when done; 0 when refused: errno is EPROTO, EMSGSIZE or ENOMEM,
 *	    and r->text says what is wrong.
 * Cost	    one pass over the bytes, one hash probe a field.
 */

/* clang-format off */
#define VYX_ID(id, ...) VYX_P_##id,
enum vyx_proc { VYX_P_NONE, VYX_PROCS(VYX_ID) VYX_P_EACH, VYX_P_COUNT };
#undef VYX_ID
#define VYX_ID(id, ...) VYX_E_##id,
enum vyx_edge { VYX_E_NONE, VYX_EDGES(VYX_ID) VYX_E_COUNT };
#undef VYX_ID
#define VYX_ID(id, ...) VYX_F_##id,
enum vyx_field { VYX_F_NONE, VYX_FIELDS(VYX_ID) VYX_F_COUNT };
#undef VYX_ID
#define VYX_ID(id, ...) VYX_T_##id,
enum vyx_table { VYX_T_NONE, VYX_TABLES(VYX_ID) VYX_T_COUNT };
#undef VYX_ID
#define VYX_ID(id, ...) VYX_S_##id,
enum vyx_state { VYX_S_NONE, VYX_STATES(VYX_ID) VYX_S_COUNT };
#undef VYX_ID
/* clang-format on */

/* Every verb, once; a verb of VYX_MESSAGES that is missing does not compile. */
#define VYX_VERBS(X)            \
	X(HELLO, "hello")       \
	X(HOLD, "hold")         \
	X(HELD, "held")         \
	X(NEED, "need")         \
	X(GIVE, "give")         \
	X(DROP, "drop")         \
	X(LOST, "lost")         \
	X(SAYS, "says")         \
	X(STUCK, "stuck")       \
	X(TUNNEL, "tunnel")     \
	X(MOVED, "moved")       \
	X(BYE, "bye")           \
	X(WINDOW, "window")     \
	X(CONN, "conn")         \
	X(RECALL, "recall")     \
	X(VOID, "void")         \
	X(GET, "get")           \
	X(LS, "ls")             \
	X(WATCH, "watch")       \
	X(OK, "ok")             \
	X(NO, "no")             \
	X(ROW, "row")           \
	X(END, "end")           \
	X(SNAPSHOT, "snapshot") \
	X(SYNC, "sync")         \
	X(SYNCED, "synced")     \
	X(PUT, "put")           \
	X(DEL, "del")           \
	X(BEGIN, "begin")       \
	X(COMMIT, "commit")     \
	X(CUT, "cut")           \
	X(PING, "ping")         \
	X(PONG, "pong")         \
	X(STAT, "stat")         \
	X(FIGURE, "figure")

/* clang-format off */
#define VYX_ID(id, word) VYX_V_##id,
enum vyx_verb { VYX_V_NONE, VYX_VERBS(VYX_ID) VYX_V_COUNT };
#undef VYX_ID
/* clang-format on */

enum vyx_side { VYX_CONNECTS, VYX_LISTENS };

struct vyx_rec {
	enum vyx_verb verb;
	enum vyx_table table; /* what `table` names, else VYX_T_NONE */
	unsigned n;
	struct vyx_rec_field {
		enum vyx_field id;
		struct vyx_str v; /* decoded */
		uint64_t u;       /* of type U: the value */
	} f[VYX_REC_FIELDS];
	unsigned char at[VYX_F_COUNT]; /* 1 + place of the first, 0: none */
	const char *text;              /* after a refusal: what is wrong, */
	struct vyx_str where;          /* and which word or field, or empty */
};

/* What the table says of a message; NULL when there is no such one. */
struct vyx_message {
	enum vyx_edge edge;
	enum vyx_side from;
	enum vyx_verb verb;
	const char *must, *may;
	int fds;
};
const struct vyx_message *vyx_rec_message(enum vyx_edge, enum vyx_side,
    enum vyx_verb);

/*
 * The length of the first whole record in p[0..n-1], its empty line
 * included; 0: not all there yet. Call again with `from` at the n of before.
 */
size_t vyx_rec_len(const char *p, size_t n, size_t from);

/*
 * Parse one whole record said by `from` on `edge`. Wrong verb, a field
 * missing, twice (but for lists), of the wrong type or too long: refused.
 * An unknown field is passed over, but refused when `strict`.
 */
int vyx_rec_parse(struct vyx_rec *r, enum vyx_edge edge, enum vyx_side from,
    char *p, size_t n, int strict);

static inline int
vyx_rec_has(const struct vyx_rec *r, enum vyx_field f)
{
	return r->at[f] != 0;
}

/* The value of the first `f`; empty or 0 where there is none. */
struct vyx_str vyx_rec_str(const struct vyx_rec *r, enum vyx_field f);
uint64_t vyx_rec_u(const struct vyx_rec *r, enum vyx_field f);

/* The state that `state` names, VYX_S_NONE for another word. */
enum vyx_state vyx_rec_state(const struct vyx_rec *r);

/* The place of the next `f` at or behind place `i`; r->n: no more. */
unsigned vyx_rec_next(const struct vyx_rec *r, enum vyx_field f, unsigned i);

/*
 * Write: begin, fields, end. What is wrong (a value too long, memory) is
 * kept in the buffer and told by vyx_rec_end: 0, and the record is taken
 * off again. Records may follow one another in one buffer.
 */
struct vyx_rec_out {
	struct vyx_buf *b;
	size_t start;
	int bad; /* errno of the first failure */
};
struct vyx_rec_out vyx_rec_begin(struct vyx_buf *b, enum vyx_verb verb);
void vyx_rec_puts(struct vyx_rec_out *o, enum vyx_field f, struct vyx_str v);
void vyx_rec_putz(struct vyx_rec_out *o, enum vyx_field f, const char *z);
void vyx_rec_putu(struct vyx_rec_out *o, enum vyx_field f, uint64_t u);
int vyx_rec_end(struct vyx_rec_out *o);

/* All columns of row `r`, in the table's order: the same row gives the same
 * bytes. */
void vyx_rec_putrow(struct vyx_rec_out *o, const struct vyx_rec *r);

/* Names, both ways. NULL or ..._NONE for what is not in the table. */
const char *vyx_rec_verb_name(enum vyx_verb);
const char *vyx_rec_edge_socket(enum vyx_edge); /* below the run directory */
const char *vyx_rec_field_name(enum vyx_field);
enum vyx_field vyx_rec_field(struct vyx_str name);
char vyx_rec_field_type(enum vyx_field); /* 'U', 'S' or 'W' */
const char *vyx_rec_table_name(enum vyx_table);
enum vyx_table vyx_rec_table(struct vyx_str name);
/* Whether `f` is a column of `t`: 0, 1, or 2 when it may stand many times. */
int vyx_rec_column(enum vyx_table t, enum vyx_field f);
const char *vyx_rec_state_name(enum vyx_state);
enum vyx_state vyx_rec_state_of(struct vyx_str word);

#endif
