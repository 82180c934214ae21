/* SPDX-License-Identifier: ISC */
#ifndef VYX_REG_COMMAND_H
#define VYX_REG_COMMAND_H

#include <stdio.h>

#include "sys/reg.h"

/*
 * vyx-reg - vyx-regd's client for people and pipelines.
 *
 *	main.c	options, the commands
 *	show.c	rows as people, tab-separated fields or JSON lines
 */

enum reg_form { REG_PEOPLE, REG_TABS, REG_JSON };

/* Fields of `table` in the order of vyx.h; how many. */
unsigned reg_columns(enum vyx_table table, enum vyx_field *cols);

/* One row in full: lines of name and value for people. */
void reg_show_row(enum reg_form form, const struct vyx_rec *r);

/* One record of a watch, a line each. */
void reg_show_change(enum reg_form form, const struct vyx_rec *r);

/* Rows of an ls, all of one table. People get them at reg_list_end, for
 * only then is it known how wide they are. */
struct reg_list {
	enum reg_form form;
	enum vyx_table table;
	struct vyx_buf cells; /* terminated, one after another */
	size_t rows;
};
void reg_list_row(struct reg_list *l, const struct vyx_rec *r);
void reg_list_end(struct reg_list *l);

#endif
