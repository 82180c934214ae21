#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The tools of development: etc/dev/check counts what fails, etc/dev/lint finds
# what it is for, etc/dev/deps asks for nothing when nothing is missing.
#
# Not tested here: that apt-get installs, cover, fuzz.

load lib/vyx

setup() {
	setup_run
}

teardown() {
	teardown_run
}

# tree - a part of the sources, here.
tree() {
	mkdir t
	(cd "$ROOT" && tar c Makefile etc/dev lib/vyx.h lib/base lib/wire \
	    cmd/vyx-hello man/vyx-hello.1 tests/lib tests/dev.bats) | tar x -C t
	cd t || return
}

# mini - a tree with nothing but the runner and these unit programs.
mini() {
	mkdir -p t/etc/dev t/tests/unit t/build/unit
	cp "$ROOT/etc/dev/check" t/etc/dev
	cd t || return
	local u
	for u; do
		: >"tests/unit/$u.c"
	done
	# bats would take a line that begins with it for a test of this file
	sed 's/^-/@/' >tests/some.bats <<-'BATS'
	-test "good one" { true; }
	-test "good two" { [ -z "${BREAK:-}" ]; }
	-test "left out" { skip "for a reason"; }
	BATS
	unset CHECK_SUM CHECK_SKIP CHECK_SLOW
}

@test "check adds units and bats up; nothing failed is exit 0" {
	mini a
	printf '#!/bin/sh\necho 1..2; echo ok 1 x; echo ok 2 y\n' >build/unit/a
	chmod +x build/unit/a
	run -0 etc/dev/check build
	assert_line --index -1 '4 passed, 0 failed'
	assert_line '1 skipped, see above'
}

@test "check counts a failed test, a crash, a report of a sanitizer" {
	mini a b
	printf '#!/bin/sh\necho ok 1 x; echo not ok 2 y\nexit 1\n' >build/unit/a
	printf '#!/bin/sh\necho ok 1 x; kill -SEGV $$\n' >build/unit/b
	chmod +x build/unit/*
	BREAK=1 run -1 etc/dev/check build
	assert_line --index -1 '3 passed, 3 failed'
	assert_line --partial 'not ok 2 good two'
	printf '#!/bin/sh\n%s\n' \
	    'echo leak >build/check/asan/report.vyx.1; echo ok 1 x' >build/unit/a
	run -1 etc/dev/check build
	assert_line --index -1 '4 passed, 2 failed'
	assert_line --partial leak
}

@test "check T chooses files by name, else tests by name, else says so" {
	mini a
	printf '#!/bin/sh\necho ok 1 x\n' >build/unit/a
	chmod +x build/unit/a
	run -0 etc/dev/check build some
	assert_line --index -1 '2 passed, 0 failed'
	run -0 etc/dev/check build 'good one'
	assert_line --index -1 '1 passed, 0 failed'
	run -1 etc/dev/check build nothing
	assert_line "no test has 'nothing' in its name"
}

@test "lint: each check finds what it is for" {
	local c
	tree
	cat >lib/wire/zz.c <<-'C'
	#include <stdlib.h>
	#include <unistd.h>
	#include "sys/loop.h"
	int vyx_zz(char *x);
	int vyx_zz(char *x) { int unused; char *p = malloc(10); p[10] = 1;
	  if (x); { x++; } /* TO-DO */ return atoi(x) + (int)getpid() + p[3]; }
	C
	sed -i 's/TO-DO/TO''DO/' lib/wire/zz.c
	{
		printf '/* SPDX-License-Identifier: ISC */\nint vyx_z(void);\n'
		printf 'int\nvyx_z(void)\n{\n'
		yes '	vyx_z();' | head -n 90
		printf '	return 0;\n}\n'
	} >lib/base/long.c
	printf '#!/bin/sh\n# SPDX-License-Identifier: ISC\nrm $x\n' >etc/dev/bad
	printf '.Dd\n' >man/zz.7
	for c in format spdx words lengths layers pure pages shell clang tidy \
	    cppcheck analyzer; do
		run -1 env B="$PWD/b" etc/dev/lint $c
		[[ $output == *"failed: $c"* ]]
		[[ $output =~ zz|vyx_z|etc/dev/bad ]] || fail "$c: $output"
	done
	run -100 etc/dev/lint nonsense
}

# made TARGET - with a prefix that has a blank, and nothing built anew
made() {
	make -s -C "$ROOT" -o all B="$VYX_BUILD" DESTDIR="$PWD/to" \
	    PREFIX='/opt/our own' "$1"
}

@test "install and uninstall touch their prefix alone, also one with a blank" {
	chmod 755 "$WORK" # other users must pass, where root runs it
	mkdir -p to/opt/our
	touch to/opt/our/file
	made install
	# whoever runs it must find its templates
	run -0 "to/opt/our own/bin/vyx" -V
	run -0 "to/opt/our own/bin/vyx" tree -d "$RUN"
	[ -e "$RUN/sv/regd/run" ]
	[ -e 'to/opt/our own/share/man/man1/vyx.1' ]
	made uninstall
	run -0 find to -type f
	assert_output to/opt/our/file
}

@test "deps: nothing missing asks neither for root nor for apt-get" {
	mkdir bin
	printf '#!/bin/sh\necho installed\n' >bin/dpkg-query
	printf '#!/bin/sh\necho asked >>%s/asked\nexit 1\n' "$PWD" |
	    tee bin/apt-get bin/sudo >bin/id
	chmod +x bin/*
	PATH="$PWD/bin:$PATH" run -0 "$ROOT/etc/dev/deps" test
	assert_output ''
	[ ! -e asked ]
}

@test "deps: what is missing is named; another go or node does as well" {
	mkdir bin
	printf '#!/bin/sh\ncase $* in *golang-go*|*jq*) exit 1 ;; esac\n%s\n' \
	    'echo installed' >bin/dpkg-query
	printf '#!/bin/sh\n' >bin/go
	chmod +x bin/*
	PATH="$PWD/bin:$PATH" run -1 "$ROOT/etc/dev/deps" test -n
	assert_output ' jq'
	run -100 "$ROOT/etc/dev/deps"
}
