/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_CONF_DOC_H
#define VYX_STATE_CONF_DOC_H

#include "base/bytes.h"

/*
 * conf_doc - a YAML or JSON file as a tree in which each thing knows its
 * line, and the notes (errors, warnings) made on such files.
 *
 * Owns	    all nodes, texts and notes, until vyx_notes_free().
 * Needs    malloc. The bytes of a file only until it is read.
 * Returns  NULL or 0 when refused, with an error noted; what can still be
 *	    read after an error is read, so that one run tells them all.
 * Cost	    linear in the bytes, but for keys of one mapping: quadratic up to
 *	    VYX_DOC_KEYS. Memory: 100 bytes a thing, VYX_DOC_NODES at most.
 */

#define VYX_DOC_BYTES 1048576 /* of a file */
#define VYX_DOC_DEPTH 16      /* mappings and lists within one another */
#define VYX_DOC_KEYS 256      /* of one mapping, and anchors in a file */
#define VYX_DOC_NODES 200000
#define VYX_DOC_NOTES 1000 /* kept; more are only counted */

struct vyx_note {
	int warning;
	size_t order; /* of their making */
	const char *file;
	unsigned line;
	struct vyx_str key; /* "" where the text says it all */
	struct vyx_str text;
};

struct vyx_notes {
	struct vyx_note *v;
	size_t n, cap;
	unsigned errors, warnings;
	struct vyx_notes_chunk *mem;
};

enum vyx_doc_kind {
	VYX_DOC_NULL,
	VYX_DOC_STR,
	VYX_DOC_INT,
	VYX_DOC_REAL,
	VYX_DOC_BOOL,
	VYX_DOC_LIST,
	VYX_DOC_MAP
};

struct vyx_doc_node {
	enum vyx_doc_kind kind;
	unsigned line;
	struct vyx_str key;  /* in a mapping: its key */
	struct vyx_str text; /* of a scalar, as written */
	struct vyx_doc_node *next, *child, *last;
	size_t n; /* children */
};

struct vyx_doc {
	const char *file; /* as notes name it */
	const char *src;  /* as rows name it */
	struct vyx_notes *notes;
	size_t nodes;
	int broken; /* it could not be read to its end */
};

/*
 * Read a whole file. YAML: one document; anchors serve `<<` alone; keys
 * unique; no tags but !!str. JSON (RFC 8259): names unique. An empty YAML
 * file is a null.
 */
struct vyx_doc_node *vyx_doc_yaml(struct vyx_doc *d, struct vyx_str bytes);
struct vyx_doc_node *vyx_doc_json(struct vyx_doc *d, struct vyx_str bytes);

/* A member of a mapping; NULL: none, or no mapping. */
const struct vyx_doc_node *vyx_doc_get(const struct vyx_doc_node *map,
    const char *key);

/* "a mapping", "a list", ... */
const char *vyx_doc_kind_name(enum vyx_doc_kind kind);

/* For the two readers: a node below `parent` (NULL: the root). */
struct vyx_doc_node *vyx_doc_add(struct vyx_doc *d, struct vyx_doc_node *parent,
    enum vyx_doc_kind kind, unsigned line, struct vyx_str key,
    struct vyx_str text);

/* Memory that lives as long as the notes; NULL: none. Zeroed. */
void *vyx_notes_get(struct vyx_notes *n, size_t bytes);
struct vyx_str vyx_notes_copy(struct vyx_notes *n, struct vyx_str s);

/* Note what is wrong with `key` (may be "") at a line, and what to do. */
void vyx_doc_error(struct vyx_doc *d, unsigned line, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void vyx_doc_warn(struct vyx_doc *d, unsigned line, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* `s` fit for a message: quoted, control bytes escaped, 60 bytes at most.
 * It lives as long as the calling block. */
#define VYX_SHOW(s) vyx_doc_show((char[VYX_SHOW_MAX]){ 0 }, (s))
#define VYX_SHOW_MAX 260
const char *vyx_doc_show(char *into, struct vyx_str s);

/* In the order of files and lines. */
void vyx_notes_sort(struct vyx_notes *n);
void vyx_notes_free(struct vyx_notes *n);

#endif
