/* SPDX-License-Identifier: ISC */
#ifndef VYX_TOKEN_H
#define VYX_TOKEN_H

#include "base/bytes.h"

/* The claims that operands `name=value` and `name:=json` say, as JSON text to
 * free, at Unix time `now`. Exits 100 when one cannot be read. */
char *claims_of(char *const *words, int n, int64_t now);

/* Now, or so long from now: now, +1h, -5m, or a number of seconds. */
int time_of(struct vyx_str s, int64_t now, int64_t *out);

/* All of a file, at most VYX_JWT_TEXT_MAX bytes; exits with `status`. */
void read_all(const char *path, int fd, struct vyx_buf *b, int status);

#endif
