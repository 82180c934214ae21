/* SPDX-License-Identifier: ISC */
/* conf_value - one value of the configuration, by its key's type. */
#include <stdio.h>

#include "base/units.h"
#include "state/conf_int.h"

/* clang-format off */
#define STR VYX_STR_KEY
#define INT VYX_INT_KEY
#define DUR VYX_DUR_KEY
#define SIZE VYX_SIZE_KEY
#define WORD VYX_WORD_KEY
#define LIST VYX_LIST_KEY
#define ENV VYX_ENV_KEY
#define BOOL VYX_BOOL_KEY
#define PAIRS VYX_PAIRS_KEY
#define KEY(id, path, type, def, range, feeds, doc) \
	{ path, type, def, range, feeds, doc },
const struct vyx_conf_keydef vyx_conf_keys[VYX_K_COUNT] = {
	VYX_CONF_KEYS(KEY)
};
/* clang-format on */

#define STR_MAX 4096

const char *
vyx_conf_shown(char *into, size_t size, const struct vyx_conf_where *w,
    enum vyx_conf_key k)
{
	snprintf(into, size, "%s%s", w->shown,
	    vyx_conf_keys[k].path + strlen(w->table));
	return into;
}

/* " (id: "x")" behind messages about a worker. */
static const char *
whose(char *into, size_t size, const struct vyx_conf_where *w)
{
	if (w->id.n)
		snprintf(into, size, " (id: %s)", VYX_SHOW(w->id));
	else
		*into = 0;
	return into;
}

#define WHOSE(w) whose((char[280]){ 0 }, 280, (w))

/* A whole number with a sign; 2.0 counts as one, as upstream's loader has it.
 */
static int
whole(struct vyx_str s, int64_t *out)
{
	int minus = s.n && *s.p == '-';
	const char *dot;
	uint64_t u;

	if (s.n && (*s.p == '-' || *s.p == '+')) {
		s.p++;
		s.n--;
	}
	if (s.n && (dot = memchr(s.p, '.', s.n))) {
		for (const char *z = dot + 1; z < s.p + s.n; z++)
			if (*z != '0')
				return 0;
		s.n = (size_t)(dot - s.p);
	}
	if (!vyx_dec_scan(s, INT64_MAX, &u))
		return 0;
	*out = minus ? -(int64_t)u : (int64_t)u;
	return 1;
}

static int
number(enum vyx_conf_type type, struct vyx_str s, int64_t *out)
{
	uint64_t u;

	if (type == VYX_INT_KEY)
		return whole(s, out);
	if (type == VYX_DUR_KEY)
		return vyx_dur_scan(s, out);
	if (!vyx_size_scan(s, &u))
		return 0;
	*out = (int64_t)u;
	return 1;
}

/* Within `range`, "smallest..largest"? Says what is wrong when not. */
static int
in_range(const struct vyx_conf_where *w, enum vyx_conf_key k, unsigned line,
    int64_t v)
{
	const struct vyx_conf_keydef *d = &vyx_conf_keys[k];
	const char *dots = strstr(d->range, "..");
	struct vyx_str lo, hi;
	int64_t lim;

	if (!dots)
		return 1;
	lo = (struct vyx_str){ d->range, (size_t)(dots - d->range) };
	hi = VYX_STRZ(dots + 2);
	if (lo.n && number(d->type, lo, &lim) && v < lim)
		vyx_doc_error(w->doc, line, "", "%s must be >= %.*s%s",
		    VYX_KEY_OF(w, k), (int)lo.n, lo.p, WHOSE(w));
	else if (hi.n && number(d->type, hi, &lim) && v > lim)
		vyx_doc_error(w->doc, line, "", "%s must be <= %.*s%s",
		    VYX_KEY_OF(w, k), (int)hi.n, hi.p, WHOSE(w));
	else
		return 1;
	return 0;
}

static void
read_number(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o, struct vyx_conf_val *v)
{
	static const char *const what[] = { [VYX_INT_KEY] = "a whole number",
		[VYX_DUR_KEY] = "a duration: write numbers with units, such "
		                "as 300ms, 30s or 1m30s",
		[VYX_SIZE_KEY] = "a size: write a number with b, kb, mb or "
		                 "gb, such as 512kb" };
	enum vyx_conf_type type = vyx_conf_keys[k].type;
	int64_t num;
	int fits = type == VYX_INT_KEY
	    ? o->kind == VYX_DOC_INT || o->kind == VYX_DOC_REAL
	    : type == VYX_DUR_KEY ? o->kind == VYX_DOC_STR
	                          : 1;

	if (!fits || !number(type, o->text, &num)) {
		vyx_doc_error(w->doc, o->line, VYX_KEY_OF(w, k),
		    "%s is not %s%s", VYX_SHOW(o->text), what[type],
		    type == VYX_INT_KEY && o->kind == VYX_DOC_STR
		        ? ": write digits, without quotes"
		        : "");
		return;
	}
	if (!in_range(w, k, o->line, num))
		return;
	v->num = num;
	v->line = o->line;
}

static int
word_ok(const char *range, struct vyx_str s)
{
	struct vyx_str all = VYX_STRZ(range);

	while (all.p)
		if (vyx_str_eq(vyx_str_cut(&all, '|'), s))
			return 1;
	return 0;
}

/* "a", "b" or "c" */
static const char *
words(char *into, size_t size, const char *range)
{
	struct vyx_str all = VYX_STRZ(range);
	size_t n = 0;

	while (all.p) {
		struct vyx_str one = vyx_str_cut(&all, '|');

		n += (size_t)snprintf(into + n, size - n, "%s\"%.*s\"",
		    !n          ? ""
		        : all.p ? ", "
		                : " or ",
		    (int)one.n, one.p);
	}
	return into;
}

