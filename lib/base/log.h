/* SPDX-License-Identifier: ISC */
#ifndef VYX_BASE_LOG_H
#define VYX_BASE_LOG_H

#include "base/bytes.h"

/*
 * log - what a program says of itself: one JSON line an event, on stderr.
 *
 * Owns	    the order of the keys: level, timestamp, program, message, then
 *	    the caller's. Nobody else writes to stderr after readiness.
 * Needs    vyx_log_start() first. The wall clock, for the time stamp alone.
 * Cost	    one write(2) a line. A line that stderr does not take at once is
 *	    dropped and counted: a full log never stops a program.
 */

enum vyx_level { VYX_DEBUG, VYX_INFO, VYX_WARN, VYX_ERROR };

/* `program` is in each line; what is below `least` is not written. */
void vyx_log_start(const char *program, enum vyx_level least);

/* Key and value pairs of strings, then NULL. VYX_NUM() makes a number, which
 * is written without quotes. Secrets do not belong here. */
void vyx_log(enum vyx_level level, const char *message, ...)
    __attribute__((sentinel));

/* As vyx_log, with "error": the text of errno, as a last pair. */
void vyx_log_sys(enum vyx_level level, const char *message, ...)
    __attribute__((sentinel));

/* A number as a value of vyx_log; lives as long as the calling block. */
#define VYX_NUM(u) vyx_log_num((char[VYX_DEC + 2]){ 0 }, (uint64_t)(u))
const char *vyx_log_num(char *into, uint64_t u);

/* Lines dropped since the start. */
uint64_t vyx_log_dropped(void);

#endif
