/* SPDX-License-Identifier: ISC */
#ifndef VYX_SYS_REG_KEYS_H
#define VYX_SYS_REG_KEYS_H

#include "wire/rec.h"

/*
 * reg_keys - the keys of the rows that a watcher was told of.
 *
 * Owns	    a hash table. So that a snapshot can tell what is no more.
 * Returns  1 when done; 0 when refused, errno says why.
 * Cost	    one hash probe; a sweep is one pass.
 */

struct vyx_reg_keys;

struct vyx_reg_keys *vyx_reg_keys_new(void);
void vyx_reg_keys_free(struct vyx_reg_keys *k);

/* Add a key, or mark it seen. ENOMEM. */
int vyx_reg_keys_add(struct vyx_reg_keys *k, enum vyx_table t,
    struct vyx_str key);

/* Forget one. 0: it was not known. */
int vyx_reg_keys_del(struct vyx_reg_keys *k, enum vyx_table t,
    struct vyx_str key);

/* Make all unseen; then forget, and tell, those that are still unseen. */
void vyx_reg_keys_age(struct vyx_reg_keys *k);
void vyx_reg_keys_sweep(struct vyx_reg_keys *k,
    void (*gone)(void *arg, enum vyx_table t, struct vyx_str key), void *arg);

#endif
