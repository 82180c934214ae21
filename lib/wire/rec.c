/* SPDX-License-Identifier: ISC */
/* rec - parse and write records; what the words mean is in rec_names.c. */
#include <errno.h>

#include "wire/rec.h"
#include "wire/rec_names.h"

size_t
vyx_rec_len(const char *p, size_t n, size_t from)
{
	/* an end may lie across the seam: two bytes "\n\n" */
	for (size_t i = from ? from - 1 : 0; i + 1 < n; i++) {
		const char *nl = memchr(p + i, '\n', n - 1 - i);

		if (!nl)
			return 0;
		i = (size_t)(nl - p);
		if (p[i + 1] == '\n')
			return i + 2;
	}
	return 0;
}

static int
refuse(struct vyx_rec *r, const char *text)
{
	r->text = text;
	return errno = EPROTO, 0;
}

static int
refuse_field(struct vyx_rec *r, enum vyx_field f, const char *text)
{
	r->where = VYX_STRZ(vyx_rec_field_name(f));
	return refuse(r, text);
}

/* Decode %XX in place. A control byte that stands bare is refused. */
static int
decode(struct vyx_str *v, char *p)
{
	size_t w = 0;

	for (size_t i = 0; i < v->n; i++) {
		unsigned char c = (unsigned char)p[i];
		int hi, lo;

		if (c < 0x20 || c == 0x7f)
			return 0;
		if (c == '%') {
			if (v->n - i < 3 ||
			    (hi = vyx_hex_digit((unsigned char)p[i + 1])) < 0 ||
			    (lo = vyx_hex_digit((unsigned char)p[i + 2])) < 0)
				return 0;
			c = (unsigned char)(hi << 4 | lo);
			i += 2;
		}
		p[w++] = (char)c;
	}
	*v = (struct vyx_str){ p, w };
	return 1;
}

static int
is_word(struct vyx_str v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] <= 0x20 || v.p[i] == 0x7f)
			return 0;
	return v.n > 0;
}

/* One key=value line of n bytes, its newline not among them. */
static int
field(struct vyx_rec *r, char *line, size_t n, int strict)
{
	struct vyx_str v = { line, n }, key = vyx_str_cut(&v, '=');
	const struct vyx_rec_name *d;
	struct vyx_rec_field *f;
	enum vyx_field id;

	r->where = key;
	if (!v.p)
		return refuse(r, "a line without =");
	if ((id = vyx_rec_field(key)) == VYX_F_NONE && strict)
		return refuse(r, "unknown field");
	if (id == VYX_F_NONE)
		return r->where.n = 0, 1;
	d = &vyx_rec_fields[id];
	if (r->n == VYX_REC_FIELDS)
		return refuse(r, "too many fields");
	f = &r->f[r->n];
	f->id = id;
	if (!decode(&v, line + key.n + 1))
		return refuse(r, "bad encoding in a value");
	f->v = v;
	if (d->type == 'U' && !vyx_dec_scan(v, d->max, &f->u))
		return refuse(r, "not a number, or too large");
	if (d->type != 'U' && v.n > d->max)
		return refuse(r, "value too long");
	if (d->type == 'W' && !is_word(v))
		return refuse(r, "value is no word");
	r->where.n = 0;
	r->n++;
	if (!r->at[id])
		r->at[id] = (unsigned char)r->n;
	return 1;
}

/* Whether each field stands where the map allows it, and as often. */
static int
check(struct vyx_rec *r, const struct vyx_rec_shape *m)
{
	if (r->at[VYX_F_TABLE]) {
		r->table = vyx_rec_table(vyx_rec_str(r, VYX_F_TABLE));
		if (r->table == VYX_T_NONE)
			return refuse_field(r, VYX_F_TABLE, "no such table");
	}
	for (unsigned f = 1; f < VYX_F_COUNT; f++)
		if (m->fields[f] == VYX_REC_MUST && !r->at[f])
			return refuse_field(r, (enum vyx_field)f,
			    "a field is missing");
	for (unsigned i = 0; i < r->n; i++) {
		enum vyx_field f = r->f[i].id;
		int how = m->fields[f];

		if (!how && m->row)
			how = vyx_rec_column(r->table, f);
		if (!how)
			return refuse_field(r, f,
			    "a field that the verb does not take");
		if (r->at[f] != i + 1 && how != VYX_REC_LIST)
			return refuse_field(r, f, "a field stands twice");
	}
	return 1;
}

