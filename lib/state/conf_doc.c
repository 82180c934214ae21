/* SPDX-License-Identifier: ISC */
/* conf_doc - nodes, notes and their memory; the readers have files of their
 * own. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "state/conf_doc.h"

#define CHUNK 65536

struct vyx_notes_chunk {
	struct vyx_notes_chunk *next;
	size_t used, size;
	max_align_t bytes[];
};

void *
vyx_notes_get(struct vyx_notes *n, size_t bytes)
{
	struct vyx_notes_chunk *c = n->mem;
	size_t size = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) *
	    sizeof(max_align_t);
	char *p;

	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;

		if (!(c = calloc(1, sizeof *c + room)))
			return NULL;
		c->size = room;
		c->next = n->mem;
		n->mem = c;
	}
	p = (char *)c->bytes + c->used;
	c->used += size;
	return p;
}

struct vyx_str
vyx_notes_copy(struct vyx_notes *n, struct vyx_str s)
{
	char *p = vyx_notes_get(n, s.n + 1);

	if (!p)
		return (struct vyx_str){ "", 0 };
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct vyx_str){ p, s.n };
}

static void note(struct vyx_doc *d, int warning, unsigned line, const char *key,
    const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));

static void
note(struct vyx_doc *d, int warning, unsigned line, const char *key,
    const char *fmt, va_list ap)
{
	struct vyx_notes *n = d->notes;
	char text[1024];
	int len = vsnprintf(text, sizeof text, fmt, ap);

	*(warning ? &n->warnings : &n->errors) += 1;
	if (n->n == n->cap) {
		size_t cap = n->cap ? 2 * n->cap : 16;
		void *v = NULL;

		if (n->n < VYX_DOC_NOTES)
			v = realloc(n->v, cap * sizeof *n->v);
		if (!v)
			return; /* counted all the same */
		n->v = v;
		n->cap = cap;
	}
	n->v[n->n] = (struct vyx_note){ .warning = warning,
		.order = n->n,
		.file = d->file,
		.line = line,
		.key = vyx_notes_copy(n, VYX_STRZ(key)),
		.text = vyx_notes_copy(n,
		    (struct vyx_str){ text,
		        len < (int)sizeof text ? (size_t)len
		                               : sizeof text - 1 }) };
	n->n++;
}

void
vyx_doc_error(struct vyx_doc *d, unsigned line, const char *key,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(d, 0, line, key, fmt, ap);
	va_end(ap);
}

void
vyx_doc_warn(struct vyx_doc *d, unsigned line, const char *key, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(d, 1, line, key, fmt, ap);
	va_end(ap);
}

const char *
vyx_doc_show(char *into, struct vyx_str s)
{
	char *o = into;

	*o++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (i == 60) {
			memcpy(o, "...", 3);
			o += 3;
			break;
		}
		if (c < 0x20 || c == 0x7f)
			o += snprintf(o, 5, "\\x%02x", c);
		else
			*o++ = (char)c;
	}
	memcpy(o, "\"", 2);
	return into;
}

const char *
vyx_doc_kind_name(enum vyx_doc_kind kind)
{
	static const char *const names[] = { "nothing", "a text",
		"a whole number", "a fraction", "true or false", "a list",
		"a mapping" };

	return names[kind];
}

struct vyx_doc_node *
vyx_doc_add(struct vyx_doc *d, struct vyx_doc_node *parent,
    enum vyx_doc_kind kind, unsigned line, struct vyx_str key,
    struct vyx_str text)
{
	struct vyx_doc_node *o;

	if (++d->nodes > VYX_DOC_NODES ||
	    !(o = vyx_notes_get(d->notes, sizeof *o))) {
		vyx_doc_error(d, line, "",
		    "too much: a file may hold %d things at most",
		    VYX_DOC_NODES);
		return NULL;
	}
	*o = (struct vyx_doc_node){
		.kind = kind, .line = line, .key = key, .text = text
	};
	if (!parent)
		return o;
	*(parent->last ? &parent->last->next : &parent->child) = o;
	parent->last = o;
	parent->n++;
	return o;
}

const struct vyx_doc_node *
vyx_doc_get(const struct vyx_doc_node *map, const char *key)
{
	const struct vyx_doc_node *o =
	    map->kind == VYX_DOC_MAP ? map->child : NULL;

	while (o && !vyx_str_eq(o->key, VYX_STRZ(key)))
		o = o->next;
	return o;
}

static int
by_place(const void *a, const void *b)
{
	const struct vyx_note *x = a, *y = b;
	int d = strcmp(x->file, y->file);

	if (!d)
		d = (x->line > y->line) - (x->line < y->line);
	return d ? d : (x->order > y->order) - (x->order < y->order);
}

void
vyx_notes_sort(struct vyx_notes *n)
{
	if (n->n)
		qsort(n->v, n->n, sizeof *n->v, by_place);
}

void
vyx_notes_free(struct vyx_notes *n)
{
	for (struct vyx_notes_chunk *c = n->mem, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(n->v);
	*n = (struct vyx_notes){ 0 };
}
