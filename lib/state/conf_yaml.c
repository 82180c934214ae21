/* SPDX-License-Identifier: ISC */
/* conf_yaml - a YAML file as a tree, from libyaml's events. */
#include <yaml.h>

#include "state/conf_doc.h"

struct anchor {
	struct vyx_str name;
	struct vyx_doc_node *node; /* NULL: still open, or no mapping */
	struct anchor *next;
};

struct reader {
	struct vyx_doc *d;
	yaml_parser_t parser;
	yaml_event_t ev;
	struct anchor *anchors; /* the newest first: a name may be reused */
	unsigned n_anchors;
	int failed; /* nothing more can be read */
};

static unsigned
line(const struct reader *r)
{
	return (unsigned)r->ev.start_mark.line + 1;
}

/* The next event into r->ev. */
static int
next(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;

	yaml_event_delete(&r->ev);
	if (r->failed)
		return 0;
	if (yaml_parser_parse(&r->parser, &r->ev))
		return 1;
	r->failed = 1;
	vyx_doc_error(r->d, (unsigned)p->problem_mark.line + 1, "",
	    "not YAML: %s%s%s", p->problem ? p->problem : "out of memory",
	    p->context ? " " : "", p->context ? p->context : "");
	return 0;
}

/* As YAML's core schema resolves a plain scalar. */
static enum vyx_doc_kind
resolve(struct vyx_str s)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL",
		"true", "True", "TRUE", "false", "False", "FALSE" };
	struct vyx_str t = s;
	size_t digits = 0, other = 0;

	for (size_t i = 0; i < VYX_COUNT(words); i++)
		if (vyx_str_eq(s, VYX_STRZ(words[i])))
			return i < 5 ? VYX_DOC_NULL : VYX_DOC_BOOL;
	if (*t.p == '-' || *t.p == '+') {
		t.p++;
		t.n--;
	}
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] >= '0' && t.p[i] <= '9')
			digits++;
		else if (strchr(".eE+-", t.p[i]) && t.p[i])
			other++;
		else
			return VYX_DOC_STR;
	if (!digits)
		return VYX_DOC_STR;
	if (!other)
		return VYX_DOC_INT;
	return other == 1 && memchr(t.p, '.', t.n) ? VYX_DOC_REAL : VYX_DOC_STR;
}

static int
tag_ok(struct reader *r, const unsigned char *tag, int scalar)
{
	if (!tag ||
	    (scalar &&
	        (!strcmp((const char *)tag, YAML_STR_TAG) ||
	            !strcmp((const char *)tag, "!"))))
		return 1;
	vyx_doc_error(r->d, line(r), "",
	    "tag %s: tags other than !!str are not read here: take it out",
	    VYX_SHOW(VYX_STRZ((const char *)tag)));
	return 0;
}

/* Remember an anchor. It names its node only once that is complete, so that
 * nothing can hold itself. */
static struct anchor *
anchor(struct reader *r, const unsigned char *name)
{
	struct anchor *a;

	if (!name)
		return NULL;
	if (r->n_anchors++ == VYX_DOC_KEYS) {
		vyx_doc_error(r->d, line(r), "", "too many anchors: %d at most",
		    VYX_DOC_KEYS);
		r->failed = 1;
	}
	if (!(a = vyx_notes_get(r->d->notes, sizeof *a)))
		return NULL;
	a->name = vyx_notes_copy(r->d->notes, VYX_STRZ((const char *)name));
	a->next = r->anchors;
	return r->anchors = a;
}

static struct vyx_doc_node *
find(const struct vyx_doc_node *map, struct vyx_str key)
{
	struct vyx_doc_node *o = map->child;

	while (o && !vyx_str_eq(o->key, key))
		o = o->next;
	return o;
}

/* Take over what `from` has and `map` does not: the map's own keys and what
 * it merged before come first. */
