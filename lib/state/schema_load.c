/* SPDX-License-Identifier: ISC */
/* schema_load - a text as a tree of subschemas, each with its keywords in the
 * order in which they are checked. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema_int.h"

#define vyx_schema_test_none NULL
#define WORD(id, name, drafts, form, test, in)           \
	[VYX_SCHEMA_##id] = { name, VYX_SCHEMA_##drafts, \
		vyx_schema_form_##form, vyx_schema_test_##test, in },
const struct vyx_schema_word vyx_schema_words[] = { VYX_SCHEMA_WORDS(WORD) };

#define WORDS VYX_COUNT(vyx_schema_words)

struct vyx_schema_mem {
	struct vyx_schema_mem *next;
	max_align_t bytes[];
};

void *
vyx_schema_alloc(struct vyx_schema_load *l, size_t n, size_t size)
{
	struct vyx_schema_mem *m = NULL;

	if (size == 0 || n <= (SIZE_MAX / 2 - sizeof(*m)) / size)
		m = calloc(1, sizeof(*m) + n * size);
	if (!m) {
		vyx_schema_bad(l, NULL, NULL, "no memory");
		return NULL;
	}
	m->next = l->s->mem;
	l->s->mem = m;
	return m->bytes;
}

/* Append a part of a pointer (RFC 6901 3). */
static void
put_token(struct vyx_buf *b, const char *z)
{
	vyx_buf_putc(b, '/');
	for (; *z; z++)
		switch (*z) {
		case '~':
			vyx_buf_puts(b, "~0");
			break;
		case '/':
			vyx_buf_puts(b, "~1");
			break;
		default:
			vyx_buf_putc(b, (unsigned char)*z < ' ' ? '?' : *z);
		}
}

static void
put_pointer(struct vyx_buf *b, const struct vyx_schema_node *n)
{
	if (!n || !n->up)
		return;
	put_pointer(b, n->up);
	put_token(b, n->keyword);
	if (n->key)
		put_token(b, n->key);
	else if (n->indexed)
		vyx_buf_fmt(b, "/%zu", n->index);
}

int
vyx_schema_bad(struct vyx_schema_load *l, const struct vyx_schema_node *n,
    const char *keyword, const char *fmt, ...)
{
	struct vyx_buf at = { .max = 0 };
	char why[1024];
	va_list ap;

	if (l->err->why[0])
		return 0;
	put_pointer(&at, n);
	if (keyword)
		put_token(&at, keyword);
	vyx_schema_cut(l->err->at, sizeof(l->err->at),
	    at.n ? vyx_buf_str(&at) : VYX_STR("/"));
	vyx_buf_free(&at);
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	vyx_schema_cut(l->err->why, sizeof(l->err->why), VYX_STRZ(why));
	return 0;
}

const struct vyx_schema_kw *
vyx_schema_find(const struct vyx_schema_node *n, enum vyx_schema_word_id id)
{
	for (size_t i = 0; i < n->all; i++)
		if (n->kw[i].id == id)
			return &n->kw[i];
	return NULL;
}

unsigned
vyx_schema_draft_mark(const char *uri)
{
	size_t n = strlen(uri);

	n -= n && uri[n - 1] == '#';
	if (vyx_str_eq((struct vyx_str){ uri, n },
	        VYX_STR("https://json-schema.org/draft/2020-12/schema")))
		return VYX_SCHEMA_D2020;
	if (vyx_str_eq((struct vyx_str){ uri, n },
	        VYX_STR("http://json-schema.org/draft-07/schema")))
		return VYX_SCHEMA_D7;
	return 0;
}

static unsigned
mark(const struct vyx_schema_load *l)
{
	return l->s->draft == VYX_SCHEMA_07 ? VYX_SCHEMA_D7 : VYX_SCHEMA_D2020;
}

static int
unknown(struct vyx_schema_load *l, const struct vyx_schema_node *n,
    const char *name, const char *draft)
{
	static const struct {
		const char *name, *instead;
	} hints[] = {
		{ "additionalItems", "items beside prefixItems" },
		{ "dependencies", "dependentRequired or dependentSchemas" },
		{ "id", "$id" },
		{ "$recursiveRef", "$dynamicRef" },
		{ "$recursiveAnchor", "$dynamicAnchor" },
	};

	for (size_t i = 0; i < VYX_COUNT(hints); i++)
		if (!strcmp(name, hints[i].name))
			return vyx_schema_bad(l, n, name,
			    "not a keyword of %s: use %s", draft,
			    hints[i].instead);
	for (size_t i = 0; i < WORDS; i++)
		if (!strcmp(name, vyx_schema_words[i].name))
			return vyx_schema_bad(l, n, name, "not a keyword of %s",
			    draft);
	return vyx_schema_bad(l, n, name, "unknown keyword");
}

static int
keyword(struct vyx_schema_load *l, struct vyx_schema_node *n, const char *name,
    const json_t *v)
{
	int d7 = l->s->draft == VYX_SCHEMA_07;
	size_t i = 0;

	if (!strncmp(name, "x-", 2))
		return 1;
	while (i < WORDS &&
	    (strcmp(name, vyx_schema_words[i].name) != 0 ||
	        !(vyx_schema_words[i].drafts & mark(l))))
		i++;
	if (i == WORDS)
		return unknown(l, n, name, d7 ? "draft-07" : "2020-12");
	n->kw[n->all] =
	    (struct vyx_schema_kw){ .id = (enum vyx_schema_word_id)i, .v = v };
	return vyx_schema_words[i].form(l, n, &n->kw[n->all++]);
}

