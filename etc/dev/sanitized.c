/* SPDX-License-Identifier: ISC */
/*
 * Linked into what `make asan` builds: where a report goes. Daemons start with
 * an environment of their own and a log as stderr, so a variable would not
 * reach them and nobody would look there; etc/dev/check looks here.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *__asan_default_options(void);
int __lsan_is_turned_off(void);
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

/*
 * The search for leaks stops its own process by ptrace(2), and waits for ever
 * when a SIGCONT comes between. s6-svc -d sends one behind its SIGTERM: so it
 * is for programs that a test starts itself.
 */
int
__lsan_is_turned_off(void)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/comm", (int)getppid());
	if ((f = fopen(path, "re")) != NULL) {
		if (!fgets(name, sizeof name, f))
			name[0] = 0;
		fclose(f);
	}
	return !strncmp(name, "s6-supervise", 12);
}
