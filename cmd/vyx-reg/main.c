/* SPDX-License-Identifier: ISC */
/* vyx-reg - vyx-regd's client for people and pipelines. */
#include <errno.h>
#include <stdlib.h>

#include "base/prog.h"
#include "base/units.h"
#include "reg.h"

#define LIMIT (5 * VYX_SEC)
#define PATIENCE (3600 * VYX_SEC) /* for the next change, then again */

#define NO 1 /* regd understood and refused: gone, conflict, denied */

static struct vyx_reg_sync reg;
static enum reg_form form;

static enum vyx_table
table_of(const char *name)
{
	enum vyx_table t = vyx_rec_table(VYX_STRZ(name));
	struct vyx_buf names = { 0 };

	if (t != VYX_T_NONE)
		return t;
	for (unsigned i = 1; i < VYX_T_COUNT; i++)
		vyx_buf_fmt(&names, " %s",
		    vyx_rec_table_name((enum vyx_table)i));
	vyx_die(VYX_USAGE, "no table '%s'; there are:%.*s", name, (int)names.n,
	    names.p);
}

static uint64_t
revision(const char *text)
{
	uint64_t rev;

	if (!vyx_dec_scan(VYX_STRZ(text), UINT64_MAX, &rev))
		vyx_die(VYX_USAGE, "'%s' is no revision", text);
	return rev;
}

/* Send what was asked. */
static void
ask(struct vyx_rec_out *o)
{
	if (!vyx_rec_end(o))
		vyx_die(VYX_USAGE,
		    "an operand is empty, too long or has a blank");
	if (!vyx_reg_sync_send(&reg))
		vyx_die_sys(VYX_SYSTEM, "vyx-regd");
}

/* The next record; a refusal ends the program. */
static const struct vyx_rec *
next(void)
{
	const struct vyx_rec *r = &reg.rec;
	struct vyx_str text;

	if (!vyx_reg_sync_recv(&reg)) {
		if (errno == EPROTO)
			vyx_die(VYX_SYSTEM, "vyx-regd: not understood: %s",
			    r->text ? r->text : "no record");
		if (errno == EPIPE)
			vyx_die(VYX_SYSTEM, "vyx-regd has ended");
		vyx_die_sys(VYX_SYSTEM, "vyx-regd");
	}
	if (r->verb != VYX_V_NO)
		return r;
	text = vyx_rec_str(r, VYX_F_TEXT);
	vyx_die(NO, "%.*s: %.*s", (int)vyx_rec_str(r, VYX_F_WHY).n,
	    vyx_rec_str(r, VYX_F_WHY).p, (int)text.n, text.p);
}

static struct vyx_rec_out
about(enum vyx_verb verb, const char *table)
{
	struct vyx_rec_out o = vyx_reg_sync_ask(&reg, verb);

	vyx_rec_putz(&o, VYX_F_TABLE, vyx_rec_table_name(table_of(table)));
	return o;
}

static void
ls(char *const *arg)
{
	struct reg_list l = { .form = form, .table = table_of(arg[0]) };
	struct vyx_buf last = { 0 };
	struct vyx_rec_out o;
	int more;

	do {
		const struct vyx_rec *r;

		o = about(VYX_V_LS, arg[0]);
		if (arg[1])
			vyx_rec_putz(&o, VYX_F_PREFIX, arg[1]);
		if (last.n)
			vyx_rec_puts(&o, VYX_F_AFTER, vyx_buf_str(&last));
		ask(&o);
		while ((r = next())->verb == VYX_V_ROW) {
			reg_list_row(&l, r);
			last.n = 0;
			if (!vyx_buf_putstr(&last, vyx_rec_str(r, VYX_F_KEY)))
				vyx_die_sys(VYX_SYSTEM, "ls");
		}
		more = vyx_rec_u(r, VYX_F_MORE) != 0;
	} while (more);
	vyx_buf_free(&last);
	reg_list_end(&l);
}

