/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/schema.h"

/*
 * A schema, a NUL byte, a document. What loads gives the same answer with and
 * without reports; what is not valid has 1 to VYX_SCHEMA_REPORTS of them, each
 * terminated UTF-8 without control bytes. {"not": schema} says the opposite,
 * unless one of the two could not be checked.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())

struct seen {
	size_t n;
	int unchecked;
};

static void
sound(struct vyx_str s, size_t most)
{
	json_t *utf8 = json_stringn(s.p, s.n);

	CHECK(utf8 != NULL);
	json_decref(utf8);
	CHECK(s.n < most && s.p[s.n] == '\0' && strlen(s.p) == s.n);
	for (size_t i = 0; i < s.n; i++)
		CHECK((unsigned char)s.p[i] >= ' ' && s.p[i] != 127);
}

static void
report(void *arg, struct vyx_str field, struct vyx_str message)
{
	struct seen *seen = arg;

	sound(field, 512);
	sound(message, 256);
	CHECK(message.n > 0);
	seen->n++;
	seen->unchecked |=
	    vyx_str_starts(message, VYX_STR("cannot be checked"));
}

static struct seen
check(const struct vyx_schema *s, const json_t *doc, int *ok)
{
	struct seen seen = { 0, 0 };

	*ok = vyx_schema_check(s, doc, report, &seen);
	CHECK(seen.n <= VYX_SCHEMA_REPORTS && *ok == !seen.n);
	return seen;
}

static void
opposite(struct vyx_str text, const struct vyx_schema_opt *opt,
    const json_t *doc, int ok)
{
	struct vyx_buf b = { .max = 0 };
	struct vyx_schema_error e;
	struct vyx_schema *s;
	int other;

	vyx_buf_puts(&b, "{\"not\":");
	vyx_buf_putstr(&b, text);
	vyx_buf_puts(&b, "}");
	s = vyx_schema_load(vyx_buf_str(&b), opt, &e);
	if (s && !check(s, doc, &other).unchecked)
		CHECK(other == !ok);
	vyx_schema_free(s);
	vyx_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct vyx_str doc_text = { (const char *)data, n }, text;
	struct vyx_schema_opt opt = { .steps = 20000 };
	struct vyx_schema_error e;
	struct vyx_schema *s;
	struct seen seen;
	json_t *doc;
	int ok;

	text = vyx_str_cut(&doc_text, '\0');
	opt.draft = n % 2 ? VYX_SCHEMA_07 : VYX_SCHEMA_2020_12;
	opt.format_assert = n % 4 < 2;
	s = vyx_schema_load(text, &opt, &e);
	if (!s)
		sound(VYX_STRZ(e.why), sizeof(e.why));
	if (!s)
		sound(VYX_STRZ(e.at), sizeof(e.at));
	CHECK(s || e.why[0]);
	doc = s && doc_text.p ? vyx_schema_doc(doc_text, &e) : NULL;
	if (doc) {
		seen = check(s, doc, &ok);
		/* reports make it look further, and spend more */
		if (!seen.unchecked)
			CHECK(vyx_schema_check(s, doc, NULL, NULL) == ok);
		/* a reference means another place in there */
		if (!seen.unchecked && !memchr(text.p, '$', text.n))
			opposite(text, &opt, doc, ok);
	}
	json_decref(doc);
	vyx_schema_free(s);
	return 0;
}
