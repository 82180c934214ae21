/* SPDX-License-Identifier: ISC */
/* schema_say - where something is wrong, and what, for people. */
#include <stdarg.h>
#include <stdio.h>

#include "schema_int.h"
#include "wire/pen.h"

#define FIELD 512
#define MESSAGE 256

size_t
vyx_schema_cut(char *out, size_t cap, struct vyx_str s)
{
	size_t n = s.n < cap ? s.n : cap - 1;

	if (n < s.n)
		while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
			n--;
	for (size_t i = 0; i < n; i++)
		out[i] =
		    (unsigned char)s.p[i] < ' ' || s.p[i] == 127 ? '?' : s.p[i];
	out[n] = '\0';
	return n;
}

const char *
vyx_schema_short(const json_t *j, char buf[VYX_SCHEMA_SHORT])
{
	char text[VYX_SCHEMA_SHORT] = "";
	size_t n = json_dumpb(j, text, sizeof(text) - 1,
	    JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	struct vyx_str s = { text, n < sizeof(text) ? n : strlen(text) };
	int whole = n < sizeof(text);

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
