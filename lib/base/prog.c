/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/prog.h"
#include "vyx.h"

static const struct vyx_prog *self;

/* clang-format off */
#define ROW(letter, arg, member, type, text) { letter, arg, text },
static const struct { char letter; const char *arg, *text; } letters[] = {
	VYX_OPTIONS(ROW)
};
/* clang-format on */

static int
taken(char letter)
{
	return strchr(self->letters, letter) || strchr("hV", letter);
}

static void
usage(FILE *to)
{
	fprintf(to, "usage: %s", self->name);
	for (size_t i = 0; i < VYX_COUNT(letters); i++)
		if (taken(letters[i].letter))
			fprintf(to, letters[i].arg ? " [-%c %s]" : " [-%c]",
			    letters[i].letter, letters[i].arg);
	fprintf(to, "%s%s\n", *self->operands ? " " : "", self->operands);
}

static void
help(void)
{
	printf("%s - %s\n", self->name, self->summary);
	usage(stdout);
	for (size_t i = 0; i < VYX_COUNT(letters); i++)
		if (taken(letters[i].letter))
			printf("  -%c %-6s %s\n", letters[i].letter,
			    letters[i].arg ? letters[i].arg : "",
			    letters[i].text);
	if (self->more)
		printf("%s", self->more);
	exit(fflush(stdout) ? VYX_SYSTEM : 0);
}

static void
version(void)
{
	printf("%s %s, protocol %d\n", self->name, VYX_VERSION, VYX_PROTO);
	exit(fflush(stdout) ? VYX_SYSTEM : 0);
}

/* The member that letter `c` sets, by its type: a string, or a count. */
static void
set(struct vyx_opt *o, int c)
{
	const char **text = NULL;
	int *count = NULL;

/* clang-format off */
#define CASE(letter, arg, member, type, doc) \
	case letter: \
		_Generic(o->member, int: count, default: text) = \
		    (void *)&o->member; \
		break;
	switch (c) {
	VYX_OPTIONS(CASE)
	default:
		usage(stderr);
		exit(VYX_USAGE);
	}
	/* clang-format on */
	if (text)
		*text = optarg;
	else
		++*count;
}

/* A descriptor that is not open would be given to the next socket. */
static void
hold_standard(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd < 3)
		continue;
	if (fd >= 0)
		close(fd);
}

int
vyx_prog_start(const struct vyx_prog *p, struct vyx_opt *o, int argc,
    char *const *argv)
{
	char accept[2 * VYX_COUNT(letters) + 3], *a = accept;
	int c;

	self = p;
	hold_standard();
	memset(o, 0, sizeof *o);
	if (argc > 1 && !strcmp(argv[1], "--help"))
		help();
	if (argc > 1 && !strcmp(argv[1], "--version"))
		version();
	*a++ = '+'; /* operands end the options: PROG... has its own */
	for (size_t i = 0; i < VYX_COUNT(letters); i++)
		if (taken(letters[i].letter)) {
			*a++ = letters[i].letter;
			if (letters[i].arg)
				*a++ = ':';
		}
	*a = 0;
	while ((c = getopt(argc, argv, accept)) != -1)
		set(o, c);
	if (o->help)
		help();
	if (o->version)
		version();
	if (optind < argc && !*p->operands) {
		usage(stderr);
		vyx_die(VYX_USAGE, "takes no operand, got '%s'", argv[optind]);
	}
	vyx_log_start(p->name, o->verbose ? VYX_DEBUG : VYX_INFO);
	return optind;
}

int
vyx_prog_command(const struct vyx_prog *p, struct vyx_opt *o, int argc,
    char **argv, const char **word)
{
	int ahead = argc > 1 && *argv[1] != '-', i;

	*word = NULL;
	if (ahead) {
		*word = argv[1];
		argv[1] = argv[0];
	}
	i = vyx_prog_start(p, o, argc - ahead, argv + ahead) + ahead;
	if (!*word && i < argc)
		*word = argv[i++];
	if (!*word)
		vyx_die(VYX_USAGE, "a command is needed: %s", p->operands);
	return i;
}

const char *
vyx_prog_run(const struct vyx_opt *o)
{
	const char *run = o->run ? o->run : getenv("VYX_RUN");

	return run && *run ? run : VYX_RUN_DEFAULT;
}

void
vyx_prog_socket(char *path, const struct vyx_opt *o, const char *name)
{
	const char *run = vyx_prog_run(o);
	int n = snprintf(path, VYX_PATH_MAX + 1, "%s/%s", run, name);

	if (n < 0 || n > VYX_PATH_MAX)
		vyx_die(VYX_USAGE,
		    "%s/%s: %d bytes are too many for a socket's path, %d "
		    "are allowed: choose a shorter run directory",
		    run, name, n, VYX_PATH_MAX);
}

uint64_t
vyx_prog_fds(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		vyx_die_sys(VYX_SYSTEM, "cannot read the descriptor limit");
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r))
		vyx_die_sys(VYX_SYSTEM, "cannot raise the descriptor limit");
	return r.rlim_cur;
}

void
vyx_prog_ready(struct vyx_opt *o)
{
	uint64_t fd;

	if (!o->notify)
		return;
	if (!vyx_dec_scan(VYX_STRZ(o->notify), INT32_MAX, &fd) || fd < 3)
		vyx_die(VYX_USAGE, "-n %s: a descriptor from 3 up is needed",
		    o->notify);
	if (write((int)fd, "\n", 1) != 1)
		vyx_log_sys(VYX_WARN, "cannot notify readiness", NULL);
	close((int)fd);
	o->notify = NULL;
}

static void __attribute__((format(printf, 1, 0)))
say(const char *fmt, va_list ap, const char *error)
{
	fprintf(stderr, "%s: ", self ? self->name : "vyx");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "%s%s\n", error ? ": " : "", error ? error : "");
}

void
vyx_die(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap, NULL);
	va_end(ap);
	exit(status);
}

void
vyx_die_sys(int status, const char *fmt, ...)
{
	const char *error = strerror(errno);
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap, error);
	va_end(ap);
	exit(status);
}
