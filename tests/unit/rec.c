/* SPDX-License-Identifier: ISC */
/* rec: the record form, by the contract in wire/rec.h and the map. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/rec.h"

/* Parse a copy of `text`, which must outlive the record. */
static char *copy;
static struct vyx_rec rec;

static int
parse(enum vyx_edge edge, enum vyx_side from, const char *text, int strict)
{
	free(copy);
	assert_non_null(copy = strdup(text));
	return vyx_rec_parse(&rec, edge, from, copy, strlen(copy), strict);
}

static void
an_end_is_found_at_any_seam(void **state)
{
	static const char text[] = "ping\n\nstat\nx=\n\n\n\n";

	(void)state;
	for (size_t cut = 0; cut < sizeof text - 1; cut++) {
		size_t first = vyx_rec_len(text, cut, 0);

		assert_int_equal(first, cut >= 6 ? 6 : 0);
		assert_int_equal(vyx_rec_len(text, 6, cut < 6 ? cut : 5), 6);
	}
	assert_int_equal(vyx_rec_len(text + 6, 9, 0), 9);
	assert_int_equal(vyx_rec_len("\n\n", 2, 0), 2);
	assert_int_equal(vyx_rec_len("\n", 1, 0), 0);
	assert_int_equal(vyx_rec_len("", 0, 0), 0);
}

static void
fields_have_their_types(void **state)
{
	(void)state;
	assert_true(parse(VYX_E_POOL, VYX_CONNECTS,
	    "need\nw=api\nwaiting=3\nsince=18446744073709551615\n"
	    "lack=api#1:2\nlack=api#2:1\n\n",
	    1));
	assert_int_equal(rec.verb, VYX_V_NEED);
	assert_int_equal(vyx_rec_u(&rec, VYX_F_WAITING), 3);
	assert_true(vyx_rec_u(&rec, VYX_F_SINCE) == UINT64_MAX);
	assert_true(vyx_str_eq(vyx_rec_str(&rec, VYX_F_W), VYX_STR("api")));
	unsigned i = vyx_rec_next(&rec, VYX_F_LACK, 0);

	assert_true(vyx_str_eq(rec.f[i].v, VYX_STR("api#1:2")));
	i = vyx_rec_next(&rec, VYX_F_LACK, i + 1);
	assert_true(vyx_str_eq(rec.f[i].v, VYX_STR("api#2:1")));
	assert_int_equal(vyx_rec_next(&rec, VYX_F_LACK, i + 1), rec.n);
	assert_false(vyx_rec_has(&rec, VYX_F_STATE));
	assert_int_equal(vyx_rec_str(&rec, VYX_F_STATE).n, 0);
	assert_int_equal(vyx_rec_u(&rec, VYX_F_N), 0);
}

static void
what_is_refused(void **state)
{
	static const struct {
		const char *text, *why, *where;
	} t[] = {
		{ "nod\nc=1\n\n", "no such verb", "nod" },
		{ "window\nw=a\nup=1\nlow=1\nidle-ms=1\ntunnels=1\n\n",
		    "no such verb", "window" }, /* is the listener's */
		{ "give\n\n", "missing", "c" },
		{ "give\nc=1\nc=1\n\n", "twice", "c" },
		{ "give\nc=1\nwhy=eof\n\n", "does not take", "why" },
		{ "give\nc=\n\n", "number", "c" },
		{ "give\nc=-1\n\n", "number", "c" },
		{ "give\nc=1x\n\n", "number", "c" },
		{ "give\nc=18446744073709551616\n\n", "number", "c" },
		{ "give\nc 1\n\n", "without =", "c 1" },
		{ "give\nc=1\ncolour=red\n\n", "unknown", "colour" },
		{ "says\ni=a\nkeeps=2\n\n", "number", "keeps" },
		{ "drop\nc=1\nwhy=a b\n\n", "no word", "why" },
		{ "drop\nc=1\nwhy=\n\n", "no word", "why" },
		{ "drop\nc=1\nwhy=a%20b\n\n", "no word", "why" },
		{ "drop\nc=1\nwhy=a%0ab\n\n", "no word", "why" },
		{ "drop\nc=1\nwhy=a%\n\n", "encoding", "why" },
		{ "drop\nc=1\nwhy=a%2\n\n", "encoding", "why" },
		{ "drop\nc=1\nwhy=a%2g\n\n", "encoding", "why" },
		{ "drop\nc=1\nwhy=a\rb\n\n", "encoding", "why" },
		{ "drop\nc=1\nwhy=a\177b\n\n", "encoding", "why" },
		{ "drop\nc=1\nwhy=a2345678901234567890123456789012x\n\n",
		    "too long", "why" },
		{ "drop\nc=1\n\nwhy=a\n\n", "behind the end", "" },
		{ "drop\nc=1\nwhy=a\n", "no end", "" },
		{ "\n\n", "no such verb", "" },
		{ "\n", "no end", "" },
		{ "", "no end", "" },
	};

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(t); i++) {
		assert_false(parse(VYX_E_POOL, VYX_CONNECTS, t[i].text, 1));
		assert_int_equal(errno, EPROTO);
		assert_non_null(strstr(rec.text, t[i].why));
		assert_true(vyx_str_eq(rec.where, VYX_STRZ(t[i].where)));
	}
	/* an unknown field is for a newer reader, unless it is typed by one */
	assert_true(parse(VYX_E_POOL, VYX_CONNECTS, "give\nc=1\ncolour=%zz\n\n",
	    0));
	assert_int_equal(rec.n, 1);
}

