/* SPDX-License-Identifier: ISC */
/* show - rows as people, tab-separated fields or JSON lines. */
#include <stdlib.h>

#include "base/prog.h"
#include "reg.h"

#define CELL 40                   /* bytes of a value in a table for people */
#define EXACT (UINT64_C(1) << 53) /* the integers a JSON reader keeps */

/* clang-format off */
#define TABLE(id, name, life, writers, columns) [VYX_T_##id] = columns,
static const char *const columns[VYX_T_COUNT] = { VYX_TABLES(TABLE) };
/* clang-format on */

static void
must(int ok)
{
	if (!ok)
		vyx_die_sys(VYX_SYSTEM, "output");
}

unsigned
reg_columns(enum vyx_table table, enum vyx_field *cols)
{
	struct vyx_str rest = VYX_STRZ(columns[table]), word;
	unsigned n = 0;

	while (rest.p && (word = vyx_str_cut(&rest, ' ')).n) {
		if (word.p[0] == '+') {
			word.p++;
			word.n--;
		}
		cols[n++] = vyx_rec_field(word);
	}
	return n;
}

/* As in a record: no control byte, so no line or tab is made of a value. */
static void
put_plain(struct vyx_buf *b, struct vyx_str v)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c >= 0x20 && c != 0x7f && c != '%')
			must(vyx_buf_putc(b, (char)c));
		else
			must(vyx_buf_fmt(b, "%%%02x", c));
	}
}

/* All values of column `f`, joined by an encoded newline. */
static void
put_column(struct vyx_buf *b, const struct vyx_rec *r, enum vyx_field f)
{
	unsigned i = vyx_rec_next(r, f, 0);

	for (int first = 1; i < r->n; i = vyx_rec_next(r, f, i + 1)) {
		if (!first)
			must(vyx_buf_puts(b, "%0a"));
		first = 0;
		put_plain(b, r->f[i].v);
	}
}

static void
put_tabs(struct vyx_buf *b, const struct vyx_rec *r)
{
	enum vyx_field cols[VYX_F_COUNT];
	unsigned n = reg_columns(r->table, cols);

	put_plain(b, vyx_rec_str(r, VYX_F_KEY));
	must(vyx_buf_putc(b, '\t') && vyx_buf_putu(b, vyx_rec_u(r, VYX_F_REV)));
	for (unsigned i = 0; i < n; i++) {
		must(vyx_buf_putc(b, '\t'));
		put_column(b, r, cols[i]);
	}
}

static void
put_json_value(struct vyx_buf *b, const struct vyx_rec_field *f)
{
	if (vyx_rec_field_type(f->id) == 'U' && f->u <= EXACT &&
	    f->id != VYX_F_REV)
		must(vyx_buf_putu(b, f->u));
	else
		must(vyx_buf_putc(b, '"') && vyx_buf_json(b, f->v) &&
		    vyx_buf_putc(b, '"'));
}

static void
put_json_field(struct vyx_buf *b, const struct vyx_rec *r, enum vyx_field f)
{
	int list = vyx_rec_column(r->table, f) == 2;
	unsigned i = vyx_rec_next(r, f, 0);

	if (i == r->n)
		return;
	must(vyx_buf_fmt(b, ",\"%s\":%s", vyx_rec_field_name(f),
	    list ? "[" : ""));
	for (int first = 1; i < r->n; i = vyx_rec_next(r, f, i + 1)) {
		must(first || vyx_buf_putc(b, ','));
		first = 0;
		put_json_value(b, &r->f[i]);
	}
	must(!list || vyx_buf_putc(b, ']'));
}

/* Without its opening brace, for a watch puts the verb first. */
static void
put_json(struct vyx_buf *b, const struct vyx_rec *r)
{
	enum vyx_field cols[VYX_F_COUNT];
	unsigned n = reg_columns(r->table, cols);

	must(vyx_buf_puts(b, "\"table\":\"") &&
	    vyx_buf_puts(b, vyx_rec_table_name(r->table)) &&
	    vyx_buf_putc(b, '"'));
	put_json_field(b, r, VYX_F_KEY);
	put_json_field(b, r, VYX_F_REV);
	for (unsigned i = 0; i < n; i++)
		put_json_field(b, r, cols[i]);
	must(vyx_buf_putc(b, '}'));
}

/* One line, and the buffer is empty again. */
static void
line(struct vyx_buf *b)
{
	must(vyx_buf_putc(b, '\n') && fwrite(b->p, 1, b->n, stdout) == b->n);
	b->n = 0;
}

static void
name_and_value(struct vyx_buf *b, const struct vyx_rec *r, enum vyx_field f)
{
	for (unsigned i = vyx_rec_next(r, f, 0); i < r->n;
	     i = vyx_rec_next(r, f, i + 1)) {
		must(vyx_buf_fmt(b, "%-18s ", vyx_rec_field_name(f)));
		put_plain(b, r->f[i].v);
		line(b);
	}
}

