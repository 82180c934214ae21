/* SPDX-License-Identifier: ISC */
/* regex_property - \p{ }: the general categories of Unicode. */
#include "regex_int.h"

#include "regex_gc.h"

/* clang-format off */
#define BIT(gc) (UINT32_C(1) << GC_##gc)
#define LC (BIT(Lu) | BIT(Ll) | BIT(Lt))
#define L (LC | BIT(Lm) | BIT(Lo))
#define M (BIT(Mn) | BIT(Mc) | BIT(Me))
#define N (BIT(Nd) | BIT(Nl) | BIT(No))
#define P (BIT(Pc) | BIT(Pd) | BIT(Ps) | BIT(Pe) | BIT(Pi) | BIT(Pf) | BIT(Po))
#define S (BIT(Sm) | BIT(Sc) | BIT(Sk) | BIT(So))
#define Z (BIT(Zs) | BIT(Zl) | BIT(Zp))
#define C (BIT(Cc) | BIT(Cf) | BIT(Cs) | BIT(Co) | BIT(Cn))

/* Names and aliases: Unicode Character Database, PropertyValueAliases. */
static const struct {
	const char *name, *other;
	uint32_t set;
} names[] = {
	{ "L", "Letter", L },
	{ "LC", "Cased_Letter", LC },
	{ "Lu", "Uppercase_Letter", BIT(Lu) },
	{ "Ll", "Lowercase_Letter", BIT(Ll) },
	{ "Lt", "Titlecase_Letter", BIT(Lt) },
	{ "Lm", "Modifier_Letter", BIT(Lm) },
	{ "Lo", "Other_Letter", BIT(Lo) },
	{ "M", "Mark", M },
	{ "M", "Combining_Mark", M },
	{ "Mn", "Nonspacing_Mark", BIT(Mn) },
	{ "Mc", "Spacing_Mark", BIT(Mc) },
	{ "Me", "Enclosing_Mark", BIT(Me) },
	{ "N", "Number", N },
	{ "Nd", "Decimal_Number", BIT(Nd) },
	{ "Nd", "digit", BIT(Nd) },
	{ "Nl", "Letter_Number", BIT(Nl) },
	{ "No", "Other_Number", BIT(No) },
	{ "P", "Punctuation", P },
	{ "P", "punct", P },
	{ "Pc", "Connector_Punctuation", BIT(Pc) },
	{ "Pd", "Dash_Punctuation", BIT(Pd) },
	{ "Ps", "Open_Punctuation", BIT(Ps) },
	{ "Pe", "Close_Punctuation", BIT(Pe) },
	{ "Pi", "Initial_Punctuation", BIT(Pi) },
	{ "Pf", "Final_Punctuation", BIT(Pf) },
	{ "Po", "Other_Punctuation", BIT(Po) },
	{ "S", "Symbol", S },
	{ "Sm", "Math_Symbol", BIT(Sm) },
	{ "Sc", "Currency_Symbol", BIT(Sc) },
	{ "Sk", "Modifier_Symbol", BIT(Sk) },
	{ "So", "Other_Symbol", BIT(So) },
	{ "Z", "Separator", Z },
	{ "Zs", "Space_Separator", BIT(Zs) },
	{ "Zl", "Line_Separator", BIT(Zl) },
	{ "Zp", "Paragraph_Separator", BIT(Zp) },
	{ "C", "Other", C },
	{ "Cc", "Control", BIT(Cc) },
	{ "Cc", "cntrl", BIT(Cc) },
	{ "Cf", "Format", BIT(Cf) },
	{ "Cs", "Surrogate", BIT(Cs) },
	{ "Co", "Private_Use", BIT(Co) },
	{ "Cn", "Unassigned", BIT(Cn) },
};
/* clang-format on */

static int
add_set(struct vyx_regex_parse *p, uint32_t set)
{
	size_t begin = vyx_regex_class_begin(p);
	uint32_t last, from;

	for (size_t i = 0; i < VYX_COUNT(gc_runs); i++) {
		if (!(set >> (gc_runs[i] & 31) & 1))
			continue;
		from = gc_runs[i] >> 5;
		last = i + 1 < VYX_COUNT(gc_runs) ? (gc_runs[i + 1] >> 5) - 1
		                                  : VYX_REGEX_LAST;
		/* runs that touch are one range, which saves room */
		if (p->re->ranges > begin &&
		    p->re->range[p->re->ranges - 1].hi + 1 == from)
			p->re->range[p->re->ranges - 1].hi = last;
		else if (!vyx_regex_class_add(p, from, last))
			return 0;
	}
	return 1;
}

int
vyx_regex_property(struct vyx_regex_parse *p, struct vyx_str name, int negated)
{
	size_t from = vyx_regex_class_begin(p);
	struct vyx_str value = name, key = vyx_str_cut(&value, '=');
	int got = 0;

	if (!value.p)
		value = name;
	else if (!vyx_str_eq(key, VYX_STR("gc")) &&
	    !vyx_str_eq(key, VYX_STR("General_Category")))
		value = VYX_STR("");
	if (vyx_str_eq(name, VYX_STR("Any")))
		got = vyx_regex_class_add(p, 0, VYX_REGEX_LAST);
	else if (vyx_str_eq(name, VYX_STR("ASCII")))
		got = vyx_regex_class_add(p, 0, 127);
	for (size_t i = 0; i < VYX_COUNT(names) && !got && !p->why; i++)
		if (vyx_str_eq(value, VYX_STRZ(names[i].name)) ||
		    vyx_str_eq(value, VYX_STRZ(names[i].other)))
			got = add_set(p, names[i].set);
	if (!got)
		return vyx_regex_fail(p,
		    "of properties, \\p{ } knows general categories, Any and "
		    "ASCII");
	return !negated || vyx_regex_class_invert(p, from);
}
