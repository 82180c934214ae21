/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "state/schema.h"

/*
 * Schemas and documents against lib/state/schema.h and the two drafts: JSON
 * Schema Core and Validation, 2020-12 and draft-07. Costs are counted in
 * steps, never in time.
 *
 * Not tested here: the public suite, which bench/schema runs; patterns, which
 * have a test of their own; no memory.
 */

enum { NEW = 1, OLD = 2, BOTH = 3 };

/* clang-format off */
static const struct row {
	int drafts;
	const char *schema, *yes[8], *no[8];
} rows[] = {
	{ BOTH, "true", { "1", "null", "{}" }, { NULL } },
	{ BOTH, "false", { NULL }, { "1", "null", "{}" } },
	{ BOTH, "{}", { "1", "[null]" }, { NULL } },

	/* of any value */
	{ BOTH, "{'type':'null'}", { "null" }, { "0", "false", "''", "[]", "{}" } },
	{ BOTH, "{'type':'boolean'}", { "true", "false" }, { "0", "null", "'true'" } },
	{ BOTH, "{'type':'integer'}", { "1", "-1", "1.0", "1e3", "0.0", "-0", "12345678901234567890", "1e300" },
		{ "1.5", "1e-3", "'1'", "true", "null", "-0.5" } },
	{ BOTH, "{'type':'number'}", { "1", "1.5", "1e300" }, { "'1'", "true", "null", "[1]" } },
	{ BOTH, "{'type':'string'}", { "''", "'1'" }, { "1", "null", "['']" } },
	{ BOTH, "{'type':'array'}", { "[]", "[1]" }, { "{}", "''" } },
	{ BOTH, "{'type':'object'}", { "{}" }, { "[]", "null", "''" } },
	{ BOTH, "{'type':['integer','null']}", { "1", "null", "2.0" }, { "1.5", "''", "false" } },
	{ BOTH, "{'enum':[1,'a',null,[1,{'b':2}]]}", { "1", "1.0", "'a'", "null", "[1.0,{'b':2}]" },
		{ "2", "'A'", "false", "[1]", "[1,{'b':3}]", "[{'b':2},1]", "'1'" } },
	{ BOTH, "{'enum':[0]}", { "0", "0.0", "-0.0", "0e5" }, { "false", "null", "''", "[]" } },
	{ BOTH, "{'enum':[true]}", { "true" }, { "1", "'true'" } },
	{ BOTH, "{'const':{'a':1,'b':[2]}}", { "{'b':[2],'a':1}", "{'a':1.0,'b':[2]}" },
		{ "{'a':1}", "{'a':1,'b':[2],'c':3}", "{'a':1,'b':2}", "null" } },
	{ BOTH, "{'const':null}", { "null" }, { "0", "false", "''" } },
	{ BOTH, "{'const':9007199254740993}", { "9007199254740993" }, { "9007199254740992", "9007199254740992.0" } },

	/* of numbers; others pass */
	{ BOTH, "{'multipleOf':2}", { "0", "4", "-6", "1e300", "'x'" }, { "1", "3.0", "2.5" } },
	{ BOTH, "{'multipleOf':0.01}", { "0", "0.07", "4.35", "19.99", "-1.1", "1e10", "100" },
		{ "0.001", "4.355", "0.075", "1e-3" } },
	/* 16 digits and more, and the ends of what a double holds */
	{ BOTH, "{'multipleOf':1e-16}", { "0.1234567890123456", "1234.5", "1e308" }, { "1.5e-16", "5e-324" } },
	{ BOTH, "{'multipleOf':0.123456789}", { "123456789e290", "0.123456789", "1.23456789e-1" }, { "1e308", "1e-308", "0.1234567890123" } },
	{ BOTH, "{'multipleOf':1.5}", { "4.5", "3", "0" }, { "35", "1" } },
	{ BOTH, "{'multipleOf':1e-8}", { "12391239123", "0.00000001" }, { "1e-9", "0.000000015" } },
	{ BOTH, "{'multipleOf':9223372036854775807}", { "9223372036854775807", "0" }, { "1", "9223372036854775806" } },
	{ BOTH, "{'maximum':3}", { "3", "3.0", "-9", "'9'" }, { "3.01", "4", "1e300" } },
	{ BOTH, "{'exclusiveMaximum':3}", { "2.999", "-9" }, { "3", "3.0", "4" } },
	{ BOTH, "{'minimum':-1.5}", { "-1.5", "0", "null" }, { "-1.51", "-2" } },
	{ BOTH, "{'exclusiveMinimum':0}", { "0.1", "1e-300" }, { "0", "-0.0", "-1" } },
	{ BOTH, "{'maximum':9007199254740992.0}", { "9007199254740992" }, { "9007199254740993" } },
	{ BOTH, "{'maximum':9223372036854775807}", { "9223372036854775807" }, { "1e19", "18446744073709551616" } },
	{ BOTH, "{'minimum':1,'exclusiveMaximum':2}", { "1", "1.9" }, { "0.9", "2" } },

	/* of strings: a length is one in code points */
	{ BOTH, "{'maxLength':2}", { "''", "'ab'", "'\xf0\x9f\x98\x80\xc3\xa9'", "'\\ud83d\\ude00b'", "'a\\u0000'", "123" },
		{ "'abc'", "'e\xcc\x81x'", "'a\\u0000b'" } },
	{ BOTH, "{'minLength':2}", { "'ab'", "'\xf0\x9f\x98\x80\xf0\x9f\x98\x80'", "1" }, { "'a'", "'\xf0\x9f\x98\x80'", "''" } },
	{ BOTH, "{'minLength':2.0,'maxLength':3e0}", { "'ab'", "'abc'" }, { "'a'", "'abcd'" } },
	{ BOTH, "{'pattern':'b+'}", { "'abc'", "'b'", "7", "{}" }, { "'ac'", "''" } },
	{ BOTH, "{'pattern':'^.$'}", { "'\xf0\x9f\x98\x80'" }, { "'ab'" } },
	{ BOTH, "{'pattern':'a\\\\u0000b'}", { "'a\\u0000b'" }, { "'a'", "'ab'" } },

	/* of arrays */
	{ BOTH, "{'maxItems':1}", { "[]", "[1]", "'ab'", "{'a':1,'b':2}" }, { "[1,2]" } },
	{ BOTH, "{'minItems':1}", { "[null]", "''", "{}" }, { "[]" } },
	{ BOTH, "{'uniqueItems':true}", { "[]", "[1,2]", "[1,true,'1']", "[0,false,null,'']", "[[1],[2]]", "[{'a':1},{'b':1}]", "'aa'" },
		{ "[1,1.0]", "[{'a':1,'b':2},{'b':2,'a':1.0}]", "[[1,[2]],[1,[2]]]", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,1]", "['a',1,'a']", "[null,null]", "[0,-0.0]" } },
	{ BOTH, "{'uniqueItems':false}", { "[1,1]" }, { NULL } },
	{ BOTH, "{'items':{'type':'integer'}}", { "[]", "[1,2]", "{'0':'a'}" }, { "[1,'a']" } },
	{ BOTH, "{'items':false}", { "[]", "1" }, { "[1]" } },
	{ NEW, "{'prefixItems':[{'type':'string'},{'const':2}]}", { "[]", "['a']", "['a',2]", "['a',2,null]" }, { "[1]", "['a',3]" } },
	{ NEW, "{'prefixItems':[true],'items':{'type':'integer'}}", { "['a']", "['a',1,2]" }, { "['a',1,'b']" } },
	{ NEW, "{'prefixItems':[true],'items':false}", { "[1]", "[]" }, { "[1,2]" } },
	{ OLD, "{'items':[{'type':'string'},{'const':2}]}", { "[]", "['a']", "['a',2,null]" }, { "[1]", "['a',3]" } },
	{ OLD, "{'items':[true],'additionalItems':{'type':'integer'}}", { "['a']", "['a',1]" }, { "['a','b']" } },
	{ OLD, "{'items':[],'additionalItems':false}", { "[]" }, { "[1]" } },
	{ OLD, "{'items':{},'additionalItems':false}", { "[1,2]" }, { NULL } },
	{ OLD, "{'additionalItems':false}", { "[1,2]" }, { NULL } },
	{ BOTH, "{'contains':{'const':1}}", { "[1]", "[0,1.0]", "{}" }, { "[]", "[0]" } },
	{ BOTH, "{'contains':false}", { "1" }, { "[]", "[1]" } },
	{ NEW, "{'contains':{'const':1},'minContains':2}", { "[1,1]", "[1,0,1,1]" }, { "[1]", "[]" } },
	{ NEW, "{'contains':{'const':1},'minContains':0}", { "[]", "[0]" }, { NULL } },
	{ NEW, "{'contains':{'const':1},'maxContains':1}", { "[1]", "[0,1]" }, { "[1,1]", "[]", "[0]" } },
	{ NEW, "{'contains':{'const':1},'minContains':0,'maxContains':1}", { "[]", "[1]" }, { "[1,1]" } },
	{ NEW, "{'minContains':2,'maxContains':0}", { "[]", "[1]" }, { NULL } },

	/* of objects */
	{ BOTH, "{'maxProperties':1}", { "{}", "{'a':1}", "[1,2]" }, { "{'a':1,'b':2}" } },
	{ BOTH, "{'minProperties':1}", { "{'a':1}", "[]" }, { "{}" } },
	{ BOTH, "{'required':['a','b']}", { "{'a':1,'b':null}", "[]", "'a'" }, { "{}", "{'a':1}", "{'b':1}" } },
	{ BOTH, "{'required':[]}", { "{}" }, { NULL } },
	{ BOTH, "{'properties':{'a':{'type':'integer'},'b':false}}", { "{}", "{'a':1}", "{'c':'x'}", "[1]" }, { "{'a':'x'}", "{'b':1}" } },
	{ BOTH, "{'patternProperties':{'^x':{'type':'integer'},'y$':{'minimum':3}}}", { "{'x':1}", "{'xy':3}", "{'a':'b'}" },
		{ "{'x':'b'}", "{'xy':2}", "{'ay':1}" } },
	{ BOTH, "{'properties':{'a':{}},'patternProperties':{'^x-':{}},'additionalProperties':false}",
		{ "{'a':1,'x-b':2}", "{}", "[1]" }, { "{'b':1}", "{'a':1,'xb':2}" } },
	{ BOTH, "{'additionalProperties':{'type':'integer'}}", { "{'a':1}" }, { "{'a':'b'}" } },
	/* it sees what stands beside it alone */
	{ BOTH, "{'allOf':[{'properties':{'a':{}}}],'additionalProperties':false}", { "{}" }, { "{'a':1}" } },
	{ BOTH, "{'propertyNames':{'maxLength':2}}", { "{'ab':1}", "{}", "'abc'" }, { "{'abc':1}" } },
	{ BOTH, "{'propertyNames':false}", { "{}" }, { "{'a':1}" } },
	{ NEW, "{'dependentRequired':{'a':['b','c'],'d':[]}}", { "{}", "{'b':1}", "{'a':1,'b':2,'c':3}", "{'d':1}" }, { "{'a':1}", "{'a':1,'b':2}" } },
	{ NEW, "{'dependentSchemas':{'a':{'minProperties':2},'b':false}}", { "{}", "{'a':1,'c':2}", "['a']" }, { "{'a':1}", "{'b':1}" } },
	{ OLD, "{'dependencies':{'a':['b'],'c':{'minProperties':2},'d':false}}", { "{}", "{'a':1,'b':2}", "{'c':1,'x':2}" },
		{ "{'a':1}", "{'c':1}", "{'d':1}" } },

	/* schemas together */
	{ BOTH, "{'allOf':[{'minimum':1},{'maximum':3}]}", { "1", "3" }, { "0", "4" } },
	{ BOTH, "{'anyOf':[{'type':'string'},{'minimum':3}]}", { "'a'", "3", "null" }, { "2" } },
	{ BOTH, "{'oneOf':[{'multipleOf':2},{'multipleOf':3}]}", { "2", "3", "9" }, { "6", "1", "0" } },
	{ BOTH, "{'not':{'type':'integer'}}", { "'a'", "1.5" }, { "1" } },
	{ BOTH, "{'not':{'not':{'const':1}}}", { "1" }, { "2" } },
	{ BOTH, "{'if':{'minimum':10},'then':{'multipleOf':10},'else':{'multipleOf':2}}", { "20", "4" }, { "11", "3" } },
	{ BOTH, "{'if':{'minimum':10},'then':false}", { "9" }, { "10" } },
	{ BOTH, "{'if':{'minimum':10},'else':false}", { "10" }, { "9" } },
	{ BOTH, "{'if':false}", { "9" }, { NULL } },
	{ BOTH, "{'then':false,'else':false}", { "9" }, { NULL } },

	/* references */
	{ BOTH, "{'properties':{'a':{'$ref':'#/definitions/n'}},'definitions':{'n':{'type':'integer'}}}", { "{'a':1}" }, { "{'a':'b'}" } },
	{ NEW, "{'$ref':'#/$defs/n','$defs':{'n':{'type':'integer'}},'minimum':3}", { "3" }, { "'a'", "2" } },
	{ OLD, "{'allOf':[{'$ref':'#/definitions/n','minimum':3}],'definitions':{'n':{'type':'integer'}}}", { "2" }, { "'a'" } },
	{ BOTH, "{'properties':{'next':{'$ref':'#'},'v':{'type':'integer'}},'required':['v']}", { "{'v':1,'next':{'v':2,'next':{'v':3}}}" },
		{ "{'v':1,'next':{'v':2,'next':{}}}" } },
	{ BOTH, "{'definitions':{'a/b':{'const':1},'c~d':{'const':2},'e%f':{'const':3},'':{'const':4}},'properties':{'a':{'$ref':'#/definitions/a~1b'},'c':{'$ref':'#/definitions/c~0d'},'e':{'$ref':'#/definitions/e%25f'},'n':{'$ref':'#/definitions/'}}}",
		{ "{'a':1,'c':2,'e':3,'n':4}" }, { "{'a':2}", "{'c':1}", "{'e':1}", "{'n':1}" } },
	{ BOTH, "{'$id':'http://a.example/s/root.json','definitions':{'n':{'$id':'n.json','type':'integer'}},'properties':{'a':{'$ref':'n.json'},'b':{'$ref':'/s/n.json'},'c':{'$ref':'http://a.example/s/x/../n.json#'}}}",
		{ "{'a':1,'b':2,'c':3}" }, { "{'a':''}", "{'b':''}", "{'c':''}" } },
	{ BOTH, "{'$id':'urn:uuid:deadbeef-1234-00ff-ff00-4321feebdaed','properties':{'a':{'$ref':'#/definitions/n'}},'definitions':{'n':{'const':1}}}",
		{ "{'a':1}" }, { "{'a':2}" } },
	{ NEW, "{'$ref':'#n','$defs':{'x':{'$anchor':'n','type':'integer'}}}", { "1" }, { "''" } },
	{ OLD, "{'allOf':[{'$ref':'#n'}],'definitions':{'x':{'$id':'#n','type':'integer'}}}", { "1" }, { "''" } },
	/* an anchor belongs to the resource it stands in */
	{ NEW, "{'$id':'http://a.example/','$ref':'b#n','$defs':{'x':{'$anchor':'n','const':1},'b':{'$id':'b','$defs':{'y':{'$anchor':'n','const':2}}}}}",
		{ "2" }, { "1" } },
	{ NEW, "{'$dynamicRef':'#n','$defs':{'x':{'$dynamicAnchor':'n','const':1}}}", { "1" }, { "2" } },
	/* Core 8.2.3.2: the outermost anchor of that name */
	{ NEW, "{'$id':'http://a.example/strict','$dynamicAnchor':'node','$ref':'tree','unevaluatedProperties':false,'$defs':{'t':{'$id':'tree','$dynamicAnchor':'node','properties':{'v':true,'sub':{'items':{'$dynamicRef':'#node'}}}}}}",
		{ "{'v':1,'sub':[{'v':2,'sub':[]}]}" }, { "{'w':1}", "{'sub':[{'w':1}]}", "{'sub':[{'sub':[{'w':1}]}]}" } },
	/* without a dynamic anchor it is a $ref, whatever others have */
	{ NEW, "{'$id':'http://a.example/o','$ref':'i','$defs':{'d':{'$dynamicAnchor':'n','const':1},'i':{'$id':'i','$dynamicRef':'#n','$defs':{'p':{'$anchor':'n','const':2}}}}}",
		{ "2" }, { "1" } },
	/* nor does a $ref look for one */
	{ NEW, "{'$id':'http://a.example/o','$dynamicAnchor':'n','$ref':'i','$defs':{'i':{'$id':'i','$ref':'#n','$defs':{'p':{'$dynamicAnchor':'n','const':2}}}}}",
		{ "2" }, { "1" } },
	/* in draft-07 an $id beside a $ref is none */
	{ OLD, "{'$id':'http://a.example/x','properties':{'p':{'$id':'http://b.example/','$ref':'y'}},'definitions':{'y':{'$id':'y','type':'integer'}}}",
		{ "{'p':1}" }, { "{'p':''}" } },
	{ NEW, "{'$dynamicRef':'#n','$defs':{'x':{'$anchor':'n','const':1}}}", { "1" }, { "2" } },

	/* what nobody has looked at */
	{ NEW, "{'allOf':[{'properties':{'a':{}}}],'unevaluatedProperties':false}", { "{'a':1}", "{}", "[1]" }, { "{'b':1}" } },
	{ NEW, "{'properties':{'a':{}},'patternProperties':{'^x':{}},'unevaluatedProperties':{'const':1}}", { "{'a':2,'x':3,'b':1}" }, { "{'b':2}" } },
	{ NEW, "{'additionalProperties':true,'unevaluatedProperties':false}", { "{'b':1}" }, { NULL } },
	{ NEW, "{'anyOf':[{'properties':{'a':{'const':1}},'required':['a']},{'properties':{'b':{}},'required':['b']}],'unevaluatedProperties':false}",
		{ "{'a':1}", "{'b':1}", "{'a':1,'b':1}" }, { "{'a':2,'b':1}", "{'a':1,'c':1}" } },
	{ NEW, "{'oneOf':[{'properties':{'a':{}},'required':['a']},{'properties':{'b':{}},'required':['b']}],'unevaluatedProperties':false}",
		{ "{'a':1}", "{'b':1}" }, { "{'a':1,'b':1}", "{'a':1,'c':2}" } },
	{ NEW, "{'not':{'not':{'properties':{'a':{}}}},'unevaluatedProperties':false}", { "{}" }, { "{'a':1}" } },
	{ NEW, "{'if':{'properties':{'a':{'const':1}},'required':['a']},'then':{'properties':{'b':{}}},'else':{'properties':{'c':{}}},'unevaluatedProperties':false}",
		{ "{'a':1,'b':2}", "{'c':1}" }, { "{'a':1,'c':1}", "{'b':1}", "{'a':2,'c':1}" } },
	{ NEW, "{'$ref':'#/$defs/x','$defs':{'x':{'properties':{'a':{}}}},'unevaluatedProperties':false}", { "{'a':1}" }, { "{'b':1}" } },
	{ NEW, "{'dependentSchemas':{'a':{'properties':{'a':{},'b':{}}}},'unevaluatedProperties':false}", { "{'a':1,'b':2}" }, { "{'b':1}" } },
	{ NEW, "{'allOf':[{'unevaluatedProperties':true}],'unevaluatedProperties':false}", { "{'a':1}" }, { NULL } },
	/* cousins do not see each other */
	{ NEW, "{'allOf':[{'properties':{'a':{}}},{'unevaluatedProperties':false}]}", { "{}" }, { "{'a':1}" } },
	{ NEW, "{'properties':{'s':{'properties':{'a':{}}}},'unevaluatedProperties':false}", { "{'s':{'x':1}}" }, { "{'a':1}" } },
	{ NEW, "{'prefixItems':[{}],'unevaluatedItems':false}", { "[]", "[1]", "{'a':1}" }, { "[1,2]" } },
	{ NEW, "{'items':{},'unevaluatedItems':false}", { "[1,2]" }, { NULL } },
	{ NEW, "{'contains':{'const':1},'unevaluatedItems':{'const':2}}", { "[1]", "[2,1,1,2]" }, { "[1,3]", "[2]" } },
	{ NEW, "{'anyOf':[{'prefixItems':[{'const':1}]},{'prefixItems':[true,{'const':2}]}],'unevaluatedItems':false}", { "[1]", "[1,2]", "[3,2]" }, { "[1,3]", "[1,2,3]" } },
	{ NEW, "{'allOf':[{'prefixItems':[{}]},{'unevaluatedItems':{'const':1}}],'unevaluatedItems':false}", { "[1,1]" }, { "[2,1]" } },

	/* what says nothing about validity */
	{ BOTH, "{'title':'t','description':'d','default':1,'examples':[1],'deprecated':true,'readOnly':true,'writeOnly':false,'$comment':'c','contentEncoding':'base64','contentMediaType':'application/json','x-any':{'unknown':1},'x-':[]}",
		{ "'{'", "1" }, { NULL } },
	{ NEW, "{'contentSchema':{'type':'integer'},'contentMediaType':'application/json'}", { "'[]'" }, { NULL } },
	{ BOTH, "{'format':'date'}", { "'no date'", "1" }, { NULL } },
	{ BOTH, "{'format':'my-own'}", { "'a'" }, { NULL } },
	{ NEW, "{'$schema':'https://json-schema.org/draft/2020-12/schema','prefixItems':[false]}", { "[]" }, { "[1]" } },
	{ BOTH, "{'$schema':'http://json-schema.org/draft-07/schema#','items':[false]}", { "[]" }, { "[1]" } },
	{ BOTH, "{'$schema':'http://json-schema.org/draft-07/schema','items':[false]}", { "[]" }, { "[1]" } },
};
/* clang-format on */

/* ' stands for " : none of the texts has one of its own. */
static struct vyx_str
quoted(const char *z, char *out, size_t cap)
{
	size_t n = strlen(z);

	assert_true(n < cap);
	for (size_t i = 0; i <= n; i++)
		out[i] = z[i] == '\'' ? '"' : z[i];
	return (struct vyx_str){ out, n };
}

static struct vyx_schema *
load_text(struct vyx_str text, const struct vyx_schema_opt *opt)
{
	struct vyx_schema_error e;
	struct vyx_schema *s = vyx_schema_load(text, opt, &e);

	if (!s)
		fail_msg("%.200s: %s: %s", text.p, e.at, e.why);
	return s;
}

static struct vyx_schema *
load(const char *z, int draft)
{
	const struct vyx_schema_opt opt = {
		.draft = draft == OLD ? VYX_SCHEMA_07 : VYX_SCHEMA_2020_12
	};
	char text[2048];

	return load_text(quoted(z, text, sizeof(text)), &opt);
}

static json_t *
doc_text(struct vyx_str text)
{
	struct vyx_schema_error e;
	json_t *doc = vyx_schema_doc(text, &e);

	if (!doc)
		fail_msg("%.200s: %s: %s", text.p, e.at, e.why);
	return doc;
}

static json_t *
doc(const char *z)
{
	char text[2048];

	return doc_text(quoted(z, text, sizeof(text)));
}

struct told {
	unsigned n;
	char line[VYX_SCHEMA_REPORTS][800];
};

static void
utf8(struct vyx_str s)
{
	json_t *j = json_stringn(s.p, s.n);

	assert_non_null(j);
	json_decref(j);
}

static void
tell(void *arg, struct vyx_str field, struct vyx_str message)
{
	struct told *t = arg;

	assert_true(t->n < VYX_SCHEMA_REPORTS);
	assert_int_equal(field.p[field.n], '\0');
	assert_int_equal(message.p[message.n], '\0');
	utf8(field);
	utf8(message);
	for (size_t i = 0; i < field.n + message.n; i++) {
		unsigned char c =
		    (unsigned char)(i < field.n ? field.p[i]
		                                : message.p[i - field.n]);

		assert_true(c >= ' ' && c != 127);
	}
	snprintf(t->line[t->n++], sizeof(t->line[0]), "%s: %s", field.p,
	    message.p);
}

/* The answer is the same with and without reports. */
static int
check(const struct vyx_schema *s, const json_t *j, struct told *t)
{
	struct told own;
	int ok;

	t = t ? t : &own;
	t->n = 0;
	ok = vyx_schema_check(s, j, tell, t);
	assert_int_equal(ok, t->n == 0);
	assert_int_equal(vyx_schema_check(s, j, NULL, NULL), ok);
	return ok;
}

static void
expect(const struct vyx_schema *s, const char *schema, const char *text, int ok)
{
	json_t *j = doc(text);

	if (check(s, j, NULL) != ok)
		fail_msg("%s: %s is%s valid", schema, text, ok ? " not" : "");
	json_decref(j);
}

static void
test_keywords(void **state)
{
	(void)state;
	for (size_t i = 0; i < VYX_COUNT(rows); i++)
		for (int draft = NEW; draft <= OLD; draft++) {
			const struct row *r = &rows[i];
			struct vyx_schema *s;

			if (!(r->drafts & draft))
				continue;
			s = load(r->schema, draft);
			for (size_t j = 0; j < 8 && r->yes[j]; j++)
				expect(s, r->schema, r->yes[j], 1);
			for (size_t j = 0; j < 8 && r->no[j]; j++)
				expect(s, r->schema, r->no[j], 0);
			vyx_schema_free(s);
		}
}

static void
refused(int draft, struct vyx_str text, const char *at, const char *why)
{
	const struct vyx_schema_opt opt = {
		.draft = draft == OLD ? VYX_SCHEMA_07 : VYX_SCHEMA_2020_12
	};
	struct vyx_schema_error e;

	if (vyx_schema_load(text, &opt, &e))
		fail_msg("%.200s was loaded", text.p);
	if (strcmp(e.at, at) != 0 || !strstr(e.why, why))
		fail_msg("%.200s: %s: %s", text.p, e.at, e.why);
}

/* A schema that is refused: where, and a part of why. */
static const struct {
	int drafts;
	const char *schema, *at, *why;
} bad[] = {
	{ BOTH, "{'maxLenght':1}", "/maxLenght", "unknown" },
	{ BOTH, "{'properties':{'a':{'items':{'typ':1}}}}",
	    "/properties/a/items/typ", "unknown" },
	{ BOTH, "{'allOf':[{},{'nope':1}]}", "/allOf/1/nope", "unknown" },
	{ BOTH, "{'definitions':{'a/b~':{'nope':1}}}",
	    "/definitions/a~1b~0/nope", "unknown" },
	{ BOTH, "{'nullable':true}", "/nullable", "unknown" },
	{ BOTH, "{'X-a':1}", "/X-a", "unknown" },
	{ BOTH, "{'$vocabulary':{}}", "/$vocabulary", "unknown" },
	{ BOTH, "{'id':'a'}", "/id", "use $id" },
	{ NEW, "{'additionalItems':false}", "/additionalItems", "use items" },
	{ NEW, "{'dependencies':{}}", "/dependencies",
	    "use dependentRequired" },
	{ OLD, "{'prefixItems':[{}]}", "/prefixItems", "draft-07" },
	{ OLD, "{'$defs':{}}", "/$defs", "draft-07" },
	{ OLD, "{'dependentRequired':{}}", "/dependentRequired", "draft-07" },
	{ OLD, "{'dependentSchemas':{}}", "/dependentSchemas", "draft-07" },
	{ OLD, "{'unevaluatedItems':false}", "/unevaluatedItems", "draft-07" },
	{ OLD, "{'unevaluatedProperties':false}", "/unevaluatedProperties",
	    "draft-07" },
	{ OLD, "{'minContains':1}", "/minContains", "draft-07" },
	{ OLD, "{'maxContains':1}", "/maxContains", "draft-07" },
	{ OLD, "{'$anchor':'a'}", "/$anchor", "draft-07" },
	{ OLD, "{'$dynamicRef':'#a'}", "/$dynamicRef", "draft-07" },
	{ OLD, "{'$dynamicAnchor':'a'}", "/$dynamicAnchor", "draft-07" },
	{ OLD, "{'contentSchema':{}}", "/contentSchema", "draft-07" },

	{ BOTH, "1", "/", "a schema is" },
	{ BOTH, "null", "/", "a schema is" },
	{ BOTH, "[]", "/", "a schema is" },
	{ BOTH, "{'not':1}", "/not", "a schema is" },
	{ BOTH, "{'allOf':[{},null]}", "/allOf/1", "a schema is" },
	{ BOTH, "{'type':'int'}", "/type", "must be null" },
	{ BOTH, "{'type':[]}", "/type", "" },
	{ BOTH, "{'type':['null','null']}", "/type", "twice" },
	{ BOTH, "{'type':'null\\u0000'}", "/type", "must be null" },
	{ BOTH, "{'enum':1}", "/enum", "array" },
	{ BOTH, "{'enum':[]}", "/enum", "array" },
	{ BOTH, "{'multipleOf':0}", "/multipleOf", "above 0" },
	{ BOTH, "{'multipleOf':-1}", "/multipleOf", "above 0" },
	{ BOTH, "{'multipleOf':1e-400}", "/multipleOf", "above 0" },
	{ BOTH, "{'maximum':'1'}", "/maximum", "number" },
	{ BOTH, "{'exclusiveMaximum':true}", "/exclusiveMaximum", "number" },
	{ BOTH, "{'minimum':null}", "/minimum", "number" },
	{ BOTH, "{'exclusiveMinimum':false}", "/exclusiveMinimum", "number" },
	{ BOTH, "{'maxLength':-1}", "/maxLength", "integer" },
	{ BOTH, "{'minLength':1.5}", "/minLength", "integer" },
	{ BOTH, "{'maxItems':'1'}", "/maxItems", "integer" },
	{ BOTH, "{'minItems':null}", "/minItems", "integer" },
	{ BOTH, "{'maxProperties':[]}", "/maxProperties", "integer" },
	{ BOTH, "{'minProperties':-0.5}", "/minProperties", "integer" },
	{ BOTH, "{'pattern':'('}", "/pattern", "byte 1" },
	{ BOTH, "{'pattern':'a(?=b)'}", "/pattern", "lookahead" },
	{ BOTH, "{'pattern':1}", "/pattern", "string" },
	{ BOTH, "{'patternProperties':{'[':{}}}", "/patternProperties", "[" },
	{ BOTH, "{'format':1}", "/format", "string" },
	{ BOTH, "{'uniqueItems':1}", "/uniqueItems", "true or false" },
	{ BOTH, "{'required':true}", "/required", "array" },
	{ BOTH, "{'required':[1]}", "/required", "array" },
	{ BOTH, "{'required':['a','a']}", "/required", "twice" },
	{ BOTH, "{'required':['a\\u0000b']}", "/required", "array" },
	{ BOTH, "{'properties':[]}", "/properties", "object" },
	{ BOTH, "{'properties':{'a':1}}", "/properties/a", "a schema is" },
	{ NEW, "{'items':[{}]}", "/items", "a schema is" },
	{ NEW, "{'prefixItems':[]}", "/prefixItems", "not empty" },
	{ BOTH, "{'allOf':[]}", "/allOf", "not empty" },
	{ BOTH, "{'anyOf':{}}", "/anyOf", "not empty" },
	{ BOTH, "{'oneOf':true}", "/oneOf", "not empty" },
	{ NEW, "{'dependentRequired':{'a':{}}}", "/dependentRequired",
	    "\"a\"" },
	{ NEW, "{'dependentSchemas':{'a':[]}}", "/dependentSchemas/a",
	    "a schema" },
	{ OLD, "{'dependencies':{'a':['b','b']}}", "/dependencies", "twice" },
	{ BOTH, "{'title':1}", "/title", "string" },
	{ BOTH, "{'description':[]}", "/description", "string" },
	{ BOTH, "{'$comment':{}}", "/$comment", "string" },
	{ BOTH, "{'examples':1}", "/examples", "array" },
	{ BOTH, "{'readOnly':'no'}", "/readOnly", "true or false" },
	{ BOTH, "{'$id':1}", "/$id", "string" },
	{ NEW, "{'$id':'http://a.example/#b'}", "/$id", "fragment" },
	{ BOTH, "{'$schema':1}", "/$schema", "neither" },
	{ BOTH, "{'$schema':'http://json-schema.org/draft-04/schema#'}",
	    "/$schema", "neither" },
	{ NEW, "{'not':{'$schema':'http://json-schema.org/draft-07/schema#'}}",
	    "/not/$schema", "another draft" },
	{ NEW, "{'$anchor':'a b'}", "/$anchor", "letters" },
	{ NEW, "{'$anchor':'1a'}", "/$anchor", "letters" },
	{ NEW, "{'$anchor':'a','not':{'$anchor':'a'}}", "/not/$anchor", "two" },
	{ BOTH, "{'allOf':[{'$id':'a'},{'$id':'a'}]}", "/allOf/1/$id", "two" },

	/* references to what is not there */
	{ BOTH, "{'$ref':1}", "/$ref", "string" },
	{ BOTH, "{'not':{'$ref':'#/definitions/a'}}", "/not/$ref",
	    "no subschema" },
	{ BOTH, "{'not':{'$ref':'#a'}}", "/not/$ref", "no subschema" },
	{ BOTH, "{'not':{'$ref':'other.json'}}", "/not/$ref",
	    "nothing is fetched" },
	{ BOTH, "{'not':{'$ref':'http://json-schema.org/draft-07/schema#'}}",
	    "/not/$ref", "nothing is fetched" },
	/* in the text, but no subschema */
	{ BOTH, "{'default':{'a':{}},'not':{'$ref':'#/default/a'}}",
	    "/not/$ref", "no subschema" },
	{ BOTH, "{'definitions':{'a':{}},'not':{'$ref':'#/definitions/a%00b'}}",
	    "/not/$ref", "no subschema" },
	{ BOTH, "{'definitions':{'a':{}},'not':{'$ref':'#/definitions/%6'}}",
	    "/not/$ref", "no subschema" },
	{ BOTH, "{'definitions':{'a':{}},'not':{'$ref':'#/definitions/~2'}}",
	    "/not/$ref", "no subschema" },
	{ BOTH, "{'allOf':[{}],'not':{'$ref':'#/allOf/00'}}", "/not/$ref",
	    "no subschema" },

	/* without end */
	{ BOTH, "{'$ref':'#'}", "/$ref", "leads back" },
	{ BOTH, "{'not':{'$ref':'#'}}", "/not/$ref", "leads back" },
	{ BOTH, "{'if':{'$ref':'#'}}", "/if/$ref", "leads back" },
	{ NEW, "{'$dynamicAnchor':'a','$dynamicRef':'#a'}", "/$dynamicRef",
	    "leads back" },
	/* by way of the anchor of another resource */
	{ NEW,
	    "{'$id':'http://a.example/','$ref':'t','$defs':{'o':{"
	    "'$dynamicAnchor':'n','$ref':'t'},'t':{'$id':'t','$dynamicRef':"
	    "'#n','$defs':{'b':{'$dynamicAnchor':'n'}}}}}",
	    "/$defs/o/$ref", "leads back" },
	{ NEW, "{'dependentSchemas':{'a':{'$ref':'#'}}}",
	    "/dependentSchemas/a/$ref", "leads back" },
	{ OLD, "{'dependencies':{'a':{'$ref':'#'}}}", "/dependencies/a/$ref",
	    "leads back" },

	/* no JSON, or JSON that says two things */
	{ BOTH, "", "line 1", "not JSON" },
	{ BOTH, "{'type':'null'", "line 1", "not JSON" },
	{ BOTH, "{} {}", "line 1", "not JSON" },
	{ BOTH, "{\n'a':\n}", "line 3", "not JSON" },
	{ BOTH, "{'type':'null','type':'null'}", "line 1", "duplicate" },
	{ BOTH, "{'maximum':1e400}", "line 1", "" },
	{ BOTH, "{'title':'\xff'}", "line 1", "decode byte" },
	/* what is quoted of it has no control bytes */
	{ BOTH, "{'a': b\x1e\xff}", "line 1", "not JSON" },
	{ BOTH, "{'a':\x7f}", "line 1", "near '?'" },
	{ BOTH, "{'a':\x1e\x1b\x7f}", "line 1", "near '?'" },
};

static void
test_refused(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(bad); i++)
		for (int draft = NEW; draft <= OLD; draft++)
			if (bad[i].drafts & draft)
				refused(draft,
				    quoted(bad[i].schema, text, sizeof(text)),
				    bad[i].at, bad[i].why);
}