static void
merge(struct reader *r, struct vyx_doc_node *map,
    const struct vyx_doc_node *from)
{
	for (const struct vyx_doc_node *o = from->child; o; o = o->next) {
		struct vyx_doc_node *new;

		if (find(map, o->key))
			continue;
		new = vyx_doc_add(r->d, map, o->kind, o->line, o->key, o->text);
		if (!new) {
			r->failed = 1;
			return;
		}
		new->child = o->child;
		new->n = o->n;
	}
}

/* The alias in r->ev as something to merge. */
static const struct vyx_doc_node *
merged(struct reader *r)
{
	struct vyx_str name = VYX_STRZ((const char *)r->ev.data.alias.anchor);
	const struct anchor *a = r->anchors;

	while (a && !vyx_str_eq(a->name, name))
		a = a->next;
	if (a && a->node)
		return a->node;
	vyx_doc_error(r->d, line(r), "<<",
	    "*%.*s is no mapping that ends above this line",
	    (int)(name.n < 60 ? name.n : 60), name.p);
	return NULL;
}

/* What stands behind `<<`: an alias, or a list of them. They are kept in
 * from[] until the map's own keys are known. */
static void
merge_value(struct reader *r, const struct vyx_doc_node **from, size_t *n)
{
	int list = 0;

	if (!next(r))
		return;
	if (r->ev.type == YAML_SEQUENCE_START_EVENT) {
		list = 1;
		next(r);
	}
	for (;;) {
		if (r->failed ||
		    (list && r->ev.type == YAML_SEQUENCE_END_EVENT))
			return;
		if (r->ev.type != YAML_ALIAS_EVENT || *n == VYX_DOC_DEPTH) {
			vyx_doc_error(r->d, line(r), "<<",
			    "merges up to %d mappings, each as an alias: "
			    "<<: *name, or <<: [*one, *two]",
			    VYX_DOC_DEPTH);
			r->failed = 1;
			return;
		}
		if ((from[*n] = merged(r)))
			++*n;
		if (!list || !next(r))
			return;
	}
}

static struct vyx_doc_node *value(struct reader *r, struct vyx_doc_node *parent,
    struct vyx_str key, unsigned depth);

/* Room for what a refused value holds, so that its errors are told too and
 * the rest of the file is still read. */
static void
skip(struct reader *r, struct vyx_str key, unsigned depth)
{
	struct vyx_doc_node aside = { .kind = VYX_DOC_LIST };

	if (next(r))
		value(r, &aside, key, depth);
}

static void
map(struct reader *r, struct vyx_doc_node *o, unsigned depth)
{
	const struct vyx_doc_node *from[VYX_DOC_DEPTH], *twice;
	size_t n = 0;

	while (next(r) && r->ev.type != YAML_MAPPING_END_EVENT) {
		const yaml_event_t *e = &r->ev;
		struct vyx_str key;

		if (e->type != YAML_SCALAR_EVENT) {
			vyx_doc_error(r->d, line(r), "",
			    "a key must be a plain word");
			r->failed = 1;
			return;
		}
		key = (struct vyx_str){ (const char *)e->data.scalar.value,
			e->data.scalar.length };
		if (vyx_str_eq(key, VYX_STR("<<")) &&
		    e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
			merge_value(r, from, &n);
			continue;
		}
		key = vyx_notes_copy(r->d->notes, key);
		if ((twice = find(o, key))) {
			vyx_doc_error(r->d, line(r), "",
			    "key %s stands twice, first in line %u: keep one",
			    VYX_SHOW(key), twice->line);
			skip(r, key, depth);
		} else if (o->n == VYX_DOC_KEYS) {
			vyx_doc_error(r->d, line(r), "",
			    "too many keys: a mapping may have %d",
			    VYX_DOC_KEYS);
			r->failed = 1;
		} else if (next(r))
			value(r, o, key, depth);
	}
	for (size_t i = 0; i < n && !r->failed; i++)
		merge(r, o, from[i]);
}

