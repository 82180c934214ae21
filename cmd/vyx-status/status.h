/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATUS_H
#define VYX_STATUS_H

#include "base/prog.h"
#include "wire/rec.h"

/* Lines of one kind have one set of columns; vyx-status(1) lists them. */
enum out { PEOPLE, TABS, JSON };

struct line {
	enum out out;
	struct vyx_buf b;
	unsigned n; /* columns so far */
};

/* out.c */
void line_begin(struct line *l, const char *kind);
void line_word(struct line *l, const char *name, struct vyx_str v);
void line_num(struct line *l, const char *name, uint64_t v);
void line_end(struct line *l);

/* pool.c: a figure of worker `w` that `daemon` gave; a line a worker of all. */
void pool_add(const char *daemon, struct vyx_str name, struct vyx_str w,
    uint64_t n);
void pool_lines(struct line *l);

/* figures.c: ask each daemon of RUN; 0: one that should answer does not. */
int figures(struct line *l, const char *run);

#endif