static void
rows_have_the_columns_of_their_table(void **state)
{
	(void)state;
	assert_true(parse(VYX_E_OPS, VYX_CONNECTS,
	    "put\nid=1\ntable=worker\nkey=a\nenv=A=1\nenv=B\nowner=op\n\n", 1));
	assert_int_equal(rec.table, VYX_T_WORKER);
	assert_false(parse(VYX_E_OPS, VYX_CONNECTS,
	    "put\nid=1\ntable=setting\nkey=a\nenv=A=1\n\n", 1));
	assert_false(parse(VYX_E_OPS, VYX_CONNECTS,
	    "put\nid=1\ntable=setting\nkey=a\nvalue=1\nvalue=2\n\n", 1));
	assert_false(parse(VYX_E_OPS, VYX_CONNECTS,
	    "put\nid=1\ntable=no\nkey=a\n\n", 1));
	/* what READ says is said on SEEN and OPS; not the other way round */
	assert_true(parse(VYX_E_OPS, VYX_CONNECTS,
	    "get\nid=1\ntable=setting\nkey=a\n\n", 1));
	assert_false(parse(VYX_E_READ, VYX_CONNECTS,
	    "put\nid=1\ntable=setting\nkey=a\n\n", 1));
	assert_false(parse(VYX_E_READ, VYX_CONNECTS, "ok\nid=1\n\n", 1));
}

/* Sixty-four fields are taken, one more is not, known or no. */
static void
no_more_fields_than_64(void **state)
{
	struct vyx_buf b = { 0 };

	(void)state;
	for (unsigned extra = 0; extra < 2; extra++) {
		b.n = 0;
		vyx_buf_puts(&b, "put\nid=1\ntable=worker\nkey=a\n");
		for (unsigned i = 3; i < VYX_REC_FIELDS + extra; i++)
			vyx_buf_fmt(&b, "env=E%u\n", i);
		vyx_buf_puts(&b, "\n");
		assert_int_equal(vyx_rec_parse(&rec, VYX_E_OPS, VYX_CONNECTS,
		                     b.p, b.n, 1),
		    !extra);
	}
	vyx_buf_free(&b);
}

static void
what_is_written_is_read(void **state)
{
	struct vyx_buf b = { 0 };
	char all[255];
	struct vyx_rec_out o;

	(void)state;
	for (unsigned i = 0; i < sizeof all; i++)
		all[i] = (char)(i + 1);
	vyx_buf_puts(&b, "before");
	o = vyx_rec_begin(&b, VYX_V_PUT);
	vyx_rec_putu(&o, VYX_F_ID, 7);
	vyx_rec_putz(&o, VYX_F_TABLE, "setting");
	vyx_rec_putz(&o, VYX_F_KEY, "a%b");
	vyx_rec_puts(&o, VYX_F_VALUE, (struct vyx_str){ all, sizeof all });
	assert_true(vyx_rec_end(&o));
	for (size_t i = 6; i + 1 < b.n; i++)
		assert_true((unsigned char)b.p[i] >= 0x20 || b.p[i] == '\n');
	assert_int_equal(vyx_rec_len(b.p + 6, b.n - 6, 0), b.n - 6);
	assert_true(vyx_rec_parse(&rec, VYX_E_OPS, VYX_CONNECTS, b.p + 6,
	    b.n - 6, 1));
	assert_true(vyx_str_eq(vyx_rec_str(&rec, VYX_F_VALUE),
	    (struct vyx_str){ all, sizeof all }));
	assert_true(vyx_str_eq(vyx_rec_str(&rec, VYX_F_KEY), VYX_STR("a%b")));
	vyx_buf_free(&b);
}

