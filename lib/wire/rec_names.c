/* SPDX-License-Identifier: ISC */
#include "wire/rec_names.h"

enum { SIDE_C = VYX_CONNECTS, SIDE_S = VYX_LISTENS };

/* clang-format off */
#define X_FIELD(id, name, type, max, doc) \
	[VYX_F_##id] = { name, #type[0], max },
const struct vyx_rec_name vyx_rec_fields[VYX_F_COUNT] = {
	VYX_FIELDS(X_FIELD)
};

#define X_VERB(id, word) [VYX_V_##id] = word,
static const char *const verbs[VYX_V_COUNT] = { VYX_VERBS(X_VERB) };

#define X_STATE(id, word, of, doc) [VYX_S_##id] = word,
static const char *const states[VYX_S_COUNT] = { VYX_STATES(X_STATE) };

#define X_TABLE(id, name, life, writers, columns) \
	[VYX_T_##id] = { name, columns },
static const struct { const char *name, *columns; } tables[VYX_T_COUNT] = {
	VYX_TABLES(X_TABLE)
};

#define X_EDGE(id, socket, kind, listens, may) [VYX_E_##id] = socket,
static const char *const sockets[VYX_E_COUNT] = { VYX_EDGES(X_EDGE) };

#define X_MESSAGE(edge, from, verb, must, may, fds) \
	{ VYX_E_##edge, (enum vyx_side)SIDE_##from, VYX_V_##verb, must, may, fds },
static const struct vyx_message messages[] = { VYX_MESSAGES(X_MESSAGE) };
/* clang-format on */

#define MESSAGES VYX_COUNT(messages)
#define SLOTS 512 /* of the hash of field names: sparse, so that misses end */

static struct vyx_rec_shape shapes[MESSAGES];
static unsigned char columns[VYX_T_COUNT][VYX_F_COUNT];
static unsigned char slots[SLOTS]; /* field ids, 0: free */
static int ready;

static unsigned
slot_of(struct vyx_str name)
{
	uint32_t h = 2166136261; /* FNV-1a: the names are ours, not a peer's */

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 16777619;
	return (h ^ h >> 16) % SLOTS;
}

static enum vyx_field
look_up(struct vyx_str name)
{
	for (unsigned i = slot_of(name); slots[i]; i = (i + 1) % SLOTS)
		if (vyx_str_eq(VYX_STRZ(vyx_rec_fields[slots[i]].name), name))
			return slots[i];
	return VYX_F_NONE;
}

/* The words of `list` into marks[field]; `*` sets *row. */
static void
mark(const char *list, int plain, unsigned char *marks, int *row)
{
	struct vyx_str rest = VYX_STRZ(list), word;

	while (rest.p && (word = vyx_str_cut(&rest, ' ')).n) {
		int many = word.p[0] == '+';

		if (word.p[0] == '*') {
			*row = 1;
			continue;
		}
		word.p += many;
		word.n -= (size_t)many;
		marks[look_up(word)] =
		    (unsigned char)(many ? VYX_REC_LIST : plain);
	}
}

static void
compile(void)
{
	int row;

	for (unsigned f = 1; f < VYX_F_COUNT; f++) {
		unsigned i = slot_of(VYX_STRZ(vyx_rec_fields[f].name));

		while (slots[i])
			i = (i + 1) % SLOTS;
		slots[i] = (unsigned char)f;
	}
	for (size_t i = 0; i < MESSAGES; i++) {
		struct vyx_rec_shape *s = &shapes[i];

		s->message = &messages[i];
		mark(messages[i].must, VYX_REC_MUST, s->fields, &s->row);
		mark(messages[i].may, VYX_REC_MAY, s->fields, &s->row);
	}
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		mark(tables[t].columns, VYX_REC_MAY, columns[t], &row);
	ready = 1;
}

static const struct vyx_rec_shape *
shape_on(enum vyx_edge edge, enum vyx_side from, struct vyx_str word)
{
	for (size_t i = 0; i < MESSAGES; i++) {
		const struct vyx_message *m = &messages[i];

		if (m->edge == edge && m->from == from &&
		    vyx_str_eq(VYX_STRZ(verbs[m->verb]), word))
			return &shapes[i];
	}
	return NULL;
}

const struct vyx_rec_shape *
vyx_rec_shape(enum vyx_edge edge, enum vyx_side from, struct vyx_str word)
{
	const struct vyx_rec_shape *s;

	if (!ready)
		compile();
	s = shape_on(edge, from, word);
	if (!s && (edge == VYX_E_SEEN || edge == VYX_E_OPS))
		s = shape_on(VYX_E_READ, from, word);
	return s;
}

const struct vyx_message *
vyx_rec_message(enum vyx_edge edge, enum vyx_side from, enum vyx_verb verb)
{
	const struct vyx_rec_shape *s =
	    vyx_rec_shape(edge, from, VYX_STRZ(verbs[verb]));

	return s ? s->message : NULL;
}

const char *
vyx_rec_verb_name(enum vyx_verb verb)
{
	return verbs[verb];
}

const char *
vyx_rec_edge_socket(enum vyx_edge edge)
{
	return sockets[edge];
}

const char *
vyx_rec_field_name(enum vyx_field f)
{
	return vyx_rec_fields[f].name;
}

char
vyx_rec_field_type(enum vyx_field f)
{
	return vyx_rec_fields[f].type;
}

enum vyx_field
vyx_rec_field(struct vyx_str name)
{
	if (!ready)
		compile();
	return look_up(name);
}

const char *
vyx_rec_table_name(enum vyx_table t)
{
	return tables[t].name;
}

enum vyx_table
vyx_rec_table(struct vyx_str name)
{
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		if (vyx_str_eq(VYX_STRZ(tables[t].name), name))
			return (enum vyx_table)t;
	return VYX_T_NONE;
}

int
vyx_rec_column(enum vyx_table t, enum vyx_field f)
{
	if (!ready)
		compile();
	return columns[t][f];
}

const char *
vyx_rec_state_name(enum vyx_state s)
{
	return states[s];
}

enum vyx_state
vyx_rec_state_of(struct vyx_str word)
{
	for (unsigned s = 1; s < VYX_S_COUNT; s++)
		if (vyx_str_eq(VYX_STRZ(states[s]), word))
			return (enum vyx_state)s;
	return VYX_S_NONE;
}
