/* SPDX-License-Identifier: ISC */
#ifndef VYX_STATE_SCHEMA_INT_H
#define VYX_STATE_SCHEMA_INT_H

#include "state/regex.h"
#include "state/schema.h"

/* What the parts of schema share. */

/* jansson's loops over objects want no const. */
static inline json_t *
vyx_schema_loose(const json_t *j)
{
	json_t *p;

	memcpy(&p, &j, sizeof(p));
	return p;
}

struct vyx_schema_kw;
struct vyx_schema_load;
struct vyx_schema_node;
struct vyx_schema_run;

#define VYX_SCHEMA_D7 1u
#define VYX_SCHEMA_D2020 2u
#define VYX_SCHEMA_BOTH 3u

/*
 * Keywords in the order in which they are checked: a wrong type ends the check
 * of a subschema, unevaluated* comes after all that may evaluate. `form` reads
 * the value when the schema loads, `test` tries a document; `none` is none. `in`:
 * its subschemas are tried on the same value.
 *	  id		keyword		 drafts form	test	   in */
/* clang-format off */
#define VYX_SCHEMA_WORDS(X) \
	X(REF,		"$ref",		 BOTH,	ref,	 ref,	   1) \
	X(DYNREF,	"$dynamicRef",	 D2020,	ref,	 dynref,   1) \
	X(TYPE,		"type",		 BOTH,	type,	 type,	   0) \
	X(ENUM,		"enum",		 BOTH,	values,	 enum,	   0) \
	X(CONST,	"const",	 BOTH,	any,	 const,	   0) \
	X(MULTIPLE,	"multipleOf",	 BOTH,	above0,	 multiple, 0) \
	X(MAX,		"maximum",	 BOTH,	number,	 limit,	   0) \
	X(MAX_EXCL,	"exclusiveMaximum", BOTH, number, limit,   0) \
	X(MIN,		"minimum",	 BOTH,	number,	 limit,	   0) \
	X(MIN_EXCL,	"exclusiveMinimum", BOTH, number, limit,   0) \
	X(MAX_LENGTH,	"maxLength",	 BOTH,	count,	 length,   0) \
	X(MIN_LENGTH,	"minLength",	 BOTH,	count,	 length,   0) \
	X(PATTERN,	"pattern",	 BOTH,	pattern, pattern,  0) \
	X(FORMAT,	"format",	 BOTH,	format,	 format,   0) \
	X(MAX_ITEMS,	"maxItems",	 BOTH,	count,	 items_n,  0) \
	X(MIN_ITEMS,	"minItems",	 BOTH,	count,	 items_n,  0) \
	X(UNIQUE,	"uniqueItems",	 BOTH,	flag,	 unique,   0) \
	X(MAX_PROPS,	"maxProperties", BOTH,	count,	 props_n,  0) \
	X(MIN_PROPS,	"minProperties", BOTH,	count,	 props_n,  0) \
	X(REQUIRED,	"required",	 BOTH,	names,	 required, 0) \
	X(DEP_REQUIRED,	"dependentRequired", D2020, deps, deps,	   0) \
	X(PROPS,	"properties",	 BOTH,	map,	 props,	   0) \
	X(PATTERN_PROPS, "patternProperties", BOTH, patterns, patterns, 0) \
	X(MORE_PROPS,	"additionalProperties", BOTH, one, more_props, 0) \
	X(PROP_NAMES,	"propertyNames", BOTH,	one,	 prop_names, 0) \
	X(PREFIX,	"prefixItems",	 D2020,	list,	 prefix,   0) \
	X(ITEMS,	"items",	 BOTH,	items,	 items,	   0) \
	X(MORE_ITEMS,	"additionalItems", D7,	one,	 more_items, 0) \
	X(CONTAINS,	"contains",	 BOTH,	one,	 contains, 0) \
	X(MAX_CONTAINS,	"maxContains",	 D2020,	count,	 none,	   0) \
	X(MIN_CONTAINS,	"minContains",	 D2020,	count,	 none,	   0) \
	X(ALL_OF,	"allOf",	 BOTH,	list,	 all_of,   1) \
	X(ANY_OF,	"anyOf",	 BOTH,	list,	 any_of,   1) \
	X(ONE_OF,	"oneOf",	 BOTH,	list,	 one_of,   1) \
	X(NOT,		"not",		 BOTH,	one,	 not,	   1) \
	X(IF,		"if",		 BOTH,	one,	 if,	   1) \
	X(THEN,		"then",		 BOTH,	one,	 none,	   1) \
	X(ELSE,		"else",		 BOTH,	one,	 none,	   1) \
	X(DEP_SCHEMAS,	"dependentSchemas", D2020, map,	 deps,	   1) \
	X(DEPS,		"dependencies",	 D7,	deps,	 deps,	   1) \
	X(MORE_LEFT,	"unevaluatedItems", D2020, one,	 left,	   0) \
	X(PROPS_LEFT,	"unevaluatedProperties", D2020, one, left, 0) \
	X(SCHEMA,	"$schema",	 BOTH,	draft,	 none,	   0) \
	X(ID,		"$id",		 BOTH,	ref,	 none,	   0) \
	X(ANCHOR,	"$anchor",	 D2020,	ref,	 none,	   0) \
	X(DYNANCHOR,	"$dynamicAnchor", D2020, ref, none,	   0) \
	X(DEFS,		"$defs",	 D2020,	map,	 none,	   0) \
	X(DEFINITIONS,	"definitions",	 BOTH,	map,	 none,	   0) \
	X(CONTENT,	"contentSchema", D2020,	one,	 none,	   0) \
	X(ENCODING,	"contentEncoding", BOTH, string, none,	   0) \
	X(MEDIA_TYPE,	"contentMediaType", BOTH, string, none,	   0) \
	X(COMMENT,	"$comment",	 BOTH,	string,	 none,	   0) \
	X(TITLE,	"title",	 BOTH,	string,	 none,	   0) \
	X(DESCRIPTION,	"description",	 BOTH,	string,	 none,	   0) \
	X(DEFAULT,	"default",	 BOTH,	any,	 none,	   0) \
	X(EXAMPLES,	"examples",	 BOTH,	array,	 none,	   0) \
	X(DEPRECATED,	"deprecated",	 BOTH,	flag,	 none,	   0) \
	X(READ_ONLY,	"readOnly",	 BOTH,	flag,	 none,	   0) \
	X(WRITE_ONLY,	"writeOnly",	 BOTH,	flag,	 none,	   0)
