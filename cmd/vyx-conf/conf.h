/* SPDX-License-Identifier: ISC */
#ifndef VYX_CONF_CONF_H
#define VYX_CONF_CONF_H

#include <jansson.h>

#include "base/prog.h"
#include "state/conf.h"
#include "wire/rec.h"

/*
 * vyx-conf: load.c reads the files, rows.c makes rows of what they say,
 * show.c prints it, apply.c compares it with vyx-regd and brings it there.
 *
 * Owns	    nothing that outlives the command.
 * Needs    the files below the directory of vyx.yaml; vyx-regd for diff and
 *	    apply alone.
 */

struct schema {
	struct vyx_str name, text;
	const char *src;
	char sha256[65];
	struct schema *next;
};

struct loaded {
	struct vyx_conf conf;
	char dir[4097]; /* of vyx.yaml, absolute */
	struct schema *schemas;
};

/* Read everything that `file` names. All that is wrong is in the notes; only
 * a system call that fails ends the program. */
void load(struct loaded *l, const char *file);

/* A path as the configuration has it, absolute. Lives as long as the notes. */
const char *absolute(struct loaded *l, struct vyx_str path);

#define COLUMNS 64
#define OWNER "conf"

struct row {
	enum vyx_table table;
	struct vyx_str key;
	struct column {
		enum vyx_field f;
		struct vyx_str v;
	} * cols; /* by field; a list's in its order */
	size_t n;
};

struct rows {
	struct row *v; /* by table and key */
	size_t n, cap;
	struct vyx_notes *mem;
};

/* A row with the columns of `cols`, copied; exits 111 without memory. */
void rows_add(struct rows *rows, const struct row *row);
void rows_sort(struct rows *rows);
/* The tables that the configuration fills, 0 at the end. */
extern const enum vyx_table rows_tables[];
/* What the registry must hold. */
void rows_make(struct rows *rows, struct loaded *l);

/* How to print: for people, -t or -j. */
void show_notes(struct vyx_notes *n, const struct vyx_opt *o);
void show_keys(const struct vyx_opt *o);
void show_json(struct loaded *l);
/* One effective value, a list's one a line. 0: there is no such key. */
int show_value(struct loaded *l, const char *path);
/* One line of a difference; a or b is NULL where the row is not. */
void show_change(const struct row *a, const struct row *b,
    const struct vyx_opt *o);

/* Exit status of the commands. */
int diff(struct loaded *l, const struct vyx_opt *o);
int apply(struct loaded *l, const struct vyx_opt *o);

#endif
