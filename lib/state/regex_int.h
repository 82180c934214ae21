/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_REGEX_INT_H
#define VYX_STATE_REGEX_INT_H

#include "state/regex.h"

/* What the parts of regex share: parse, then class, then write, then run. */

#define VYX_REGEX_LAST 0x10ffff

enum vyx_regex_op {
	RE_CHAR,  /* x: code point */
	RE_ANY,   /* but the ends of lines */
	RE_CLASS, /* x: which */
	RE_SPLIT, /* go on at x and at y */
	RE_JUMP,  /* go on at x */
	RE_BEGIN,
	RE_END,
	RE_EDGE, /* \b */
	RE_INSIDE,
	RE_MATCH,
};

struct vyx_regex_inst {
	uint32_t x;
	uint16_t y;
	uint16_t op;
};

struct vyx_regex_range {
	uint32_t lo, hi;
};

/* range[from], n of them, sorted and apart; ASCII once more as bits. */
struct vyx_regex_class {
	uint32_t from, n;
	uint64_t ascii[2];
};

struct vyx_regex {
	struct vyx_regex_inst *prog;
	size_t n;
	struct vyx_regex_class *class;
	size_t classes;
	struct vyx_regex_range *range;
	size_t ranges;

	/* of a match; n each */
	uint64_t *mark; /* turn in which an instruction was reached */
	uint64_t turn;
	uint16_t *now, *next, *stack;
};

/* A pattern as a tree. Nodes are numbers, 0 is none; those of a sequence, and
 * the sequences of an alternation, are chained by `next`. */
enum vyx_regex_kind {
	RE_SEQ,    /* child: first */
	RE_ALT,    /* child: first */
	RE_REPEAT, /* child, min, max */
	RE_ONE,    /* inst */
};

struct vyx_regex_node {
	enum vyx_regex_kind kind;
	uint32_t child, next;
	uint32_t min, max; /* max UINT32_MAX: no end */
	struct vyx_regex_inst inst;
};

struct vyx_regex_parse {
	struct vyx_str in;
	size_t at;
	unsigned nest;
	struct vyx_regex *re;
	struct vyx_regex_node *node;
	size_t nodes, cap;
	size_t ranges_cap, classes_cap, visits;
	const char *why; /* the first thing that was wrong */
};

/* Note why it fails; 0. */
int vyx_regex_fail(struct vyx_regex_parse *p, const char *why);

/* The code point at *s, which moves behind it; U+FFFD for what is none. */
uint32_t vyx_regex_decode(const char **s, const char *end);

/* The tree of the whole pattern; 0: p->why. */
uint32_t vyx_regex_tree(struct vyx_regex_parse *p);

/* Tree to program. */
int vyx_regex_write(struct vyx_regex_parse *p, uint32_t tree);

/* One escape behind its `\`: a code point in *c, or 2 when it was a class,
 * whose ranges were added. 0: p->why. */
int vyx_regex_escape(struct vyx_regex_parse *p, uint32_t *c);

/* A class: begin, add ranges, end; its number. */
size_t vyx_regex_class_begin(const struct vyx_regex_parse *p);
int vyx_regex_class_add(struct vyx_regex_parse *p, uint32_t lo, uint32_t hi);
int vyx_regex_class_end(struct vyx_regex_parse *p, size_t from, int negated,
    uint32_t *which);

/* Turn the ranges behind `from` into those they leave out. */
int vyx_regex_class_invert(struct vyx_regex_parse *p, size_t from);

/* \d \D \w \W \s \S by its letter. */
int vyx_regex_class_letter(struct vyx_regex_parse *p, char letter);

/* \p{name}. */
int vyx_regex_property(struct vyx_regex_parse *p, struct vyx_str name,
    int negated);

#endif
