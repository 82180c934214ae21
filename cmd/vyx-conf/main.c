/* SPDX-License-Identifier: ISC */
/* vyx-conf - check the configuration, show it, bring it into vyx-regd. */
#include <stdio.h>
#include <stdlib.h>

#include "conf.h"

static const struct vyx_prog prog = {
	.name = "vyx-conf",
	.letters = "fdTtjv",
	.operands = "check | json | diff | apply | get KEY | keys",
	.summary = "check, show and apply vyx.yaml",
	.more = "  check    tell what is wrong, with file and line\n"
	        "  json     print the effective configuration\n"
	        "  diff     print what apply would change; 1: something\n"
	        "  apply    bring it into vyx-regd, whole or not at all\n"
	        "  get KEY  print one effective value\n"
	        "  keys     print every key with type, default and meaning\n",
};

enum command { CHECK, JSON, DIFF, APPLY, GET, KEYS, COMMANDS };
static const char *const names[] = { "check", "json", "diff", "apply", "get",
	"keys" };

static enum command
command(const char *word)
{
	enum command c = CHECK;

	while (c < COMMANDS && strcmp(names[c], word))
		c++;
	if (c == COMMANDS)
		vyx_die(VYX_USAGE,
		    "%s is no command: check, json, diff, apply, "
		    "get or keys",
		    word);
	return c;
}

static const char *
file(const struct vyx_opt *o)
{
	const char *env = getenv("VYX_CONFIG");

	return o->file ? o->file : env && *env ? env : "vyx.yaml";
}

static int
run(enum command c, struct loaded *l, const struct vyx_opt *o, const char *key)
{
	struct vyx_opt plain = { 0 };

	load(l, file(o));
	/* -t and -j are for what the command itself prints */
	show_notes(&l->conf.notes, c == CHECK ? o : &plain);
	if (l->conf.notes.errors)
		return VYX_CONFIG;
	if (c == JSON)
		show_json(l);
	else if (c == GET && !show_value(l, key))
		vyx_die(VYX_USAGE, "%s is no key: vyx-conf keys lists them",
		    key);
	else if (c == DIFF)
		return diff(l, o);
	else if (c == APPLY)
		return apply(l, o);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct loaded l;
	struct vyx_opt o;
	enum command c;
	const char *word;
	int i = vyx_prog_command(&prog, &o, argc, argv, &word), status = 0;

	c = command(word);
	if (argc - i != (c == GET))
		vyx_die(VYX_USAGE,
		    c == GET ? "get: one key is needed" : "%s takes no operand",
		    word);
	if (c == KEYS)
		show_keys(&o);
	else
		status = run(c, &l, &o, c == GET ? argv[i] : NULL);
	vyx_conf_free(&l.conf);
	if (fflush(stdout) || ferror(stdout))
		vyx_die_sys(VYX_SYSTEM, "cannot write");
	return status;
}
