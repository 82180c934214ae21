/* SPDX-License-Identifier: ISC */
#ifndef VYX_TESTS_HTTP1_CASE_H
#define VYX_TESTS_HTTP1_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/http1.h"

/*
 * A head and what must come of it, as text. Each is read whole, in steps of
 * several sizes, and from a place that moves; all must agree.
 */
struct test {
	const char *section;
	const char *text;
	const char *want;
};

#define R "GET / HTTP/1.1\r\n"
#define H "Host: a\r\n"
#define E "\r\n"

static const char *
span(const struct vyx_http1 *h, struct vyx_span s)
{
	static char out[4][256];
	static int turn;
	char *z = out[turn++ & 3];

	snprintf(z, sizeof(out[0]), "%.*s", (int)s.n, h->base + s.at);
	return z;
}

/* What was read, as text. */
static void
say(const struct vyx_http1 *h, enum vyx_http1_got got, char *z)
{
	static const char *const form[] = { "", "absolute ", "asterisk " };
	static const char *const frame[] = { "none", "length", "chunked",
		"close" };

	if (got == VYX_HTTP1_MORE)
		sprintf(z, "more");
	else if (got == VYX_HTTP1_BAD)
		sprintf(z, "%u %s", h->status, h->why);
	else if (h->kind == VYX_HTTP1_TRAILER)
		sprintf(z, "trailer");
	else if (h->kind == VYX_HTTP1_RESPONSE)
		sprintf(z, "1.%u %u [%s] %s", h->minor, h->code,
		    span(h, h->reason), frame[h->framing]);
	else {
		sprintf(z, "1.%u %s %s%s%s%s host=%s", h->minor,
		    span(h, h->method_name), form[h->form], span(h, h->path),
		    h->has_query ? "?" : "", span(h, h->query),
		    span(h, h->host));
		if (h->port >= 0)
			sprintf(z + strlen(z), ":%d", h->port);
		sprintf(z + strlen(z), " %s", frame[h->framing]);
		assert_int_equal(h->method,
		    vyx_method_scan(vyx_http1_str(h, h->method_name)));
	}
	z += strlen(z);
	if (got != VYX_HTTP1_DONE)
		return;
	if (h->has_length)
		z += sprintf(z, "=%llu", (unsigned long long)h->length);
	z += sprintf(z, "%s%s%s%s",
	    h->kind == VYX_HTTP1_TRAILER || h->keep ? "" : " last",
	    h->expect ? " expect" : "", h->websocket ? " websocket" : "",
	    h->trailers ? " trailers" : "");
	if (h->max_forwards >= 0)
		z += sprintf(z, " max=%d", h->max_forwards);
	for (uint32_t i = 0; i < h->nfield; i++) {
		const struct vyx_http1_field *f = &h->field[i];
		struct vyx_span name = { f->name_at, f->name_n };

		if (!(f->flags || f->id == VYX_H_OTHER))
			continue;
		z += sprintf(z, " %s=[%s]%s%s%s", span(h, name),
		    span(h, f->value), f->flags & VYX_FIELD_HOP ? "hop" : "",
		    f->flags & VYX_FIELD_ALIAS ? "alias" : "",
		    f->flags & VYX_FIELD_NOTRAILER ? "drop" : "");
	}
}

/* Read `n` bytes of text in steps of `step`, each from a new place. */
static void
read_in(struct vyx_http1 *h, const char *text, size_t n, size_t step, char *z)
{
	enum vyx_http1_got got = VYX_HTTP1_MORE;
	char *copy = NULL, *old;

	for (size_t i = 0; got == VYX_HTTP1_MORE && i < n;) {
		i = i + step < n ? i + step : n;
		old = copy;
		copy = malloc(i);
		memcpy(copy, text, i);
		free(old);
		got = vyx_http1_parse(h, copy, i);
	}
	say(h, got, z);
	free(copy);
}

static void
check_one(struct vyx_http1 *h, enum vyx_http1_kind kind, int to_head,
    const struct vyx_http1_limits *lim, const char *text, size_t n,
    const struct test *t)
{
	static const size_t steps[] = { 65535, 1, 2, 3, 7, 16 };
	char got[2048];

	for (size_t i = 0; i < VYX_COUNT(steps); i++) {
		vyx_http1_start(h, kind, lim);
		h->to_head = (uint8_t)to_head;
		read_in(h, text, n, steps[i], got);
		if (strcmp(got, t->want) != 0)
			fail_msg("%s: <<%s>> in %zus: \"%s\", not \"%s\"",
			    t->section, text, steps[i], got, t->want);
	}
}

static void
check(enum vyx_http1_kind kind, int to_head, const struct test *t, size_t n)
{
	struct vyx_http1 h;

	for (size_t i = 0; i < n; i++)
		check_one(&h, kind, to_head, NULL, t[i].text, strlen(t[i].text),
		    &t[i]);
}

#define CHECK(kind, tests) check(VYX_HTTP1_##kind, 0, tests, VYX_COUNT(tests))

#endif
