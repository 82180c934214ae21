/* SPDX-License-Identifier: ISC */
#ifndef VYX_BASE_PROG_H
#define VYX_BASE_PROG_H

#include "base/log.h"

/*
 * prog - the frame of every program: options, usage, the four ways to fail.
 * The one library module that prints and exits, for main() alone.
 *
 * Owns	    the option letters: one table for the whole toolkit.
 * Needs    to be first in main().
 * Returns  or exits: 0 after -h and -V, 100 for wrong usage.
 */

/*	  letter argument  member    type    meaning */
#define VYX_OPTIONS(X)                                                         \
	X('d', "dir", run, const char *,                                       \
	    "run directory; else $VYX_RUN, "                                   \
	    "else /tmp/vyx")                                                   \
	X('f', "file", file, const char *,                                     \
	    "configuration; else "                                             \
	    "$VYX_CONFIG, else vyx.yaml")                                      \
	X('s', "dir", state, const char *, "state directory")                  \
	X('n', "fd", notify, const char *, "write a newline there when ready") \
	X('T', "time", limit, const char *, "time limit, such as 500ms or 2s") \
	X('w', "count", processes, const char *, "how many processes")         \
	X('i', "name", name, const char *, "name of this process or slot")     \
	X('a', "name", alg, const char *, "algorithm of tokens, as HS256")     \
	X('K', "file", key, const char *, "key: a file, or /dev/fd/N")         \
	X('k', NULL, keep, int, "give the connection back after exit 0")       \
	X('t', NULL, tabs, int, "tab-separated, for scripts")                  \
	X('j', NULL, json, int, "JSON lines, for jq")                          \
	X('v', NULL, verbose, int, "say more")                                 \
	X('h', NULL, help, int, "this help")                                   \
	X('V', NULL, version, int, "print the version")

/* What was given; a member is NULL or 0 where its letter was not. */
struct vyx_opt {
#define VYX_OPT_MEMBER(letter, arg, member, type, text) type member;
	VYX_OPTIONS(VYX_OPT_MEMBER)
#undef VYX_OPT_MEMBER
};

struct vyx_prog {
	const char *name;
	const char *letters;  /* those it takes, besides h and V: "dnv" */
	const char *operands; /* "WORKER PROG...", "" for none */
	const char *summary;  /* one line for --help */
	const char *more;     /* further lines of --help, or NULL */
};

/*
 * Read the options. Returns the index of the first operand. -h, --help, -V
 * and --version are answered, wrong ones refused, here. Starts the log, and
 * sees to it that descriptors 0 to 2 are open.
 */
int vyx_prog_start(const struct vyx_prog *p, struct vyx_opt *o, int argc,
    char *const *argv);

/*
 * The same for a program whose first operand is a command, *word: options may
 * stand before or behind it. Exits 100 when there is none.
 */
int vyx_prog_command(const struct vyx_prog *p, struct vyx_opt *o, int argc,
    char **argv, const char **word);

/* The run directory: -d, else $VYX_RUN, else VYX_RUN_DEFAULT. */
const char *vyx_prog_run(const struct vyx_opt *o);

/* RUN/name into path[VYX_PATH_MAX + 1]; exits 100 when that is too long for
 * a socket. */
void vyx_prog_socket(char *path, const struct vyx_opt *o, const char *name);

/* As many descriptors as we may have; how many that is. Exits 111. */
uint64_t vyx_prog_fds(void);

/* Write the readiness newline to -n, once, and close it. */
void vyx_prog_ready(struct vyx_opt *o);

/* "NAME: text" on stderr, for people; then exit. */
enum { VYX_USAGE = 100, VYX_BUG = 101, VYX_CONFIG = 102, VYX_SYSTEM = 111 };
void vyx_die(int status, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* The same with the text of errno behind it. */
void vyx_die_sys(int status, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

#endif
