/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define LINE 4096   /* PIPE_BUF: a line is written whole or not at all */
#define NUMBER '\1' /* first byte of what VYX_NUM made */

static const char *const levels[] = { "debug", "info", "warn", "error" };
static const char *self = "vyx";
static enum vyx_level threshold = VYX_INFO;
static uint64_t dropped;

void
vyx_log_start(const char *program, enum vyx_level least)
{
	self = program;
	threshold = least;
}

const char *
vyx_log_num(char *into, uint64_t u)
{
	into[0] = NUMBER;
	into[1 + vyx_dec_fmt(into + 1, u)] = 0;
	return into;
}

static void
pair(struct vyx_buf *b, const char *key, const char *value)
{
	size_t start = b->n;
	int ok = vyx_buf_puts(b, ",\"") && vyx_buf_puts(b, key);

	if (value[0] == NUMBER)
		ok = ok && vyx_buf_puts(b, "\":") && vyx_buf_puts(b, value + 1);
	else
		ok = ok && vyx_buf_puts(b, "\":\"") &&
		    vyx_buf_json(b, VYX_STRZ(value)) && vyx_buf_putc(b, '"');
	if (!ok)
		b->n = start; /* too long a line loses pairs, not its form */
}

static void
head(struct vyx_buf *b, enum vyx_level level, const char *message)
{
	struct timespec t;
	struct tm tm;
	char stamp[32];

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	vyx_buf_fmt(b, "{\"level\":\"%s\",\"timestamp\":\"%s.%03ldZ\"",
	    levels[level], stamp, t.tv_nsec / 1000000);
	pair(b, "program", self);
	pair(b, "message", message);
}

static void
line(enum vyx_level level, const char *message, va_list ap, const char *error)
{
	char bytes[LINE];
	struct vyx_buf b = { .p = bytes, .cap = LINE - 2, .max = LINE - 2 };
	const char *key;
	ssize_t n;

	head(&b, level, message);
	while ((key = va_arg(ap, const char *)) != NULL)
		pair(&b, key, va_arg(ap, const char *));
	if (error)
		pair(&b, "error", error);
	memcpy(b.p + b.n, "}\n", 2);
	do
		n = write(2, b.p, b.n + 2);
	while (n == -1 && errno == EINTR);
	dropped += n == -1;
}

void
vyx_log(enum vyx_level level, const char *message, ...)
{
	va_list ap;
	int e = errno;

	if (level >= threshold) {
		va_start(ap, message);
		line(level, message, ap, NULL);
		va_end(ap);
	}
	errno = e;
}

void
vyx_log_sys(enum vyx_level level, const char *message, ...)
{
	va_list ap;
	int e = errno;

	if (level >= threshold) {
		va_start(ap, message);
		line(level, message, ap, strerror(e));
		va_end(ap);
	}
	errno = e;
}

uint64_t
vyx_log_dropped(void)
{
	return dropped;
}
