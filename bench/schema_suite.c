/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "state/schema.h"

/*
 * schema_suite [-a] [-o] [-n N] 2020-12|draft7 FILE... - the groups of the public suite
 * of JSON Schema in each FILE against lib/state/schema; a line a file:
 *
 *	draft file passed failed left-out
 *
 * then `! reason` for each group left out, and `- test` for each that failed.
 * A group is left out where its schema refers to a document that is not in
 * it, or names a meta-schema that is neither draft's. -a: formats are
 * assertions. -o: these tests are optional, so groups that do not load for
 * other reasons are left out as well. -n: each check N times more, and a last
 * line `= checks seconds`, loading not counted. Exit 1: a test failed.
 */

struct count {
	unsigned passed, failed, left;
};

static int optional;
static unsigned long again, checks; /* -n, and what it came to */
static double seconds;
static char notes[1 << 16];

static void
note(const char *mark, const char *group, const char *what)
{
	size_t n = strlen(notes);

	snprintf(notes + n, sizeof(notes) - n, "  %s %s: %s\n", mark, group,
	    what);
}

static json_t *
read_file(const char *path)
{
	static char text[1 << 20];
	struct vyx_schema_error e;
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text), f) : 0;
	json_t *j = vyx_schema_doc((struct vyx_str){ text, n }, &e);

	if (f)
		fclose(f);
	if (!j || !json_is_array(j)) {
		fprintf(stderr, "schema_suite: %s: %s\n", path, e.why);
		exit(111);
	}
	return j;
}

static int
needs_more(const struct vyx_schema_error *e)
{
	return strstr(e->why, "nothing is fetched") ||
	    strstr(e->why, "neither draft");
}

static void
repeat(const struct vyx_schema *s, const json_t *doc)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned long i = 0; i < again; i++)
		vyx_schema_check(s, doc, NULL, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	checks += again;
	seconds += (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void
group(json_t *g, const struct vyx_schema_opt *opt, struct count *c)
{
	const char *name = json_string_value(json_object_get(g, "description"));
	json_t *tests = json_object_get(g, "tests"), *t;
	char *text = json_dumps(json_object_get(g, "schema"), JSON_ENCODE_ANY);
	struct vyx_schema_error e;
	struct vyx_schema *s = vyx_schema_load(VYX_STRZ(text), opt, &e);
	char why[600];
	size_t i;
	int got;

	free(text);
	if (!s) {
		snprintf(why, sizeof(why), "%zu tests: %s: %s",
		    json_array_size(tests), e.at, e.why);
		if (needs_more(&e) || optional) {
			c->left += (unsigned)json_array_size(tests);
			note("!", name, why);
		} else {
			c->failed += (unsigned)json_array_size(tests);
			note("-", name, why);
		}
		return;
	}
	json_array_foreach(tests, i, t)
	{
		repeat(s, json_object_get(t, "data"));
		got =
		    vyx_schema_check(s, json_object_get(t, "data"), NULL, NULL);
		if (got == json_is_true(json_object_get(t, "valid"))) {
			c->passed++;
			continue;
		}
		c->failed++;
		note("-", name,
		    json_string_value(json_object_get(t, "description")));
	}
	vyx_schema_free(s);
}

int
main(int argc, char **argv)
{
	struct vyx_schema_opt opt = { .steps = 0 };
	unsigned failed = 0;
	int c;

	while ((c = getopt(argc, argv, "aon:")) != -1)
		if (c == 'a')
			opt.format_assert = 1;
		else if (c == 'o')
			optional = 1;
		else if (c == 'n')
			again = strtoul(optarg, NULL, 10);
		else
			return 100;
	if (argc - optind < 2)
		return 100;
	if (!strcmp(argv[optind], "draft7"))
		opt.draft = VYX_SCHEMA_07;
	for (int i = optind + 1; i < argc; i++) {
		struct count n = { 0, 0, 0 };
		const char *base = strrchr(argv[i], '/');
		json_t *all = read_file(argv[i]), *g;
		size_t k;

		notes[0] = '\0';
		json_array_foreach(all, k, g) group(g, &opt, &n);
		printf("%s\t%s\t%u\t%u\t%u\n", argv[optind],
		    base ? base + 1 : argv[i], n.passed, n.failed, n.left);
		fputs(notes, stdout);
		failed += n.failed;
		json_decref(all);
	}
	if (again)
		printf("=\t%lu\t%.6f\n", checks, seconds);
	return failed > 0;
}
