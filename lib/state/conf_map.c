/* SPDX-License-Identifier: ISC */
/* conf_map - values that are mappings of names of the operator's choice. */
#include "state/conf_int.h"
#include "wire/forward.h"

#define NAME_MAX_BYTES 64
#define VALUE_MAX_BYTES 1024

static int
name_ok(struct vyx_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c != '_' && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && !(i && c >= '0' && c <= '9'))
			return 0;
	}
	return s.n > 0;
}

/* NAME: value sets it; NAME: with nothing, or NAME in a list, inherits it. */
static struct vyx_str
variable(const struct vyx_conf_where *w, const struct vyx_doc_node *o, int map)
{
	struct vyx_str name = map ? o->key : o->text, s = { NULL, 0 };
	const struct vyx_conf_val *secret = &w->conf->v[VYX_K_JWT_SECRET_ENV];
	const char *key = VYX_KEY_OF(w, VYX_K_W_ENV);
	char *p;

	if (!name_ok(name) || (!map && o->kind >= VYX_DOC_LIST)) {
		vyx_doc_error(w->doc, o->line, key,
		    "%s is no name of a variable: write NAME: value, or a "
		    "list of names to inherit",
		    VYX_SHOW(name));
		return s;
	}
	if (!map || o->kind == VYX_DOC_NULL)
		return name;
	if (o->kind >= VYX_DOC_LIST) {
		vyx_doc_error(w->doc, o->line, key,
		    "the value of %s must be a text", VYX_SHOW(name));
		return s;
	}
	if (memchr(o->text.p, 0, o->text.n)) {
		vyx_doc_error(w->doc, o->line, key,
		    "the value of %s holds a NUL byte", VYX_SHOW(name));
		return s;
	}
	if (vyx_str_eq(name, secret->text))
		vyx_doc_warn(w->doc, o->line, key,
		    "%s is a secret, and its value would stand in the "
		    "registry: leave the value out to inherit it",
		    VYX_SHOW(name));
	s.n = name.n + 1 + o->text.n;
	if (!(p = vyx_notes_get(w->doc->notes, s.n)))
		return s;
	memcpy(p, name.p, name.n);
	p[name.n] = '=';
	memcpy(p + name.n + 1, o->text.p, o->text.n);
	s.p = p;
	return s;
}

void
vyx_conf_env(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o)
{
	struct vyx_conf_val *v = &w->v[k - w->first];
	struct vyx_str *list;

	if (o->kind < VYX_DOC_LIST || o->n > VYX_CONF_ENV) {
		vyx_doc_error(w->doc, o->line, VYX_KEY_OF(w, k),
		    "must be a mapping NAME: value or a list of names, with "
		    "%d entries at most",
		    VYX_CONF_ENV);
		return;
	}
	if (!(list = vyx_conf_list(w, v, o)))
		return;
	for (const struct vyx_doc_node *i = o->child; i; i = i->next) {
		struct vyx_str s = variable(w, i, o->kind == VYX_DOC_MAP);

		if (s.n > 32768)
			vyx_doc_error(w->doc, i->line, VYX_KEY_OF(w, k),
			    "%zu bytes are too many: 32768 at most", s.n);
		else if (s.p)
			list[v->n++] = s;
	}
}

/* Both names alike, `_` for `-` and in any case. */
static int
reads_as(struct vyx_str s, struct vyx_str name)
{
	char form[NAME_MAX_BYTES];

	if (s.n != name.n || s.n > sizeof form)
		return 0;
	for (size_t i = 0; i < s.n; i++)
		form[i] = s.p[i] == '_' ? '-' : s.p[i];
	return vyx_str_caseeq((struct vyx_str){ form, s.n }, name);
}

/* What the gateway makes or needs itself, beside what a rule cannot add. */
static int
is_ours(struct vyx_str s)
{
	const struct vyx_str family = VYX_STR("X-Forwarded-");

	return !vyx_forward_may(s) || reads_as(s, VYX_STR("Trailer")) ||
	    reads_as(s, VYX_STR("Date")) || reads_as(s, VYX_STR("Via")) ||
	    (s.n >= family.n &&
	        reads_as((struct vyx_str){ s.p, family.n }, family));
}

int
vyx_conf_field(struct vyx_doc *d, unsigned line, const char *key,
    struct vyx_str name)
{
	if (name.n > NAME_MAX_BYTES || !vyx_http1_token(name))
		vyx_doc_error(d, line, key,
		    "%s is no name of a header field: a word of %d bytes at "
		    "most is needed",
		    VYX_SHOW(name), NAME_MAX_BYTES);
	else if (is_ours(name))
		vyx_doc_error(d, line, key,
		    "%s is made by the gateway: take it out", VYX_SHOW(name));
	else
		return 1;
	return 0;
}

/* RFC 9110 5.5, and something at all: an empty field says nothing. */
static int
value_ok(struct vyx_str s)
{
	if (!s.n || s.n > VALUE_MAX_BYTES || strchr(" \t", *s.p) ||
	    strchr(" \t", s.p[s.n - 1]))
		return 0;
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') ||
		    s.p[i] == 127)
			return 0;
	return 1;
}

/* NAME: value as one text. */
static struct vyx_str
pair(const struct vyx_conf_where *w, const struct vyx_doc_node *o,
    const char *key)
{
	struct vyx_buf b = { 0 };
	struct vyx_str s = { NULL, 0 };

	if (!vyx_conf_field(w->doc, o->line, key, o->key))
		return s;
	if (o->kind == VYX_DOC_NULL || o->kind >= VYX_DOC_LIST ||
	    !value_ok(o->text)) {
		vyx_doc_error(w->doc, o->line, key,
		    "the value of %s must be a text of 1 to %d bytes, without "
		    "control bytes, and without blanks at its ends",
		    VYX_SHOW(o->key), VALUE_MAX_BYTES);
		return s;
	}
	vyx_buf_putstr(&b, o->key);
	vyx_buf_puts(&b, ": ");
	vyx_buf_putstr(&b, o->text);
	s = vyx_notes_copy(w->doc->notes, vyx_buf_str(&b));
	vyx_buf_free(&b);
	return s;
}

void
vyx_conf_pairs(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o)
{
	struct vyx_conf_val *v = &w->v[k - w->first];
	const char *key = VYX_KEY_OF(w, k);
	struct vyx_str *list;

	if (o->kind != VYX_DOC_MAP) {
		vyx_doc_error(w->doc, o->line, key,
		    "must be a mapping NAME: value, not %s",
		    vyx_doc_kind_name(o->kind));
		return;
	}
	if (!(list = vyx_conf_list(w, v, o)))
		return;
	for (const struct vyx_doc_node *i = o->child; i; i = i->next) {
		struct vyx_str s = pair(w, i, key);

		if (s.p)
			list[v->n++] = s;
	}
}
