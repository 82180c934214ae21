/* SPDX-License-Identifier: ISC */
/* schema_say - where something is wrong, and what, for people. */
#include <stdarg.h>
#include <stdio.h>

#include "regex_int.h"
#include "schema_int.h"
#include "wire/pen.h"

#define FIELD 512
#define MESSAGE 256

size_t
vyx_schema_cut(char *out, size_t cap, struct vyx_str s)
{
	const char *p = s.p, *end = s.n ? s.p + s.n : s.p, *from;
	size_t n = 0, many;

	while ((from = p) < end) {
		vyx_regex_decode(&p, end);
		many = (size_t)(p - from);
		if (many >= cap - n)
			break;
		memcpy(out + n, from, many);
		/* a control, or a byte that is no UTF-8 */
		if (many == 1 && (*from < ' ' || *from == 127))
			out[n] = '?';
		n += many;
	}
	out[n] = '\0';
	return n;
}

/* Take what fits of a dump; -1 ends it once that is full. */
static int
take(const char *p, size_t n, void *arg)
{
	struct vyx_pen *w = arg;
	size_t room = (size_t)(w->end - w->p);

	vyx_pen_put(w, p, n < room ? n : room);
	w->full = n > room;
	return n > room ? -1 : 0;
}

const char *
vyx_schema_short(const json_t *j, char buf[VYX_SCHEMA_SHORT])
{
	char text[VYX_SCHEMA_SHORT];
	struct vyx_pen w = { text, text + sizeof(text), 0 };
	int whole = !json_dump_callback(j, take, &w,
	    JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	struct vyx_str s = { text, (size_t)(w.p - text) };
	size_t n;

	if (json_is_array(j) && s.n >= 2) {
		s.p++;
		s.n -= whole ? 2 : 1;
	}
	n = vyx_schema_cut(buf, VYX_SCHEMA_SHORT - 4, s);
	if (!whole || n < s.n)
		memcpy(buf + n, "...", 4);
	return buf;
}

static int
is_plain(const char *key)
{
	size_t i = 0;

	for (; key[i]; i++)
		if (!(((key[i] | 0x20) >= 'a' && (key[i] | 0x20) <= 'z') ||
		        (key[i] >= '0' && key[i] <= '9') || key[i] == '-' ||
		        key[i] == '_' || key[i] == '$'))
			return 0;
	return i > 0;
}

static void
put_key(struct vyx_pen *w, const char *key, int first)
{
	if (is_plain(key)) {
		if (!first)
			vyx_pen_lit(w, ".");
		vyx_pen_str(w, VYX_STRZ(key));
		return;
	}
	vyx_pen_lit(w, "[\"");
	for (; *key; key++) {
		if (*key == '"' || *key == '\\')
			vyx_pen_lit(w, "\\");
		if ((unsigned char)*key < ' ' || *key == 127)
			vyx_pen_lit(w, "?");
		else
			vyx_pen_put(w, key, 1);
	}
	vyx_pen_lit(w, "\"]");
}

static void
put_at(struct vyx_pen *w, const struct vyx_schema_at *at)
{
	if (!at)
		return;
	put_at(w, at->up);
	if (at->key) {
		put_key(w, at->key, !at->up);
		return;
	}
	vyx_pen_lit(w, "[");
	vyx_pen_dec(w, at->index);
	vyx_pen_lit(w, "]");
}

/* The place into out[]; one too long ends in dots. */
static struct vyx_str
place(const struct vyx_schema_run *r, const char *key, char out[FIELD])
{
	struct vyx_pen w = { out, out + FIELD - 4, 0 };
	struct vyx_schema_at last = { r->at, key, 0 };
	size_t n;

	put_at(&w, key ? &last : r->at);
	n = (size_t)(w.p - out);
	if (w.full)
		while (n && ((unsigned char)out[n - 1] & 0xc0) == 0x80)
			n--;
	/* a character begun and not ended goes too */
	n -= w.full && n && (unsigned char)out[n - 1] >= 0xc0;
	memcpy(out + n, "...", 4);
	n += w.full ? 3 : 0;
	out[n] = '\0';
	return (struct vyx_str){ out, n };
}

int
vyx_schema_say(struct vyx_schema_run *r, const char *key, const char *fmt, ...)
{
	char field[FIELD], text[2 * MESSAGE], message[MESSAGE];
	size_t n;
	va_list ap;

	if (r->quiet || !r->fn || r->stop)
		return 0;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = vyx_schema_cut(message, sizeof(message), VYX_STRZ(text));
	r->fn(r->arg, place(r, key, field), (struct vyx_str){ message, n });
	if (++r->reports == VYX_SCHEMA_REPORTS)
		r->stop = VYX_SCHEMA_FULL;
	return 0;
}