/* clang-format on */

#define VYX_SCHEMA_ID_OF(id, name, drafts, form, test, in) VYX_SCHEMA_##id,
enum vyx_schema_word_id { VYX_SCHEMA_WORDS(VYX_SCHEMA_ID_OF) };
#undef VYX_SCHEMA_ID_OF

/* 1, or 0 with the error noted. */
typedef int vyx_schema_form(struct vyx_schema_load *l,
    struct vyx_schema_node *n, struct vyx_schema_kw *k);

/* Whether `j` passes. `seen` is where what was evaluated is noted, a byte an
 * item or member, in their order; NULL when nobody asks. */
typedef int vyx_schema_test(struct vyx_schema_run *r,
    const struct vyx_schema_node *n, const struct vyx_schema_kw *k,
    const json_t *j, unsigned char *seen);

struct vyx_schema_word {
	const char *name;
	unsigned drafts;
	vyx_schema_form *form;
	vyx_schema_test *test;
	int in;
};

extern const struct vyx_schema_word vyx_schema_words[];

/* A keyword of one subschema. */
struct vyx_schema_kw {
	enum vyx_schema_word_id id;
	const json_t *v;
	struct vyx_schema_node **sub; /* a map's: in the order of its members */
	size_t n;
	struct vyx_regex **re; /* of a pattern: one; of patternProperties: n */
	uint64_t count;        /* of a type: set of bits; of a format: which */
	const char *dynamic;   /* name that $dynamicRef looks for, or NULL */
};

struct vyx_schema_anchor {
	struct vyx_schema_anchor *next;
	const char *name;
	struct vyx_schema_node *node;
	int dynamic;
};