static void
get(char *const *arg)
{
	struct vyx_rec_out o = about(VYX_V_GET, arg[0]);

	vyx_rec_putz(&o, VYX_F_KEY, arg[1]);
	ask(&o);
	reg_show_row(form, next());
}

/* `watch TABLE... [from REV]`: for ever, a line flushed as it comes. */
static void
watch(char *const *arg)
{
	struct vyx_rec_out o = vyx_reg_sync_ask(&reg, VYX_V_WATCH);
	const struct vyx_rec *r;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; *arg; arg++) {
		if (!strcmp(*arg, "from") && arg[1] && !arg[2]) {
			vyx_rec_putu(&o, VYX_F_FROM, revision(arg[1]));
			break;
		}
		vyx_rec_putz(&o, VYX_F_TABLES,
		    vyx_rec_table_name(table_of(*arg)));
	}
	ask(&o);
	for (;;) {
		reg.until = vyx_now() + PATIENCE;
		while ((r = next())->verb == VYX_V_OK)
			continue; /* from where we said: changes follow */
		if (r->verb == VYX_V_CUT)
			vyx_die(NO, "cut: %.*s",
			    (int)vyx_rec_str(r, VYX_F_WHY).n,
			    vyx_rec_str(r, VYX_F_WHY).p);
		reg_show_change(form, r);
	}
}

/* The answer to a change: its revision, for a cas to come. */
static void
done(void)
{
	uint64_t rev = vyx_rec_u(next(), VYX_F_REV);

	if (printf(form == REG_JSON ? "{\"rev\":\"%llu\"}\n" : "%llu\n",
	        (unsigned long long)rev) < 0)
		vyx_die_sys(VYX_SYSTEM, "output");
}

/* Each col=value. A row that has an owner gets one: an operator. */
static void
put_columns(struct vyx_rec_out *o, const char *table, char *const *arg)
{
	enum vyx_table t = table_of(table);
	int owned = vyx_rec_column(t, VYX_F_OWNER) == 0;

	for (; *arg; arg++) {
		struct vyx_str v = VYX_STRZ(*arg), name = vyx_str_cut(&v, '=');
		enum vyx_field f = vyx_rec_field(name);

		if (!v.p)
			vyx_die(VYX_USAGE, "'%s' is not of the form col=value",
			    *arg);
		if (!vyx_rec_column(t, f))
			vyx_die(VYX_USAGE, "table %s has no column '%.*s'",
			    table, (int)name.n, name.p);
		owned |= f == VYX_F_OWNER;
		vyx_rec_puts(o, f, v);
		if (o->bad == EMSGSIZE)
			vyx_die(VYX_USAGE, "'%s': %s", *arg,
			    vyx_rec_field_type(f) == 'U'
			        ? "not a number, or too large"
			        : "too long, or no single word");
	}
	if (!owned)
		vyx_rec_putz(o, VYX_F_OWNER, "op");
}

static void
put(char *const *arg)
{
	struct vyx_rec_out o = about(VYX_V_PUT, arg[0]);

	vyx_rec_putz(&o, VYX_F_KEY, arg[1]);
	put_columns(&o, arg[0], arg + 2);
	ask(&o);
	done();
}

static void
del(char *const *arg)
{
	struct vyx_rec_out o = about(VYX_V_DEL, arg[0]);

	vyx_rec_putz(&o, VYX_F_KEY, arg[1]);
	ask(&o);
	done();
}

/* Put, but only over revision arg[2]; 0: only where there is no row yet. */
static void
cas(char *const *arg)
{
	struct vyx_rec_out o = about(VYX_V_PUT, arg[0]);

	vyx_rec_putz(&o, VYX_F_KEY, arg[1]);
	vyx_rec_putu(&o, VYX_F_IF_REV, revision(arg[2]));
	put_columns(&o, arg[0], arg + 3);
	ask(&o);
	done();
}

