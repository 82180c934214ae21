/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "status.h"

static void
text(struct vyx_buf *b, struct vyx_str v)
{
	for (size_t i = 0; i < v.n; i++)
		vyx_buf_putc(b, (unsigned char)v.p[i] < ' ' ? ' ' : v.p[i]);
}

void
line_begin(struct line *l, const char *kind)
{
	l->b.n = 0;
	l->n = 0;
	if (l->out == JSON)
		vyx_buf_fmt(&l->b, "{\"type\":\"%s\"", kind);
	else
		vyx_buf_fmt(&l->b, l->out == TABS ? "%s" : "%-9s", kind);
}

static void
name_it(struct line *l, const char *name)
{
	if (l->out == JSON)
		vyx_buf_fmt(&l->b, ",\"%s\":", name);
	else if (l->out == TABS)
		vyx_buf_putc(&l->b, '\t');
	else if (l->n == 0)
		vyx_buf_putc(&l->b, ' '); /* the first says of what */
	else
		vyx_buf_fmt(&l->b, "  %s ", name);
	l->n++;
}

void
line_word(struct line *l, const char *name, struct vyx_str v)
{
	if (l->out == PEOPLE && v.n == 0)
		return;
	name_it(l, name);
	if (l->out != JSON) {
		text(&l->b, v);
		return;
	}
	vyx_buf_putc(&l->b, '"');
	vyx_buf_json(&l->b, v);
	vyx_buf_putc(&l->b, '"');
}

void
line_num(struct line *l, const char *name, uint64_t v)
{
	name_it(l, name);
	vyx_buf_putu(&l->b, v);
}

void
line_end(struct line *l)
{
	if (l->out == JSON)
		vyx_buf_putc(&l->b, '}');
	if (!vyx_buf_putc(&l->b, '\n'))
		vyx_die_sys(VYX_SYSTEM, "malloc");
	fwrite(l->b.p, 1, l->b.n, stdout);
}
