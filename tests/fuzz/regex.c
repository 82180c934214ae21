/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "state/regex.h"

/*
 * A pattern, a newline, a text. What compiles gives the same answer twice, and
 * takes no more steps than its program times the text; with one step less than
 * it took there is no answer.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(x) ((x) ? (void)0 : abort())

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct vyx_str text = { (const char *)data, n }, pattern;
	struct vyx_regex_error e = { "", 0 };
	uint64_t most, left, took;
	struct vyx_regex *re;
	int got;

	pattern = vyx_str_cut(&text, '\n');
	if (!text.p)
		return 0;
	re = vyx_regex_compile(pattern, &e);
	CHECK(re || (*e.why && e.at <= pattern.n));
	if (!re)
		return 0;
	most = (text.n + 1) * (VYX_REGEX_PROG + 1);
	left = most;
	got = vyx_regex_match(re, text, &left);
	CHECK(got == 0 || got == 1);
	took = most - left;
	CHECK(took > 0);
	left = took;
	CHECK(vyx_regex_match(re, text, &left) == got && left == 0);
	left = took - 1;
	CHECK(vyx_regex_match(re, text, &left) == -1);
	vyx_regex_free(re);
	return 0;
}