/* Formats: what is one, what is none. */
static const struct {
	const char *name, *yes[6], *no[8];
} formats[] = {
	{ "date-time",
	    { "2025-01-31T12:00:00Z", "2024-02-29t23:59:60.5z",
	        "1990-12-31T15:59:60-08:00" },
	    { "", "2025-01-31", "2025-02-30T00:00:00Z", "2025-01-31 12:00:00Z",
	        "2025-01-31T24:00:00Z", "2025-01-31T12:00:00",
	        "1990-12-31T15:59:60-07:00", "2025-01-31T12:00:00Zx" } },
	{ "date", { "2025-01-31", "2000-02-29" },
	    { "2025-1-31", "1900-02-29", "2025-13-01", "2025-00-10",
	        "2025-01-00", "25-01-01" } },
	{ "time", { "12:00:00Z", "23:59:59.123+01:30" },
	    { "12:00Z", "12:00:00", "12:60:00Z", "12:00:61Z", "12:00:00.Z",
	        "12:00:00+24:00" } },
	{ "duration", { "P1DT12H", "P4W", "PT36H", "P1Y2M3DT4H5M6S" },
	    { "P", "PT", "P1", "1D", "P1D2Y", "P1DT", "P1W2D", "P1Y2D" } },
	{ "email",
	    { "a@b.de", "a.b+c@d", "\"a b\"@c.de", "a@[127.0.0.1]",
	        "a@[IPv6:::1]" },
	    { "a", "@b.de", "a@", ".a@b", "a.@b", "a..b@c", "a b@c.de",
	        "a@[1.2.3]" } },
	{ "hostname", { "a", "a.example", "1-2.x" },
	    { "", "-a", "a-", "a..b", "a_b", "a.", ".a", "a b" } },
	{ "ipv4", { "127.0.0.1", "0.0.0.0" },
	    { "256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4 ", "::1" } },
	{ "ipv6", { "::", "::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4" },
	    { "1:2:3:4:5:6:7", ":::", "12345::", "::1%eth0", "1.2.3.4" } },
	{ "uri", { "http://a.example/b?c#d", "urn:x", "mailto:a@b" },
	    { "", "/a", "//a", "http://a b", "http://[::1", "http://a:b/",
	        "a:%zz", ":a" } },
	{ "uri-reference", { "", "/a", "//a", "a?b#c", "http://a" },
	    { "a\\\\b", "#a#b", "1:a", "%", "a b" } },
	{ "uuid",
	    { "2eb8aa08-aa98-11ea-b4aa-73b441d16380",
	        "2EB8AA08-AA98-11EA-B4AA-73B441D16380" },
	    { "2eb8aa08aa9811eab4aa73b441d16380",
	        "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
	        "2eb8aa08-aa98-11ea-b4aa-73b441d1638g" } },
	{ "json-pointer", { "", "/", "/a~0b/~1" }, { "a", "#", "/~", "/~2" } },
	{ "relative-json-pointer", { "0", "1/a", "10#" },
	    { "", "/a", "01", "-1", "0##" } },
	{ "regex", { "", "^a+$" }, { "(", "a**", "[" } },
};