/* clang-format off */
#define COMMANDS(X) \
	X(ls,	 1, 2,	READ, "TABLE [PREFIX]",		   "rows, those whose key begins so") \
	X(get,	 2, 2,	READ, "TABLE KEY",		   "one row in full") \
	X(watch, 1, 99, READ, "TABLE... [from REV]",	   "all rows, then each change") \
	X(put,	 2, 99, OPS,  "TABLE KEY [COL=VALUE]...", "make or replace a row") \
	X(del,	 2, 2,	OPS,  "TABLE KEY",		   "delete a row") \
	X(cas,	 3, 99, OPS,  "TABLE KEY REV [COL=VALUE]...", "put if the row is at REV; 0: if there is none")

#define HELP(name, min, max, edge, operands, text) \
	"  " #name " " operands "\n      " text "\n"
#define ROW(name, min, max, edge, operands, text) \
	{ #name, min, max, VYX_E_##edge, operands, name },
/* clang-format on */

static const struct command {
	const char *name;
	int min, max;
	enum vyx_edge edge;
	const char *operands;
	void (*fn)(char *const *arg);
} commands[] = { COMMANDS(ROW) };

static const struct vyx_prog prog = { "vyx-reg", "dTtj",
	"COMMAND OPERAND... [-t|-j]", "asks and changes the registry",
	COMMANDS(HELP) };

static const struct command *
command(int n, char *const *arg)
{
	const struct command *c = commands;

	if (n == 0)
		vyx_die(VYX_USAGE, "a command is needed, see --help");
	for (; c < commands + VYX_COUNT(commands); c++)
		if (!strcmp(c->name, arg[0])) {
			if (n - 1 < c->min || n - 1 > c->max)
				vyx_die(VYX_USAGE, "usage: vyx-reg %s %s",
				    c->name, c->operands);
			return c;
		}
	vyx_die(VYX_USAGE, "no command '%s', see --help", arg[0]);
}

static void
reach(const struct vyx_opt *o, enum vyx_edge edge)
{
	int64_t limit = (int64_t)LIMIT;

	if (o->limit &&
	    (!vyx_dur_scan(VYX_STRZ(o->limit), &limit) || limit < 0))
		vyx_die(VYX_USAGE, "-T: '%s' is no time, such as 500ms",
		    o->limit);
	if (vyx_reg_connect(&reg, vyx_prog_run(o), edge, prog.name,
	        (uint64_t)limit))
		return;
	if (*reg.said)
		vyx_die(NO, "%s/%s: %s", vyx_prog_run(o),
		    vyx_rec_edge_socket(edge), reg.said);
	vyx_die_sys(VYX_SYSTEM, "%s/%s: no vyx-regd answers", vyx_prog_run(o),
	    vyx_rec_edge_socket(edge));
}

static int
form_of(const char *word, struct vyx_opt *o)
{
	if (!strcmp(word, "-j"))
		return o->json = 1;
	return !strcmp(word, "-t") ? (o->tabs = 1) : 0;
}

int
main(int argc, char **argv)
{
	struct vyx_opt opt;
	const struct command *c;
	int at = vyx_prog_start(&prog, &opt, argc, argv);

	/* `watch worker -j` too: the form is what one adds last */
	for (; argc > at && form_of(argv[argc - 1], &opt); argc--)
		argv[argc - 1] = NULL;
	c = command(argc - at, argv + at);
	form = opt.json ? REG_JSON : opt.tabs ? REG_TABS : REG_PEOPLE;
	table_of(argv[at + 1]); /* a wrong name needs no vyx-regd to be told */
	reach(&opt, c->edge);
	c->fn(argv + at + 1);
	vyx_reg_disconnect(&reg);
	if (fflush(stdout))
		vyx_die_sys(VYX_SYSTEM, "output");
	return 0;
}