static int
by_id(const void *a, const void *b)
{
	const struct vyx_schema_kw *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Sort, so that those with a test come first. */
static void
order(struct vyx_schema_load *l, struct vyx_schema_node *n)
{
	qsort(n->kw, n->all, sizeof(*n->kw), by_id);
	while (n->n < n->all && n->kw[n->n].id < VYX_SCHEMA_SCHEMA)
		n->n++;
	if (l->s->draft == VYX_SCHEMA_07 && n->n &&
	    n->kw[0].id == VYX_SCHEMA_REF)
		n->n = 1; /* what stands beside it has no effect */
	n->left = vyx_schema_find(n, VYX_SCHEMA_MORE_LEFT) ||
	    vyx_schema_find(n, VYX_SCHEMA_PROPS_LEFT);
}

static int
keywords(struct vyx_schema_load *l, struct vyx_schema_node *n)
{
	size_t many = json_object_size(n->json);
	const char *name;
	json_t *v;

	if (!vyx_schema_name(l, n))
		return 0;
	n->kw = vyx_schema_alloc(l, many, sizeof(*n->kw));
	if (!n->kw)
		return 0;
	json_object_foreach(vyx_schema_loose(n->json), name, v)
	{
		if (!keyword(l, n, name, v))
			return 0;
	}
	order(l, n);
	return 1;
}

struct vyx_schema_node *
vyx_schema_add(struct vyx_schema_load *l, struct vyx_schema_node *up,
    const char *word, const char *key, size_t index, const json_t *json)
{
	struct vyx_schema *s = l->s;
	struct vyx_schema_node *n;
	int ok = 1;

	n = vyx_schema_alloc(l, 1, sizeof(*n));
	if (!n)
		return NULL;
	*n = (struct vyx_schema_node){ .json = json,
		.up = up,
		.keyword = word,
		.key = key,
		.index = index == SIZE_MAX ? 0 : index,
		.indexed = index != SIZE_MAX,
		.res = up ? up->res : NULL,
		.always = json_is_boolean(json) ? json_is_true(json) : -1 };
	if (s->n == VYX_SCHEMA_NODES)
		return vyx_schema_bad(l, n, NULL, "more than %d subschemas",
		           VYX_SCHEMA_NODES),
		       NULL;
	*(s->last ? &s->last->next : &s->nodes) = n;
	s->last = n;
	s->n++;
	if (l->depth == VYX_SCHEMA_DEPTH)
		return vyx_schema_bad(l, n, NULL, "nested more than %d deep",
		           VYX_SCHEMA_DEPTH),
		       NULL;
	l->depth++;
	if (json_is_object(json))
		ok = keywords(l, n);
	else if (n->always < 0)
		ok = vyx_schema_bad(l, n, NULL,
		    "a schema is an object, true or false");
	else if (!up)
		ok = vyx_schema_name(l, n);
	l->depth--;
	return ok ? n : NULL;
}

/* Which draft the root says. */
static int
choose(struct vyx_schema_load *l)
{
	const json_t *v = json_object_get(l->s->json, "$schema");
	unsigned m;

	if (!v)
		return 1;
	m = json_is_string(v) ? vyx_schema_draft_mark(json_string_value(v)) : 0;
	if (!m)
		return vyx_schema_bad(l, NULL, "$schema",
		    "neither draft 2020-12 nor draft-07");
	l->s->draft = m == VYX_SCHEMA_D7 ? VYX_SCHEMA_07 : VYX_SCHEMA_2020_12;
	return 1;
}

static int
load(struct vyx_schema_load *l, struct vyx_str text)
{
	struct vyx_schema *s = l->s;

	if (text.n > VYX_SCHEMA_TEXT)
		return vyx_schema_bad(l, NULL, NULL, "larger than %d bytes",
		    VYX_SCHEMA_TEXT);
	/* a subschema takes two or three levels of JSON */
	s->json = vyx_schema_json(text, 3 * VYX_SCHEMA_DEPTH, l->err);
	if (!s->json || !choose(l))
		return 0;
	s->root = vyx_schema_add(l, NULL, NULL, NULL, SIZE_MAX, s->json);
	return s->root && vyx_schema_bind(l) && vyx_schema_loops(l);
}

struct vyx_schema *
vyx_schema_load(struct vyx_str text, const struct vyx_schema_opt *opt,
    struct vyx_schema_error *err)
{
	struct vyx_schema_load l = { .s = calloc(1, sizeof(*l.s)), .err = err };

	*err = (struct vyx_schema_error){ .at = "/" };
	if (!l.s) {
		vyx_schema_bad(&l, NULL, NULL, "no memory");
		return NULL;
	}
	if (opt)
		l.s->opt = *opt;
	l.s->draft = l.s->opt.draft;
	if (!l.s->opt.steps)
		l.s->opt.steps = VYX_SCHEMA_STEPS;
	if (load(&l, text))
		return l.s;
	vyx_schema_free(l.s);
	return NULL;
}

static void
free_patterns(struct vyx_schema_node *n)
{
	for (size_t i = 0; i < n->all; i++)
		for (size_t j = 0; n->kw[i].re && n->kw[i].re[j]; j++)
			vyx_regex_free(n->kw[i].re[j]);
}

void
vyx_schema_free(struct vyx_schema *s)
{
	struct vyx_schema_mem *m, *next;

	if (!s)
		return;
	for (struct vyx_schema_node *n = s->nodes; n; n = n->next)
		free_patterns(n);
	for (m = s->mem; m; m = next) {
		next = m->next;
		free(m);
	}
	json_decref(s->json);
	free(s);
}