/* A record that cannot be is taken off again, those before it are not. */
static void
what_cannot_be_written(void **state)
{
	struct vyx_buf b = { .max = 200 };
	char long_word[2000];
	struct vyx_rec_out o;

	(void)state;
	memset(long_word, 'x', sizeof long_word);
	vyx_buf_puts(&b, "before");
	o = vyx_rec_begin(&b, VYX_V_DROP);
	vyx_rec_putz(&o, VYX_F_WHY, "a b");
	vyx_rec_putu(&o, VYX_F_C, 1);
	assert_false(vyx_rec_end(&o));
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(b.n, 6);
	o = vyx_rec_begin(&b, VYX_V_DROP);
	vyx_rec_puts(&o, VYX_F_KEY,
	    (struct vyx_str){ long_word, sizeof long_word });
	assert_false(vyx_rec_end(&o));
	o = vyx_rec_begin(&b, VYX_V_SAYS);
	vyx_rec_putu(&o, VYX_F_KEEPS, 2);
	assert_false(vyx_rec_end(&o));
	o = vyx_rec_begin(&b, VYX_V_DROP); /* the buffer's own limit */
	vyx_rec_puts(&o, VYX_F_KEY, (struct vyx_str){ long_word, 300 });
	assert_false(vyx_rec_end(&o));
	assert_int_equal(b.n, 6);
	vyx_buf_free(&b);
}

static void
equal_rows_are_equal_bytes(void **state)
{
	struct vyx_buf a = { 0 }, b = { 0 };
	struct vyx_rec_out oa = { .b = &a }, ob = { .b = &b };

	(void)state;
	assert_true(parse(VYX_E_OPS, VYX_CONNECTS,
	    "put\nid=1\ntable=worker\nkey=a\nowner=op\nenv=B\nenv=A\n"
	    "dir=/x\n\n",
	    1));
	vyx_rec_putrow(&oa, &rec);
	assert_true(parse(VYX_E_OPS, VYX_CONNECTS,
	    "put\nid=2\nenv=B\ndir=%2fx\ntable=worker\nenv=A\nowner=op\n"
	    "key=b\n\n",
	    1));
	vyx_rec_putrow(&ob, &rec);
	assert_true(vyx_str_eq(vyx_buf_str(&a), vyx_buf_str(&b)));
	assert_true(vyx_str_eq(vyx_buf_str(&a),
	    VYX_STR("owner=op\ndir=/x\nenv=B\nenv=A\n")));
	vyx_buf_free(&a);
	vyx_buf_free(&b);
}

static void
names_go_both_ways(void **state)
{
	(void)state;
	for (unsigned f = 1; f < VYX_F_COUNT; f++)
		assert_int_equal(vyx_rec_field(VYX_STRZ(
		                     vyx_rec_field_name((enum vyx_field)f))),
		    f);
	for (unsigned t = 1; t < VYX_T_COUNT; t++)
		assert_int_equal(vyx_rec_table(VYX_STRZ(
		                     vyx_rec_table_name((enum vyx_table)t))),
		    t);
	for (unsigned s = 1; s < VYX_S_COUNT; s++)
		assert_int_equal(vyx_rec_state_of(VYX_STRZ(
		                     vyx_rec_state_name((enum vyx_state)s))),
		    s);
	assert_int_equal(vyx_rec_field(VYX_STR("")), VYX_F_NONE);
	assert_int_equal(vyx_rec_field(VYX_STR("nope")), VYX_F_NONE);
	assert_int_equal(vyx_rec_table(VYX_STR("worke")), VYX_T_NONE);
	assert_int_equal(vyx_rec_state_of(VYX_STR("readyy")), VYX_S_NONE);
	assert_int_equal(vyx_rec_column(VYX_T_WORKER, VYX_F_ENV), 2);
	assert_int_equal(vyx_rec_column(VYX_T_WORKER, VYX_F_DIR), 1);
	assert_int_equal(vyx_rec_column(VYX_T_WORKER, VYX_F_HOST), 0);
}

/* Each word of the map's lists names a field; else it would be no field. */
static void
the_map_is_whole(void **state)
{
	/* clang-format off */
#define MESSAGE(edge, from, verb, must, may, fds) must " " may,
#define TABLE(id, name, life, writers, columns) columns,
	static const char *const lists[] = {
		VYX_MESSAGES(MESSAGE) VYX_TABLES(TABLE)
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < VYX_COUNT(lists); i++) {
		struct vyx_str rest = VYX_STRZ(lists[i]), word;

		while (rest.p) {
			word = vyx_str_cut(&rest, ' ');
			if (!word.n || word.p[0] == '*')
				continue;
			if (word.p[0] == '+') {
				word.p++;
				word.n--;
			}
			assert_true(vyx_rec_field(word) != VYX_F_NONE);
		}
	}
}

static int
end(void **state)
{
	(void)state;
	free(copy);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_is_found_at_any_seam),
		cmocka_unit_test(fields_have_their_types),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(rows_have_the_columns_of_their_table),
		cmocka_unit_test(no_more_fields_than_64),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(equal_rows_are_equal_bytes),
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(the_map_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