static void
test_format(void **state)
{
	struct vyx_schema_opt opt = { .format_assert = 1 };
	struct vyx_schema_error e;
	char text[128];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(formats); i++) {
		struct vyx_schema *hard, *soft;

		snprintf(text, sizeof(text), "{\"format\":\"%s\"}",
		    formats[i].name);
		hard = load_text(VYX_STRZ(text), &opt);
		soft = load_text(VYX_STRZ(text), NULL);
		for (size_t j = 0; j < 14; j++) {
			const char *z =
			    j < 6 ? formats[i].yes[j] : formats[i].no[j - 6];
			json_t *d;

			if (!z)
				continue;
			d = json_string(z);
			if (check(hard, d, NULL) != (j < 6))
				fail_msg("%s: %s", text, z);
			assert_true(check(soft, d, NULL));
			json_decref(d);
		}
		vyx_schema_free(soft);
		vyx_schema_free(hard);
	}
	assert_null(vyx_schema_load(VYX_STR("{\"not\":{\"format\":\"my\"}}"),
	    &opt, &e));
	assert_string_equal(e.at, "/not/format");
	assert_non_null(strstr(e.why, "my is not known"));
}

/* A schema, a document, and all that is said, in any order. */
static const struct {
	const char *schema, *doc, *said[8];
} reports[] = {
	{ "{'type':'object','required':['name','age']}", "{}",
	    { "name: is required", "age: is required" } },
	{ "{'type':'object','required':['name']}", "[]",
	    { ": must be an object" } },
	{ "{'properties':{'address':{'required':['zip'],'properties':{'zip':{"
	  "'type':'string'}}}}}",
	    "{'address':{'zip':1}}", { "address.zip: must be a string" } },
	{ "{'properties':{'address':{'required':['zip']}}}", "{'address':{}}",
	    { "address.zip: is required" } },
	{ "{'properties':{'items':{'items':{'properties':{'name':{'minLength':"
	  "1}}}}}}",
	    "{'items':[{'name':'a'},{},{'name':''}]}",
	    { "items[2].name: must not be empty" } },
	{ "{'items':{'items':{'type':'integer'}}}", "[[1],[2,'a']]",
	    { "[1][1]: must be an integer" } },
	{ "{'properties':{'a':{}},'additionalProperties':false}",
	    "{'a':1,'nom':2}", { "nom: is not allowed" } },
	{ "{'properties':{'a.b':false,'':false,'c d':false,'e-f_$1':false,"
	  "'\xc3\xa9':false}}",
	    "{'a.b':1,'':1,'c d':1,'e-f_$1':1,'\xc3\xa9':1}",
	    { "[\"a.b\"]: is not allowed", "[\"\"]: is not allowed",
	        "[\"c d\"]: is not allowed", "e-f_$1: is not allowed",
	        "[\"\xc3\xa9\"]: is not allowed" } },
	{ "{'additionalProperties':false}", "{'a\\u0007\\u007fb':1}",
	    { "[\"a??b\"]: is not allowed" } },
	{ "{'additionalProperties':false}", "{'a\\\\b\\u0022':1}",
	    { "[\"a\\\\b\\\"\"]: is not allowed" } },
	/* nothing else is said of a wrong type, all of a right one */
	{ "{'type':['string','null'],'minimum':5,'multipleOf':2}", "3",
	    { ": must be a string or null" } },
	{ "{'type':'integer','minimum':5,'multipleOf':2}", "3",
	    { ": must be at least 5", ": must be a multiple of 2" } },
	{ "{'maximum':1.5,'exclusiveMinimum':2}", "2",
	    { ": must be at most 1.5", ": must be above 2" } },
	{ "{'exclusiveMaximum':0.1}", "1", { ": must be below 0.1" } },
	{ "{'minLength':2}", "'a'", { ": must have at least 2 characters" } },
	{ "{'maxLength':1}", "'ab'", { ": must have at most 1 character" } },
	{ "{'minItems':1}", "[]", { ": must not be empty" } },
	{ "{'maxItems':2}", "[1,2,3]", { ": must have at most 2 items" } },
	{ "{'enum':['a','b',1]}", "2", { ": must be one of \"a\", \"b\", 1" } },
	{ "{'const':[1]}", "2", { ": must be [1]" } },
	{ "{'pattern':'^[a-z]$'}", "'A'",
	    { ": must match the pattern ^[a-z]$" } },
	{ "{'pattern':'a\\u0001'}", "''", { ": must match the pattern a?" } },
	{ "{'uniqueItems':true}", "[1,1]",
	    { ": must not have the same item twice" } },
	{ "{'dependentRequired':{'a':['b']}}", "{'a':1}",
	    { "b: is required beside \"a\"" } },
	{ "{'propertyNames':{'maxLength':1}}", "{'ab':1,'c':1,'de':1}",
	    { "ab: has a name that is not allowed",
	        "de: has a name that is not allowed" } },
	/* of alternatives it is the whole that fails */
	{ "{'properties':{'a':{'anyOf':[{'type':'null'},{'minimum':3}]}}}",
	    "{'a':1}", { "a: has none of the forms allowed" } },
	{ "{'oneOf':[true,true]}", "1",
	    { ": has more than one of the forms allowed" } },
	{ "{'not':{}}", "1", { ": has a form that is not allowed" } },
	{ "{'contains':{'const':1},'minContains':2}", "[1]",
	    { ": must contain at least 2 items of the form asked for" } },
	{ "{'allOf':[{'required':['a']},{'required':['b']}]}", "{}",
	    { "a: is required", "b: is required" } },
	{ "{'unevaluatedProperties':false}", "{'a':1}",
	    { "a: is not allowed" } },
};

