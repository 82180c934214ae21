/* SPDX-License-Identifier: ISC */
/* conf_json - a JSON file as a tree. jansson judges and reads it, but keeps
 * no lines: a cursor walks over the same bytes behind it and counts. */
#include <jansson.h>

#include "state/conf_doc.h"

struct cursor {
	struct vyx_doc *d;
	const char *p, *end;
	unsigned line;
};

/* To the next byte that begins a value or a name. What is skipped is known
 * to be right: jansson has read it. */
static void
gap(struct cursor *c)
{
	while (c->p < c->end && strchr(" \t\r\n,:]}", *c->p))
		c->line += *c->p++ == '\n';
}

static void
over_scalar(struct cursor *c)
{
	if (*c->p == '"') {
		for (c->p++; *c->p != '"'; c->p++)
			c->p += *c->p == '\\';
		c->p++;
		return;
	}
	while (c->p < c->end && !strchr(" \t\r\n,:]}", *c->p))
		c->p++;
}

static enum vyx_doc_kind
kind(const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return VYX_DOC_MAP;
	case JSON_ARRAY:
		return VYX_DOC_LIST;
	case JSON_STRING:
		return VYX_DOC_STR;
	case JSON_INTEGER:
		return VYX_DOC_INT;
	case JSON_REAL:
		return VYX_DOC_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return VYX_DOC_BOOL;
	default:
		return VYX_DOC_NULL;
	}
}

static struct vyx_doc_node *
value(struct cursor *c, struct vyx_doc_node *parent, struct vyx_str key,
    json_t *j, unsigned depth)
{
	struct vyx_doc_node *o;
	struct vyx_str text;
	const char *from, *name;
	json_t *item;
	size_t i;

	gap(c);
	if (depth > VYX_DOC_DEPTH) {
		vyx_doc_error(c->d, c->line, "", "nested more than %d deep",
		    VYX_DOC_DEPTH);
		return NULL;
	}
	o = vyx_doc_add(c->d, parent, kind(j), c->line, key, VYX_STR(""));
	if (!o)
		return NULL;
	from = c->p;
	if (o->kind == VYX_DOC_MAP || o->kind == VYX_DOC_LIST)
		c->p++;
	else
		over_scalar(c);
	text = (struct vyx_str){ from, (size_t)(c->p - from) };
	if (o->kind == VYX_DOC_STR)
		text = (struct vyx_str){ json_string_value(j),
			json_string_length(j) };
	if (o->kind < VYX_DOC_LIST)
		o->text = vyx_notes_copy(c->d->notes, text);
	json_array_foreach(j, i,
	    item) if (!value(c, o, VYX_STR(""), item, depth + 1)) return NULL;
	json_object_foreach(j, name, item)
	{
		gap(c);
		over_scalar(c);
		if (!value(c, o, vyx_notes_copy(c->d->notes, VYX_STRZ(name)),
		        item, depth + 1))
			return NULL;
	}
	return o;
}

struct vyx_doc_node *
vyx_doc_json(struct vyx_doc *d, struct vyx_str bytes)
{
	struct cursor c = { d, bytes.p, bytes.p + bytes.n, 1 };
	struct vyx_doc_node *root;
	json_error_t e;
	json_t *j;

	if (bytes.n > VYX_DOC_BYTES) {
		vyx_doc_error(d, 1, "", "larger than %d bytes", VYX_DOC_BYTES);
		return NULL;
	}
	j = json_loadb(bytes.n ? bytes.p : "", bytes.n,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!j) {
		vyx_doc_error(d, e.line > 0 ? (unsigned)e.line : 1, "",
		    "not JSON: %s", e.text);
		return NULL;
	}
	root = value(&c, NULL, VYX_STR(""), j, 0);
	json_decref(j);
	return root;
}
