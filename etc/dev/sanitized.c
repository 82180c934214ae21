/* SPDX-License-Identifier: ISC */
/*
 * Linked into what `make asan` builds: where a report goes. Daemons start with
 * an environment of their own and a log as stderr, so a variable would not
 * reach them and nobody would look there; etc/dev/check looks here.
 */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "log_path=" SANITIZED_LOG ":log_exe_name=1:detect_leaks=1";
}

const char *
__ubsan_default_options(void)
{
	return "log_path=" SANITIZED_LOG ":log_exe_name=1:print_stacktrace=1";
}