static void
test_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < VYX_COUNT(reports); i++) {
		struct vyx_schema *s = load(reports[i].schema, NEW);
		json_t *d = doc(reports[i].doc);
		struct told t;
		unsigned n = 0, hit = 0;

		assert_false(check(s, d, &t));
		for (; n < 8 && reports[i].said[n]; n++)
			for (unsigned k = 0; k < t.n; k++)
				hit += !strcmp(t.line[k], reports[i].said[n]);
		if (n != t.n || hit != n)
			fail_msg("%s: %s: %u told, %u as expected: %s",
			    reports[i].schema, reports[i].doc, t.n, hit,
			    t.line[0]);
		json_decref(d);
		vyx_schema_free(s);
	}
}

/* `head`, `part` n times with commas between, `tail`. */
static struct vyx_str
many(struct vyx_buf *b, const char *head, const char *part, size_t n,
    const char *tail)
{
	b->n = 0;
	vyx_buf_puts(b, head);
	for (size_t i = 0; i < n; i++) {
		if (i)
			vyx_buf_putc(b, ',');
		vyx_buf_puts(b, part);
	}
	vyx_buf_puts(b, tail);
	return vyx_buf_str(b);
}

/* `open` n times, `in`, `close` n times. */
static struct vyx_str
nest(struct vyx_buf *b, const char *open, const char *in, const char *close,
    size_t n)
{
	b->n = 0;
	for (size_t i = 0; i < n; i++)
		vyx_buf_puts(b, open);
	vyx_buf_puts(b, in);
	for (size_t i = 0; i < n; i++)
		vyx_buf_puts(b, close);
	return vyx_buf_str(b);
}

