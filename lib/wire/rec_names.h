/* SPDX-License-Identifier: ISC */
#ifndef VYX_WIRE_REC_NAMES_H
#define VYX_WIRE_REC_NAMES_H

#include "wire/rec.h"

/*
 * rec_names - the tables of vyx.h in the form that rec.c looks things up in.
 *
 * Owns	    the compiled tables, made at the first look-up, never changed.
 * Returns  NULL or ..._NONE for what is not in the map.
 * Cost	    one hash probe a name.
 */

struct vyx_rec_name {
	const char *name;
	char type; /* U, S or W */
	uint64_t max;
};
extern const struct vyx_rec_name vyx_rec_fields[VYX_F_COUNT];

enum { VYX_REC_MAY = 1, VYX_REC_LIST, VYX_REC_MUST };

struct vyx_rec_shape {
	const struct vyx_message *message;
	int row; /* the columns of `table` may stand too */
	unsigned char fields[VYX_F_COUNT]; /* 0 or VYX_REC_... */
};

/* What `from` may say on `edge` by the verb `word`. */
const struct vyx_rec_shape *vyx_rec_shape(enum vyx_edge edge,
    enum vyx_side from, struct vyx_str word);

#endif
