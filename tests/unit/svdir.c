/* SPDX-License-Identifier: ISC */
/* svdir: a directory is there whole, or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/svdir.h"

static char dir[32];

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svdir.XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
remove_dir(void **state)
{
	(void)state;
	return !vyx_svdir_remove("/tmp", dir + strlen("/tmp/"));
}

static int
there(const char *path)
{
	char full[256];

	snprintf(full, sizeof full, "%s/%s", dir, path);
	return access(full, F_OK) == 0;
}

static mode_t
mode_of(const char *path)
{
	char full[256];
	struct stat st;

	snprintf(full, sizeof full, "%s/%s", dir, path);
	assert_int_equal(stat(full, &st), 0);
	return st.st_mode & 07777;
}

static void
fill(struct vyx_svdir *d, const char *name)
{
	vyx_svdir_begin(d, dir, name, 02710);
	vyx_svdir_file(d, "run", 0755, VYX_STR("#!/bin/sh\n"));
	vyx_svdir_number(d, "timeout-kill", 5000);
	vyx_svdir_dir(d, "log", 0755);
	vyx_svdir_file(d, "log/run", 0755, VYX_STR("#!/bin/sh\nexec cat\n"));
	vyx_svdir_owner(d, getuid(), getgid());
}

static void
whole(void **state)
{
	struct vyx_svdir d;
	char text[64];

	(void)state;
	umask(077);
	fill(&d, "api@1");
	assert_false(there("api@1"));
	assert_true(vyx_svdir_end(&d));
	assert_int_equal(mode_of("api@1"), 02710);
	assert_int_equal(mode_of("api@1/run"), 0755);
	assert_int_equal(mode_of("api@1/log"), 0755);
	assert_false(there(".new.api@1"));
	assert_int_equal(vyx_svdir_read(dir, "api@1/timeout-kill", text, 63),
	    4);
	assert_string_equal(text, "5000");
	assert_int_equal(vyx_svdir_read(dir, "api@1/none", text, 63), -1);
}

static void
nothing_at_all(void **state)
{
	struct vyx_svdir d;

	(void)state;
	fill(&d, "api@2");
	vyx_svdir_file(&d, "no/such", 0644, VYX_STR("x")); /* no directory */
	vyx_svdir_file(&d, "late", 0644, VYX_STR("x"));
	assert_false(vyx_svdir_end(&d));
	assert_int_equal(errno, ENOENT);
	assert_false(there("api@2"));
	assert_false(there(".new.api@2"));

	vyx_svdir_begin(&d, "/nonexistent", "a", 0755);
	vyx_svdir_file(&d, "run", 0755, VYX_STR("x"));
	assert_false(vyx_svdir_end(&d));
	assert_int_equal(errno, ENOENT);

	vyx_svdir_begin(&d, dir, "../outside", 0755);
	assert_false(vyx_svdir_end(&d));
	assert_int_equal(errno, ENAMETOOLONG);
}

static void
what_was_there_stays(void **state)
{
	struct vyx_svdir d;
	char text[64];

	(void)state;
	fill(&d, "api@3");
	assert_true(vyx_svdir_end(&d));
	vyx_svdir_begin(&d, dir, "api@3", 0755);
	vyx_svdir_file(&d, "run", 0755, VYX_STR("other"));
	assert_false(vyx_svdir_end(&d));
	assert_int_equal(errno, EEXIST);
	assert_int_equal(vyx_svdir_read(dir, "api@3/run", text, 63), 9);
	assert_false(there(".new.api@3"));
}

static void
leftovers_do_not_matter(void **state)
{
	struct vyx_svdir d;

	(void)state;
	fill(&d, "api@4"); /* and here its maker died */
	close(d.fd);
	close(d.parent);
	assert_true(there(".new.api@4"));
	fill(&d, "api@4");
	assert_true(vyx_svdir_end(&d));
	assert_true(there("api@4/log/run"));
}

static void
removal_follows_no_link(void **state)
{
	char from[256], to[256];
	struct vyx_svdir d;

	(void)state;
	fill(&d, "api@5");
	assert_true(vyx_svdir_end(&d));
	fill(&d, "keep");
	assert_true(vyx_svdir_end(&d));
	snprintf(to, sizeof to, "%s/keep", dir);
	snprintf(from, sizeof from, "%s/api@5/link", dir);
	assert_int_equal(symlink(to, from), 0);
	assert_true(vyx_svdir_remove(dir, "api@5"));
	assert_false(there("api@5"));
	assert_false(there(".old.api@5"));
	assert_true(there("keep/run"));
	assert_false(vyx_svdir_remove(dir, "api@5"));
	assert_int_equal(errno, ENOENT);
}

static void
files_are_replaced_whole(void **state)
{
	char text[64];

	(void)state;
	assert_true(vyx_svdir_write(dir, "gen", VYX_STR("12345\n")));
	assert_true(vyx_svdir_write(dir, "gen", VYX_STR("7\n")));
	assert_int_equal(vyx_svdir_read(dir, "gen", text, 63), 1);
	assert_string_equal(text, "7");
	assert_int_equal(vyx_svdir_read(dir, "gen", text, 0), 0);
	assert_string_equal(text, "");
	assert_false(there(".new.gen"));
	assert_false(vyx_svdir_write("/nonexistent", "gen", VYX_STR("7")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(what_was_there_stays),
		cmocka_unit_test(leftovers_do_not_matter),
		cmocka_unit_test(removal_follows_no_link),
		cmocka_unit_test(files_are_replaced_whole),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