/* There are 32 reports at most, and they are cut between characters. */
static void
test_reports_end(void **state)
{
	struct vyx_buf b = { .max = 0 };
	struct vyx_schema *s = load("{'items':false}", NEW);
	json_t *d = doc_text(many(&b, "[", "1", 1000, "]"));
	struct told t;

	(void)state;
	assert_false(check(s, d, &t));
	assert_int_equal(t.n, VYX_SCHEMA_REPORTS);
	assert_string_equal(t.line[31], "[31]: is not allowed");
	json_decref(d);
	vyx_schema_free(s);

	s = load("{'additionalProperties':false,'enum':[1]}", NEW);
	/* names of two bytes a character, at both parities */
	for (int odd = 0; odd < 2; odd++) {
		b.n = 0;
		vyx_buf_puts(&b, odd ? "{\"a" : "{\"");
		for (int i = 0; i < 1000; i++)
			vyx_buf_puts(&b, "\xc3\xa9");
		vyx_buf_puts(&b, "\":1}");
		d = doc_text(vyx_buf_str(&b));
		assert_false(check(s, d, &t));
		assert_int_equal(t.n, 2);
		assert_true(strlen(t.line[0]) + strlen(t.line[1]) < 600);
		json_decref(d);
	}
	vyx_schema_free(s);

	/* what is quoted of a schema as well */
	for (int odd = 0; odd < 2; odd++) {
		b.n = 0;
		vyx_buf_puts(&b, odd ? "{\"pattern\":\"a" : "{\"pattern\":\"");
		for (int i = 0; i < 200; i++)
			vyx_buf_puts(&b, "\xc3\xa9");
		vyx_buf_puts(&b, "\"}");
		s = load_text(vyx_buf_str(&b), NULL);
		d = doc("''");
		assert_false(check(s, d, &t));
		json_decref(d);
		vyx_schema_free(s);
	}
	s = load_text(many(&b, "{\"enum\":[", "\"\xc3\xa9\"", 5000, "]}"),
	    NULL);
	d = doc("1");
	assert_false(check(s, d, &t));
	assert_true(strlen(t.line[0]) < 256);
	assert_memory_equal(t.line[0] + strlen(t.line[0]) - 3, "...", 3);
	json_decref(d);
	vyx_schema_free(s);
	vyx_buf_free(&b);
}

