/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_DOORS_INT_H
#define VYX_SYS_DOORS_INT_H

#include "base/bytes.h"
#include "sys/doors.h"

/* doors_int - for doors.c and doors_open.c alone. Add a listening socket. */
int vyx_doors_add(struct vyx_doors *d, int fd, unsigned slot,
    struct vyx_str addr);

#endif