void
reg_show_row(enum reg_form form, const struct vyx_rec *r)
{
	enum vyx_field cols[VYX_F_COUNT];
	struct vyx_buf b = { 0 };
	unsigned n;

	if (form == REG_PEOPLE) {
		n = reg_columns(r->table, cols);
		name_and_value(&b, r, VYX_F_KEY);
		name_and_value(&b, r, VYX_F_REV);
		for (unsigned i = 0; i < n; i++)
			name_and_value(&b, r, cols[i]);
	} else {
		if (form == REG_TABS)
			put_tabs(&b, r);
		else {
			must(vyx_buf_putc(&b, '{'));
			put_json(&b, r);
		}
		line(&b);
	}
	vyx_buf_free(&b);
}

/* put and del name a row; the others a revision. */
static void
change_for_people(struct vyx_buf *b, const struct vyx_rec *r)
{
	enum vyx_field cols[VYX_F_COUNT];
	unsigned n;

	must(vyx_buf_puts(b, vyx_rec_verb_name(r->verb)));
	if (r->table == VYX_T_NONE) {
		must(vyx_buf_fmt(b, " %llu",
		    (unsigned long long)vyx_rec_u(r, VYX_F_REV)));
		return;
	}
	must(vyx_buf_fmt(b, " %s ", vyx_rec_table_name(r->table)));
	put_plain(b, vyx_rec_str(r, VYX_F_KEY));
	n = reg_columns(r->table, cols);
	for (unsigned i = 0; i < n; i++) {
		if (!vyx_rec_has(r, cols[i]))
			continue;
		must(vyx_buf_fmt(b, " %s=", vyx_rec_field_name(cols[i])));
		put_column(b, r, cols[i]);
	}
}

void
reg_show_change(enum reg_form form, const struct vyx_rec *r)
{
	const char *verb = vyx_rec_verb_name(r->verb);
	struct vyx_buf b = { 0 };

	if (form == REG_PEOPLE)
		change_for_people(&b, r);
	else if (form == REG_TABS) {
		must(vyx_buf_fmt(&b, "%s\t", verb));
		if (r->table == VYX_T_NONE)
			must(vyx_buf_putu(&b, vyx_rec_u(r, VYX_F_REV)));
		else {
			must(vyx_buf_fmt(&b, "%s\t",
			    vyx_rec_table_name(r->table)));
			put_tabs(&b, r);
		}
	} else {
		must(vyx_buf_fmt(&b, "{\"verb\":\"%s\"", verb));
		if (r->table == VYX_T_NONE) {
			put_json_field(&b, r, VYX_F_REV);
			must(vyx_buf_putc(&b, '}'));
		} else {
			must(vyx_buf_putc(&b, ','));
			put_json(&b, r);
		}
	}
	line(&b);
	vyx_buf_free(&b);
}

void
reg_list_row(struct reg_list *l, const struct vyx_rec *r)
{
	enum vyx_field cols[VYX_F_COUNT];
	unsigned n;

	if (l->form != REG_PEOPLE) {
		reg_show_row(l->form, r);
		return;
	}
	n = reg_columns(l->table, cols);
	put_plain(&l->cells, vyx_rec_str(r, VYX_F_KEY));
	must(vyx_buf_putc(&l->cells, 0));
	for (unsigned i = 0; i < n; i++) {
		size_t start = l->cells.n;

		put_column(&l->cells, r, cols[i]);
		if (l->cells.n > start + CELL) {
			l->cells.n = start + CELL - 3;
			must(vyx_buf_puts(&l->cells, "..."));
		}
		must(vyx_buf_putc(&l->cells, 0));
	}
	l->rows++;
}

/* One line of `n` cells from `cell` on; returns the next line's first. A
 * column that no row has a value in (width 0) is left out. */
static const char *
print_line(const char *cell, const size_t *width, unsigned n)
{
	size_t pad = 0;

	for (unsigned i = 0; i < n; i++, cell += strlen(cell) + 1) {
		const char *text = *cell ? cell : "-";

		if (!width[i])
			continue;
		must(printf("%*s%s", (int)pad, "", text) >= 0);
		pad = width[i] + 2 - strlen(text);
	}
	must(putchar('\n') != EOF);
	return cell;
}

void
reg_list_end(struct reg_list *l)
{
	enum vyx_field cols[VYX_F_COUNT];
	size_t width[VYX_F_COUNT] = { 0 };
	unsigned n = reg_columns(l->table, cols) + 1;
	struct vyx_buf head = { 0 };
	const char *cell = l->cells.p;

	if (l->form != REG_PEOPLE || !l->rows)
		return;
	for (size_t i = 0; i < l->rows * n; i++, cell += strlen(cell) + 1)
		if (strlen(cell) > width[i % n])
			width[i % n] = strlen(cell);
	for (unsigned i = 0; i < n; i++) {
		const char *name = i ? vyx_rec_field_name(cols[i - 1]) : "key";

		must(vyx_buf_put(&head, name, strlen(name) + 1));
		if (width[i] && width[i] < strlen(name))
			width[i] = strlen(name);
	}
	print_line(head.p, width, n);
	cell = l->cells.p;
	for (size_t i = 0; i < l->rows; i++)
		cell = print_line(cell, width, n);
	vyx_buf_free(&head);
	vyx_buf_free(&l->cells);
}