/* Documents that are refused before any schema sees them. */
static void
test_documents(void **state)
{
	static const struct {
		const char *text, *at, *why;
	} wrong[] = {
		{ "", "line 1", "not JSON" },
		{ "{'a':1,'a':1}", "line 1", "duplicate" },
		{ "{'a':{'b':1,'\\u0062':1}}", "line 1", "duplicate" },
		{ "{'a\\u0000':1}", "line 1", "NUL" },
		{ "[1,]", "line 1", "not JSON" },
		{ "\n\n[1", "line 3", "not JSON" },
		{ "1 2", "line 1", "not JSON" },
		{ "01", "line 1", "not JSON" },
		{ "NaN", "line 1", "not JSON" },
		{ "'\xc0\x80'", "line 1", "decode byte" },
		{ "'\\ud800'", "line 1", "not JSON" },
		{ "1e400", "line 1", "overflow" },
		{ "-1e400", "line 1", "overflow" },
	};
	struct vyx_buf b = { .max = 0 };
	struct vyx_schema_error e;
	char text[64];

	(void)state;
	for (size_t i = 0; i < VYX_COUNT(wrong); i++) {
		json_t *d =
		    vyx_schema_doc(quoted(wrong[i].text, text, sizeof(text)),
		        &e);

		if (d || strcmp(e.at, wrong[i].at) != 0 ||
		    !strstr(e.why, wrong[i].why))
			fail_msg("%s: %s: %s", wrong[i].text, e.at, e.why);
	}
	json_decref(doc_text(nest(&b, "[", "1", "]", VYX_SCHEMA_DEPTH)));
	assert_null(vyx_schema_doc(nest(&b, "[", "1", "]",
	                               VYX_SCHEMA_DEPTH + 1),
	    &e));
	assert_non_null(strstr(e.why, "64 deep"));
	assert_null(vyx_schema_doc(nest(&b, "{\"a\":", "1", "}",
	                               VYX_SCHEMA_DEPTH + 1),
	    &e));
	/* far beyond what a recursion could take */
	assert_null(vyx_schema_doc(nest(&b, "[", "", "", 40000), &e));
	assert_non_null(strstr(e.why, "not JSON"));
	/* as many values as there may be, commas in texts not counted */
	assert_null(vyx_schema_doc(nest(&b, "[", "", "", VYX_SCHEMA_VALUES),
	    &e));
	assert_non_null(strstr(e.why, "more than 50000 values"));
	b.n = 0;
	vyx_buf_putc(&b, '"');
	for (int i = 0; i < VYX_SCHEMA_VALUES; i++)
		vyx_buf_puts(&b, "\\\",");
	vyx_buf_putc(&b, '"');
	json_decref(doc_text(vyx_buf_str(&b)));
	vyx_buf_free(&b);
}