static struct vyx_doc_node *
scalar(struct reader *r, struct vyx_doc_node *parent, struct vyx_str key)
{
	const yaml_event_t *e = &r->ev;
	struct vyx_str text = vyx_notes_copy(r->d->notes,
	    (struct vyx_str){
	        (const char *)e->data.scalar.value, e->data.scalar.length });
	int plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	anchor(r, e->data.scalar.anchor);
	if (!tag_ok(r, e->data.scalar.tag, 1))
		plain = 0;
	return vyx_doc_add(r->d, parent,
	    plain && !e->data.scalar.tag ? resolve(text) : VYX_DOC_STR, line(r),
	    key, text);
}

/* The value that begins with r->ev, below `parent`. */
static struct vyx_doc_node *
value(struct reader *r, struct vyx_doc_node *parent, struct vyx_str key,
    unsigned depth)
{
	int is_map = r->ev.type == YAML_MAPPING_START_EVENT;
	struct vyx_doc_node *o = NULL;
	struct anchor *a;

	if (r->ev.type == YAML_ALIAS_EVENT) {
		vyx_doc_error(r->d, line(r), "",
		    "alias *%.60s: aliases serve merges (<<: *name) alone: "
		    "write the value out",
		    (const char *)r->ev.data.alias.anchor);
		return NULL;
	}
	if (r->ev.type == YAML_SCALAR_EVENT) {
		if (!(o = scalar(r, parent, key)))
			r->failed = 1;
		return o;
	}
	if (depth == VYX_DOC_DEPTH)
		vyx_doc_error(r->d, line(r), "", "nested more than %d deep",
		    VYX_DOC_DEPTH);
	else
		o = vyx_doc_add(r->d, parent,
		    is_map ? VYX_DOC_MAP : VYX_DOC_LIST, line(r), key,
		    VYX_STR(""));
	if (!o) {
		r->failed = 1;
		return NULL;
	}
	tag_ok(r,
	    is_map ? r->ev.data.mapping_start.tag
	           : r->ev.data.sequence_start.tag,
	    0);
	a = anchor(r,
	    is_map ? r->ev.data.mapping_start.anchor
	           : r->ev.data.sequence_start.anchor);
	if (is_map)
		map(r, o, depth + 1);
	else
		while (next(r) && r->ev.type != YAML_SEQUENCE_END_EVENT)
			value(r, o, VYX_STR(""), depth + 1);
	if (a && is_map)
		a->node = o;
	return o;
}

/* From the start of the stream to its end: one document, or none. */
static struct vyx_doc_node *
document(struct reader *r)
{
	struct vyx_doc_node *root = NULL;

	if (!next(r) || !next(r))
		return NULL;
	if (r->ev.type == YAML_STREAM_END_EVENT)
		return vyx_doc_add(r->d, NULL, VYX_DOC_NULL, 1, VYX_STR(""),
		    VYX_STR(""));
	if (next(r))
		root = value(r, NULL, VYX_STR(""), 0);
	if (!next(r) || !next(r)) /* the document's end, what follows */
		return root;
	if (r->ev.type != YAML_STREAM_END_EVENT)
		vyx_doc_error(r->d, line(r), "",
		    "a second document starts here: one file is one "
		    "document, remove the line ---");
	return root;
}

struct vyx_doc_node *
vyx_doc_yaml(struct vyx_doc *d, struct vyx_str bytes)
{
	struct reader r = { .d = d };
	struct vyx_doc_node *root;

	if (bytes.n > VYX_DOC_BYTES) {
		vyx_doc_error(d, 1, "", "larger than %d bytes", VYX_DOC_BYTES);
		return NULL;
	}
	if (!yaml_parser_initialize(&r.parser)) {
		vyx_doc_error(d, 1, "", "out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&r.parser,
	    (const unsigned char *)(bytes.n ? bytes.p : ""), bytes.n);
	root = document(&r);
	d->broken = r.failed;
	yaml_event_delete(&r.ev);
	yaml_parser_delete(&r.parser);
	return root;
}