/* What an $id begins; the root is one in any case. */
struct vyx_schema_resource {
	struct vyx_schema_resource *next;
	const char *uri; /* without fragment */
	struct vyx_schema_node *root;
	struct vyx_schema_anchor *anchors;
};

struct vyx_schema_node {
	struct vyx_schema_node *next;
	const json_t *json;
	struct vyx_schema_resource *res;
	struct vyx_schema_kw *kw; /* those with a test, in order */
	size_t n, all;            /* kw[n..all) are without effect */
	struct vyx_schema_node *up;
	const char *keyword, *key; /* how it is reached from `up` */
	size_t index;              /* the same, when key is NULL */
	int indexed;
	int always;    /* -1, or the answer of `true` and `false` */
	int left;      /* it has unevaluated* */
	int walked;    /* by the search for loops: 1 on the way, 2 done */
	unsigned tall; /* subschemas in each other on one value, below it */
};

struct vyx_schema {
	json_t *json;
	enum vyx_schema_draft draft;
	struct vyx_schema_opt opt;
	struct vyx_schema_node *root;
	struct vyx_schema_node *nodes, *last; /* in the order of the text */
	struct vyx_schema_node **by_json;
	size_t n;
	struct vyx_schema_resource *resources;
	struct vyx_schema_mem *mem;
};

struct vyx_schema_load {
	struct vyx_schema *s;
	struct vyx_schema_error *err;
	unsigned depth;
	size_t patterns; /* size of those so far */
};

/* schema_load.c */

/* Zeroed memory that goes with the schema; NULL is noted. */
void *vyx_schema_alloc(struct vyx_schema_load *l, size_t n, size_t size);