static void
test_schemas_too_large(void **state)
{
	struct vyx_buf b = { .max = 0 };
	struct vyx_schema_error e;
	char *text = malloc(VYX_SCHEMA_TEXT + 1);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', VYX_SCHEMA_TEXT + 1);
	memcpy(text, "{}", 2);
	vyx_schema_free(load_text((struct vyx_str){ text, VYX_SCHEMA_TEXT },
	    NULL));
	assert_null(vyx_schema_load((struct vyx_str){ text,
	                                VYX_SCHEMA_TEXT + 1 },
	    NULL, &e));
	assert_non_null(strstr(e.why, "larger than"));
	free(text);

	/* the root is one */
	vyx_schema_free(load_text(many(&b, "{\"allOf\":[", "{}",
	                              VYX_SCHEMA_NODES - 1, "]}"),
	    NULL));
	refused(NEW, many(&b, "{\"allOf\":[", "{}", VYX_SCHEMA_NODES, "]}"),
	    "/allOf/9999", "more than 10000");

	vyx_schema_free(load_text(nest(&b, "{\"items\":", "{}", "}",
	                              VYX_SCHEMA_DEPTH - 1),
	    NULL));
	assert_null(vyx_schema_load(nest(&b, "{\"items\":", "{}", "}",
	                                VYX_SCHEMA_DEPTH),
	    NULL, &e));
	assert_non_null(strstr(e.why, "more than 64 deep"));
	assert_memory_equal(e.at, "/items/items", 12);
	assert_null(vyx_schema_load(nest(&b, "{\"not\":", "{}", "}", 1000),
	    NULL, &e));
	assert_null(vyx_schema_load(nest(&b, "[", "", "]", 1000000), NULL, &e));

	/* patterns that would be large once they are written out */
	refused(NEW, VYX_STR("{\"pattern\":\"((a{100}){100}){100}\"}"),
	    "/pattern", "too large");
	refused(NEW, VYX_STR("{\"pattern\":\"((){9999}){9999}\"}"), "/pattern",
	    "too many repeats");
	/* and each as large as one may be, together */
	vyx_schema_free(load_text(many(&b, "{\"allOf\":[",
	                              "{\"pattern\":\"a{8000}\"}",
	                              VYX_SCHEMA_PATTERNS / 8001, "]}"),
	    NULL));
	refused(NEW,
	    many(&b, "{\"allOf\":[", "{\"pattern\":\"a{8000}\"}",
	        VYX_SCHEMA_PATTERNS / 8001 + 1, "]}"),
	    "/allOf/32/pattern", "too large together");
	vyx_buf_free(&b);
}