int
vyx_rec_parse(struct vyx_rec *r, enum vyx_edge edge, enum vyx_side from,
    char *p, size_t n, int strict)
{
	const struct vyx_rec_shape *m;
	char *end = p + n, *nl = n ? memchr(p, '\n', n) : NULL;
	struct vyx_str word;

	memset(r, 0, sizeof *r);
	if (!nl || n < 2 || end[-1] != '\n' || end[-2] != '\n')
		return refuse(r, "no end");
	r->where = word = (struct vyx_str){ p, (size_t)(nl - p) };
	if (!(m = vyx_rec_shape(edge, from, word)))
		return refuse(r, "no such verb here");
	r->where.n = 0;
	r->verb = m->message->verb;
	for (p = nl + 1; p < end - 1; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == p)
			return refuse(r, "bytes behind the end");
		if (!field(r, p, (size_t)(nl - p), strict))
			return 0;
	}
	return check(r, m);
}

struct vyx_str
vyx_rec_str(const struct vyx_rec *r, enum vyx_field f)
{
	return r->at[f] ? r->f[r->at[f] - 1].v : (struct vyx_str){ "", 0 };
}

uint64_t
vyx_rec_u(const struct vyx_rec *r, enum vyx_field f)
{
	return r->at[f] ? r->f[r->at[f] - 1].u : 0;
}

enum vyx_state
vyx_rec_state(const struct vyx_rec *r)
{
	return vyx_rec_state_of(vyx_rec_str(r, VYX_F_STATE));
}

unsigned
vyx_rec_next(const struct vyx_rec *r, enum vyx_field f, unsigned i)
{
	while (i < r->n && r->f[i].id != f)
		i++;
	return i;
}

struct vyx_rec_out
vyx_rec_begin(struct vyx_buf *b, enum vyx_verb verb)
{
	struct vyx_rec_out o = { .b = b, .start = b->n };

	if (!vyx_buf_puts(b, vyx_rec_verb_name(verb)) || !vyx_buf_putc(b, '\n'))
		o.bad = errno;
	return o;
}

static int
encode(struct vyx_buf *b, struct vyx_str v)
{
	size_t from = 0;

	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		char hex[3] = { '%', "0123456789abcdef"[c >> 4],
			"0123456789abcdef"[c & 15] };

		if (c >= 0x20 && c != 0x7f && c != '%')
			continue;
		if (!vyx_buf_put(b, v.p + from, i - from) ||
		    !vyx_buf_put(b, hex, 3))
			return 0;
		from = i + 1;
	}
	return vyx_buf_put(b, v.p + from, v.n - from);
}

void
vyx_rec_puts(struct vyx_rec_out *o, enum vyx_field f, struct vyx_str v)
{
	const struct vyx_rec_name *d = &vyx_rec_fields[f];
	uint64_t u;

	if (o->bad)
		return;
	if (d->type == 'U' ? !vyx_dec_scan(v, d->max, &u)
	                   : v.n > d->max || (d->type == 'W' && !is_word(v)))
		o->bad = EMSGSIZE;
	else if (!vyx_buf_puts(o->b, d->name) || !vyx_buf_putc(o->b, '=') ||
	    !encode(o->b, v) || !vyx_buf_putc(o->b, '\n'))
		o->bad = errno;
}

void
vyx_rec_putz(struct vyx_rec_out *o, enum vyx_field f, const char *z)
{
	vyx_rec_puts(o, f, VYX_STRZ(z));
}

void
vyx_rec_putu(struct vyx_rec_out *o, enum vyx_field f, uint64_t u)
{
	char t[VYX_DEC];

	vyx_rec_puts(o, f, (struct vyx_str){ t, vyx_dec_fmt(t, u) });
}

void
vyx_rec_putrow(struct vyx_rec_out *o, const struct vyx_rec *r)
{
	for (unsigned f = 1; f < VYX_F_COUNT; f++)
		if (vyx_rec_column(r->table, (enum vyx_field)f))
			for (unsigned i = vyx_rec_next(r, f, 0); i < r->n;
			     i = vyx_rec_next(r, f, i + 1))
				vyx_rec_puts(o, f, r->f[i].v);
}

int
vyx_rec_end(struct vyx_rec_out *o)
{
	if (!o->bad && !vyx_buf_putc(o->b, '\n'))
		o->bad = errno;
	if (!o->bad)
		return 1;
	o->b->n = o->start;
	return errno = o->bad, 0;
}