/* Note what is wrong with `keyword` of `n`, or with n itself; 0. */
int vyx_schema_bad(struct vyx_schema_load *l, const struct vyx_schema_node *n,
    const char *keyword, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The subschema `json` at keyword/key or keyword/index of `up`. */
struct vyx_schema_node *vyx_schema_add(struct vyx_schema_load *l,
    struct vyx_schema_node *up, const char *keyword, const char *key,
    size_t index, const json_t *json);

/* The keyword of n, NULL when it has none or it has no effect. */
const struct vyx_schema_kw *vyx_schema_find(const struct vyx_schema_node *n,
    enum vyx_schema_word_id id);

/* Drafts by their $schema: the mark of one, 0 for others. */
unsigned vyx_schema_draft_mark(const char *uri);

/* schema_doc.c: a JSON text, nested at most `deep` */
json_t *vyx_schema_json(struct vyx_str text, unsigned deep,
    struct vyx_schema_error *err);

/* schema_ref.c */

/* What $id and the anchors of a new node say. */
int vyx_schema_name(struct vyx_schema_load *l, struct vyx_schema_node *n);

/* Find what each reference refers to; refuse loops. */
int vyx_schema_bind(struct vyx_schema_load *l);
int vyx_schema_loops(struct vyx_schema_load *l);

/* The dynamic anchor `name` of a resource, NULL when it has none. */
struct vyx_schema_node *
vyx_schema_dynamic(const struct vyx_schema_resource *res, const char *name);

/* schema_uri.c: `ref` seen from `base` (RFC 3986 5.2) into *out. */
int vyx_schema_uri(struct vyx_str base, struct vyx_str ref,
    struct vyx_buf *out);

/* schema_format.c */
size_t vyx_schema_format_find(const char *name); /* from 1; 0: unknown */
const char *vyx_schema_format_words(size_t which);
uint64_t vyx_schema_format_cost(size_t which, struct vyx_str s); /* steps */
int vyx_schema_format_test(size_t which, struct vyx_str s);
int vyx_schema_is_uri(struct vyx_str s, int absolute);

/* schema_num.c */
int vyx_schema_integral(const json_t *j);
int vyx_schema_cmp(const json_t *a, const json_t *b); /* of two numbers */
int vyx_schema_multiple(const json_t *v, const json_t *of);
size_t vyx_schema_length(const json_t *s); /* in code points */

/* Equal, each comparison a step; -1: they were spent. */
int vyx_schema_equal(const json_t *a, const json_t *b, uint64_t *steps);
/* A number that equal values share, each value a step, long strings more. */
uint64_t vyx_schema_hash(const json_t *j, uint64_t *steps);

/* schema_check.c: a check on its way */
struct vyx_schema_at {
	const struct vyx_schema_at *up;
	const char *key; /* NULL: index */
	size_t index;
};

struct vyx_schema_scope {
	const struct vyx_schema_scope *up;
	const struct vyx_schema_resource *res;
};

enum vyx_schema_stop {
	VYX_SCHEMA_GO,
	VYX_SCHEMA_FULL, /* enough reports */
	VYX_SCHEMA_SPENT,
	VYX_SCHEMA_MEMORY,
};

struct vyx_schema_run {
	vyx_schema_report *fn;
	void *arg;
	const struct vyx_schema_at *at;
	const struct vyx_schema_scope *scope;
	unsigned frames;
	unsigned quiet; /* above 0: nothing is reported, one fault is enough */
	unsigned reports;
	enum vyx_schema_stop stop;
	uint64_t steps; /* left */
};

/* A subschema on the same value, and on a part of it. */
int vyx_schema_try(struct vyx_schema_run *r, const struct vyx_schema_node *n,
    const json_t *j, unsigned char *seen);
int vyx_schema_try_member(struct vyx_schema_run *r,
    const struct vyx_schema_node *n, const json_t *j, const char *key);
int vyx_schema_try_item(struct vyx_schema_run *r,
    const struct vyx_schema_node *n, const json_t *j, size_t index);

/* Without a report; what it has evaluated counts only when it passes. */
int vyx_schema_try_quietly(struct vyx_schema_run *r,
    const struct vyx_schema_node *n, const json_t *j, unsigned char *seen);

/* Take n steps; 0: there were not so many, the check ends. */
int vyx_schema_spend(struct vyx_schema_run *r, uint64_t n);

/* Members or items; 0 for what has none. */
size_t vyx_schema_size(const json_t *j);

/* A pattern against a text; 0 also when the steps were spent. */
int vyx_schema_matches(struct vyx_schema_run *r, struct vyx_regex *re,
    struct vyx_str s);

/* Whether to look no further. */
int vyx_schema_enough(const struct vyx_schema_run *r);

/* schema_say.c */

/* Report what is wrong here, at `key` below when that is no NULL; 0. */
int vyx_schema_say(struct vyx_schema_run *r, const char *key, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* `j` as a short JSON text; of an array the items alone. */
#define VYX_SCHEMA_SHORT 192
const char *vyx_schema_short(const json_t *j, char buf[VYX_SCHEMA_SHORT]);

/* `s` into out[cap], terminated, cut where a character begins, ? for controls
 * and what is no UTF-8; its length. */
size_t vyx_schema_cut(char *out, size_t cap, struct vyx_str s);

/* clang-format off */

/* schema_value.c, schema_part.c, schema_mix.c: the tests */
#define VYX_SCHEMA_TESTS(X) \
	X(ref) X(dynref) X(type) X(enum) X(const) X(multiple) X(limit) \
	X(length) X(pattern) X(format) X(items_n) X(unique) X(props_n) \
	X(required) X(deps) X(props) X(patterns) X(more_props) \
	X(prop_names) X(prefix) X(items) X(more_items) X(contains) \
	X(all_of) X(any_of) X(one_of) X(not) X(if) X(left)
#define VYX_SCHEMA_TEST_OF(name) vyx_schema_test vyx_schema_test_##name;
VYX_SCHEMA_TESTS(VYX_SCHEMA_TEST_OF)
#undef VYX_SCHEMA_TEST_OF

/* schema_form.c: the forms */
#define VYX_SCHEMA_FORMS(X) \
	X(ref) X(type) X(values) X(any) X(above0) X(number) X(count) \
	X(pattern) X(format) X(flag) X(names) X(deps) X(map) X(patterns) \
	X(one) X(list) X(items) X(draft) X(string) X(array)
#define VYX_SCHEMA_FORM_OF(name) vyx_schema_form vyx_schema_form_##name;
VYX_SCHEMA_FORMS(VYX_SCHEMA_FORM_OF)
#undef VYX_SCHEMA_FORM_OF
/* clang-format on */

#endif