/* References that wind through the definitions, 64 of them at most. */
static void
test_chains(void **state)
{
	struct vyx_buf b = { .max = 0 };

	(void)state;
	for (int links = 60; links <= 70; links += 10) {
		b.n = 0;
		vyx_buf_puts(&b, "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
		for (int i = 0; i < links; i++)
			vyx_buf_fmt(&b, "\"%d\":{\"$ref\":\"#/$defs/%d\"},", i,
			    i + 1);
		vyx_buf_fmt(&b, "\"%d\":{\"const\":1}}}", links);
		if (links < VYX_SCHEMA_DEPTH) {
			struct vyx_schema *s = load_text(vyx_buf_str(&b), NULL);

			expect(s, "chain", "1", 1);
			expect(s, "chain", "2", 0);
			vyx_schema_free(s);
		} else {
			struct vyx_schema_error e;

			assert_null(vyx_schema_load(vyx_buf_str(&b), NULL, &e));
			assert_non_null(strstr(e.why, "64 subschemas for one"));
		}
	}
	/* from the far end, where each walk is short */
	b.n = 0;
	vyx_buf_puts(&b, "{\"$defs\":{\"70\":{}");
	for (int i = 70; i-- > 0;)
		vyx_buf_fmt(&b, ",\"%d\":{\"$ref\":\"#/$defs/%d\"}", i, i + 1);
	vyx_buf_puts(&b, "}}");
	refused(NEW, vyx_buf_str(&b), "/$defs/5/$ref", "64 subschemas for one");
	/* a ring of many, each alone within bounds */
	refused(NEW,
	    VYX_STR("{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{"
	            "\"anyOf\":[true,{\"$ref\":\"#/$defs/c\"}]},\"c\":{"
	            "\"$ref\":\"#/$defs/a\"}}}"),
	    "/$defs/c/$ref", "leads back");
	vyx_buf_free(&b);
}

/* With `steps` there is no answer; with the default there may be. */
static void
spent(struct vyx_str schema, struct vyx_str text, uint64_t steps)
{
	const struct vyx_schema_opt opt = { .steps = steps,
		.format_assert = 1 };
	struct vyx_schema *s = load_text(schema, &opt);
	json_t *d = doc_text(text);
	struct told t;

	assert_false(check(s, d, &t));
	assert_string_equal(t.line[t.n - 1],
	    ": cannot be checked: it takes too many steps");
	json_decref(d);
	vyx_schema_free(s);
}

static void
enough(struct vyx_str schema, struct vyx_str text, uint64_t steps, int ok)
{
	const struct vyx_schema_opt opt = { .steps = steps,
		.format_assert = 1 };
	struct vyx_schema *s = load_text(schema, &opt);
	json_t *d = doc_text(text);
	struct told t;

	if (check(s, d, &t) != ok)
		fail_msg("%.80s: %s", schema.p, t.n ? t.line[t.n - 1] : "ok");
	json_decref(d);
	vyx_schema_free(s);
}

/* Each member of a chain is tried twice: 2^60 ways, but no more steps. */
static void
test_exponential(void **state)
{
	static const char *const words[] = { "allOf", "anyOf", "oneOf" };
	struct vyx_buf b = { .max = 0 };

	(void)state;
	for (size_t w = 0; w < VYX_COUNT(words); w++) {
		b.n = 0;
		vyx_buf_puts(&b, "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
		for (int i = 0; i < 30; i++)
			vyx_buf_fmt(&b,
			    "\"%d\":{\"%s\":[{\"$ref\":\"#/$defs/%d\"},{"
			    "\"$ref\":\"#/$defs/%d\"}]},",
			    i, words[w], i + 1, i + 1);
		vyx_buf_fmt(&b, "\"30\":{\"const\":%d}}}", w == 0);
		spent(vyx_buf_str(&b), VYX_STR("1"), 10000);
		spent(vyx_buf_str(&b), VYX_STR("1"), 0);
	}
	vyx_buf_free(&b);
	/* a `not` that was not ended is no yes */
	spent(VYX_STR("{\"not\":{\"items\":{\"enum\":[1,2,3,4,5,6,7,8]}}}"),
	    VYX_STR("[8,8,8,8,8,8,8,8]"), 20);
}

static void
test_linear(void **state)
{
	struct vyx_buf s = { .max = 0 }, d = { .max = 0 };
	struct vyx_str text;

	(void)state;
	/* patterns that backtracking would not end with */
	d.n = 0;
	vyx_buf_puts(&d, "\"");
	for (int i = 0; i < 10000; i++)
		vyx_buf_putc(&d, 'a');
	vyx_buf_puts(&d, "!\"");
	text = vyx_buf_str(&d);
	enough(VYX_STR("{\"pattern\":\"^(a+)+$\"}"), text, 10000 * 10, 0);
	enough(VYX_STR("{\"pattern\":\"^(a|a|aa)*$\"}"), text, 10000 * 15, 0);
	enough(VYX_STR("{\"pattern\":\"(.*)(.*)(.*)x\"}"), text, 10000 * 20, 0);
	spent(VYX_STR("{\"pattern\":\"^(a+)+$\"}"), text, 10000);
	/* the same items are found by what they are, not in pairs */
	many(&d, "[", "1", 0, "");
	for (int i = 0; i < 20000; i++)
		vyx_buf_fmt(&d, "%s%d", i ? "," : "", i);
	vyx_buf_puts(&d, "]");
	text = vyx_buf_str(&d);
	enough(VYX_STR("{\"uniqueItems\":true}"), text, 20000 * 3, 1);
	spent(VYX_STR("{\"uniqueItems\":true}"), text, 20000);
	/* a large enum costs its length for each item */
	many(&s, "{\"items\":{\"enum\":[", "1", 10000, "]}}");
	enough(vyx_buf_str(&s), many(&d, "[", "1", 100, "]"), 1000, 1);
	spent(vyx_buf_str(&s), many(&d, "[", "0", 100, "]"), 100000);
	/* what is hashed counts, however deep */
	many(&d, "[[", "0", 2000, "]]");
	spent(VYX_STR("{\"uniqueItems\":true}"), vyx_buf_str(&d), 1000);
	enough(VYX_STR("{\"uniqueItems\":true}"), vyx_buf_str(&d), 2010, 1);
	/* so does what is kept of each member, and each regex */
	many(&s, "{\"unevaluatedItems\":true,\"anyOf\":[", "true", 5000, "]}");
	spent(vyx_buf_str(&s), many(&d, "[", "0", 16000, "]"), 1000000);
	spent(VYX_STR("{\"items\":{\"format\":\"regex\"}}"),
	    many(&d, "[", "\"a{8000}\"", 1000, "]"), 1000000);
	vyx_buf_free(&s);
	vyx_buf_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keywords),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_reports_end),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_schemas_too_large),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_exponential),
		cmocka_unit_test(test_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
