/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "router.h"

/*
 * A body that a schema is to look at: held whole, checked, and only then
 * passed on, as a connection takes it. Trailers are not passed on
 * (RFC 9110 6.5.1).
 */

#define DOC_MAX 4194304   /* bytes of one, whatever payload_max_size says */
#define DOCS_MAX 67108864 /* of all in a router */
#define DETAILS_MAX 6000  /* of an answer: no more are begun behind it */

/* 0: answered. */
int
doc_begin(struct exchange *x)
{
	const struct vyx_policy *p = x->policy;

	if (p->none || !p->validate.n || x->bodyless)
		return 1;
	x->doc_on = 1;
	if (x->req.has_length && x->req.length > DOC_MAX) {
		answer(x, 413, "payload too large");
		return 0;
	}
	if (x->expects) { /* nobody else will say it */
		write_continue(x);
		x->expects = x->req.expect = 0;
	}
	return 1;
}

static void
doc_free(struct exchange *x)
{
	x->r->docs -= x->doc.cap;
	vyx_buf_free(&x->doc);
	x->doc_at = 0;
}

void
doc_drop(struct exchange *x)
{
	if (x->doc.p)
		doc_free(x);
}

void
doc_body(struct exchange *x, struct vyx_str piece)
{
	size_t had = x->doc.cap;

	if (x->doc.n + piece.n > DOC_MAX)
		x->refuse = 413;
	else if ((piece.n > had - x->doc.n &&
	             x->r->docs + piece.n > DOCS_MAX) ||
	    !vyx_buf_putstr(&x->doc, piece))
		x->refuse = 503;
	x->r->docs += x->doc.cap - had;
}

/* ---- the check -------------------------------------------------------- */

static void
detail(void *arg, struct vyx_str field, struct vyx_str message)
{
	struct vyx_buf *b = arg;

	if (b->n > DETAILS_MAX)
		return;
	vyx_buf_puts(b, b->n ? ",{\"field\":\"" : "{\"field\":\"");
	vyx_buf_json(b, field);
	vyx_buf_puts(b, "\",\"message\":\"");
	vyx_buf_json(b, message);
	vyx_buf_puts(b, "\"}");
}

static int
invalid(struct exchange *x, struct vyx_buf *details)
{
	struct vyx_buf b = { 0 };

	vyx_buf_puts(&b, "{\"error\":\"validation_failed\",\"details\":[");
	vyx_buf_putstr(&b, vyx_buf_str(details));
	vyx_buf_puts(&b, "]}\n");
	x->r->counts.invalid++;
	answer_json(x, 400, vyx_buf_str(&b), VYX_STR(""));
	vyx_buf_free(&b);
	vyx_buf_free(details);
	return 0;
}

/* All of it is there. 0: answered. */
int
doc_check(struct exchange *x)
{
	const struct vyx_plan_schema *s = x->target->schema;
	struct vyx_schema_error err;
	struct vyx_buf details = { 0 };
	json_t *doc = NULL;
	int ok = 0;

	if (!x->doc.n)
		return 1; /* chunked, and empty after all */
	if (!s || !s->schema)
		detail(&details, VYX_STR(""),
		    VYX_STR("the schema of this route cannot be used"));
	else if (!(doc = vyx_schema_doc(vyx_buf_str(&x->doc), &err)))
		detail(&details, VYX_STR(""), VYX_STRZ(err.why));
	else if (!json_is_object(doc))
		detail(&details, VYX_STR(""), VYX_STR("must be an object"));
	else
		ok = vyx_schema_check(s->schema, doc, detail, &details);
	json_decref(doc);
	if (!ok)
		return invalid(x, &details);
	return 1;
}

/* Pass it on as far as there is room. 0: answered. */
int
doc_feed(struct exchange *x)
{
	while (x->doc_at < x->doc.n) {
		size_t room = back_side.room(x), left = x->doc.n - x->doc_at;
		struct vyx_str piece = { x->doc.p + x->doc_at,
			left < room ? left : room };

		if (!room) {
			x->stall_up = 1;
			return 1;
		}
		back_side.body(x, piece);
		if (x->refuse) {
			answer(x, x->refuse, "out of memory");
			return 0;
		}
		x->doc_at += piece.n;
		x->t_moved = x->r->loop.now;
	}
	x->doc_on = 0;
	doc_drop(x);
	back_side.end(x, NULL);
	return 1;
}