/* A scalar that may stand in a row. */
static int
text_ok(const struct vyx_conf_where *w, const char *key,
    const struct vyx_doc_node *o, size_t max)
{
	if (o->kind >= VYX_DOC_LIST) {
		vyx_doc_error(w->doc, o->line, key, "must be a text, not %s",
		    vyx_doc_kind_name(o->kind));
		return 0;
	}
	for (size_t i = 0; i < o->text.n; i++)
		if ((unsigned char)o->text.p[i] < 0x20 || o->text.p[i] == 127) {
			vyx_doc_error(w->doc, o->line, key,
			    "%s holds a control byte: take it out",
			    VYX_SHOW(o->text));
			return 0;
		}
	if (o->text.n <= max)
		return 1;
	vyx_doc_error(w->doc, o->line, key,
	    "%zu bytes are too many: %zu at most", o->text.n, max);
	return 0;
}

static void
read_word(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o, struct vyx_conf_val *v)
{
	const char *range = vyx_conf_keys[k].range;
	char all[100];

	if (!o->text.n) /* strategy: "" is its default, as upstream has it */
		return;
	if (o->kind >= VYX_DOC_LIST || !word_ok(range, o->text)) {
		vyx_doc_error(w->doc, o->line, "", "%s must be %s%s",
		    VYX_KEY_OF(w, k), words(all, sizeof all, range), WHOSE(w));
		return;
	}
	v->text = o->text;
	v->line = o->line;
}

struct vyx_str *
vyx_conf_list(const struct vyx_conf_where *w, struct vyx_conf_val *v,
    const struct vyx_doc_node *o)
{
	struct vyx_str *list =
	    vyx_notes_get(w->doc->notes, (o->n + 1) * sizeof *list);

	if (!list)
		return NULL;
	v->list = list;
	v->n = 0;
	v->line = o->line;
	return list;
}

static void
read_list(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o, struct vyx_conf_val *v)
{
	const struct vyx_doc_node *item =
	    o->kind == VYX_DOC_LIST ? o->child : o;
	struct vyx_str *list;

	if (o->kind == VYX_DOC_MAP) {
		vyx_doc_error(w->doc, o->line, VYX_KEY_OF(w, k),
		    "must be a text or a list, not a mapping");
		return;
	}
	if (!(list = vyx_conf_list(w, v, o)))
		return;
	for (; item; item = o->kind == VYX_DOC_LIST ? item->next : NULL)
		if (text_ok(w, VYX_KEY_OF(w, k), item, STR_MAX))
			list[v->n++] = item->text;
}

static void
read_bool(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o, struct vyx_conf_val *v)
{
	if (o->kind != VYX_DOC_BOOL) {
		vyx_doc_error(w->doc, o->line, "",
		    "%s must be true or false, without quotes%s",
		    VYX_KEY_OF(w, k), WHOSE(w));
		return;
	}
	v->num = vyx_str_caseeq(o->text, VYX_STR("true"));
	v->line = o->line;
}

void
vyx_conf_value(const struct vyx_conf_where *w, enum vyx_conf_key k,
    const struct vyx_doc_node *o)
{
	struct vyx_conf_val *v = &w->v[k - w->first];

	switch (vyx_conf_keys[k].type) {
	case VYX_STR_KEY:
		if (text_ok(w, VYX_KEY_OF(w, k), o, STR_MAX)) {
			v->text = o->text;
			v->line = o->line;
		}
		break;
	case VYX_WORD_KEY:
		read_word(w, k, o, v);
		break;
	case VYX_LIST_KEY:
		read_list(w, k, o, v);
		break;
	case VYX_ENV_KEY:
		vyx_conf_env(w, k, o);
		break;
	case VYX_BOOL_KEY:
		read_bool(w, k, o, v);
		break;
	case VYX_PAIRS_KEY:
		vyx_conf_pairs(w, k, o);
		break;
	default:
		if (o->kind >= VYX_DOC_LIST)
			vyx_doc_error(w->doc, o->line, VYX_KEY_OF(w, k),
			    "must be a single value, not %s",
			    vyx_doc_kind_name(o->kind));
		else
			read_number(w, k, o, v);
	}
}

/* The items of a default, a blank between two. */
static void
default_list(struct vyx_notes *notes, struct vyx_conf_val *v)
{
	struct vyx_str rest = v->text;

	v->list = vyx_notes_get(notes, (v->text.n + 1) * sizeof *v->list);
	while (v->list && rest.p)
		v->list[v->n++] = vyx_str_cut(&rest, ' ');
}

void
vyx_conf_defaults(struct vyx_notes *notes, struct vyx_conf_val *v,
    enum vyx_conf_key from, enum vyx_conf_key to)
{
	for (enum vyx_conf_key k = from; k < to; k++, v++) {
		const struct vyx_conf_keydef *d = &vyx_conf_keys[k];

		*v = (struct vyx_conf_val){ .text = VYX_STRZ(d->def) };
		if (d->type == VYX_LIST_KEY && *d->def)
			default_list(notes, v);
		else if (d->type == VYX_INT_KEY || d->type == VYX_DUR_KEY ||
		    d->type == VYX_SIZE_KEY)
			number(d->type, v->text, &v->num);
		else if (d->type == VYX_BOOL_KEY)
			v->num = vyx_str_eq(v->text, VYX_STR("true"));
	}
}
