#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# lib/vyx.h is the map: what it says is what the code does and the pages say.
#
# Not tested here: that a field means what its row says.

load lib/vyx

setup() {
	setup_run
	cd "$ROOT"
}

teardown() {
	teardown_run
}

# rows TABLE [COLUMN] - the rows of a table of the map, or one column of them.
rows() {
	etc/dev/map -v only="$1" lib/vyx.h lib/wire/rec.h | cut -f "${2:-1-}"
}

# used PREFIX TABLE - each id of the table stands in code, outside of the codec.
used() {
	rows "$2" 1 | while read -r id; do
		grep -rqw --include='*.[ch]' --exclude='rec*.[ch]' \
		    "$1_$id" cmd lib || echo "nobody uses $1_$id"
	done
}


@test "make map prints every table of the header" {
	run -0 make -s map
	sed -n 's/^#define VYX_\([A-Z]*\)(X).*/\1/p' lib/vyx.h >"$WORK/tables"
	[ -s "$WORK/tables" ]
	while read -r t; do
		assert_line "$t"
		[ -n "$(rows "$t")" ]
	done <"$WORK/tables"
	[ "$(rows FIELDS | wc -l)" -gt 60 ]
	# a row over several lines is one line here
	[[ "$(rows TABLES | grep ^WORKER)" == *'command dir '*' drain '* ]]
}

@test "each process is a program here, each daemon has its directory and page" {
	run rows PROCS 2
	assert_line vyx-regd
	for p in $output; do
		[ -d "cmd/$p" ] || fail "no cmd/$p"
		ls man/"$p".[18] >/dev/null || fail "no page of $p"
	done
	[ -z "$(rows PROCS 5 | grep -v '^0$' | sort | uniq -d)" ]
}

@test "each hop is marked in the file it names, and no other number is" {
	rows HOPS >"$WORK/hops"
	[ -s "$WORK/hops" ]
	while IFS=$'\t' read -r n program what file; do
		[ -d "cmd/$program" ]
		grep -qw "HOP $n" "$file" || fail "$file has no HOP $n"
	done <"$WORK/hops"
	run diff <(grep -rhoE --include='*.c' 'HOP [0-9]+' cmd lib | sort -u) \
	    <(rows HOPS 1 | sed 's/^/HOP /' | sort)
	assert_output ''
}

@test "each verb is said or heard by code, each status word is used" {
	run used VYX_V VERBS
	assert_output ''
	run used VYX_S STATES
	assert_output ''
}

@test "each table is kept or watched by a program" {
	run used VYX_T TABLES
	assert_output ''
}

@test "messages and tables name fields, and every field stands in one" {
	rows FIELDS 2 | sort >"$WORK/fields"
	{
		rows MESSAGES 4,5
		rows TABLES 5
	} | tr -s '\t +' '\n' | grep -v -e '^$' -e '^\*$' | sort -u \
	    >"$WORK/named"
	run diff "$WORK/fields" "$WORK/named"
	assert_output ''
	[ -z "$(uniq -d "$WORK/fields")" ]
}

@test "messages are of edges and verbs of the map" {
	run comm -13 <(rows EDGES 1 | sort) <(rows MESSAGES 1 | sort -u)
	assert_output ''
	run diff <(rows VERBS 1 | sort) <(rows MESSAGES 3 | sort -u)
	assert_output ''
}

@test "vyx(7) and vyx-protocol(7) show every table as it is" {
	local page
	for page in man/vyx.7 man/vyx-protocol.7; do
		etc/dev/mdoc "$page" | diff "$page" - ||
		    fail "run etc/dev/mdoc -w $page"
	done
	run diff <(sed -n 's/^#define VYX_\([A-Z]*\)(X).*/\1/p' lib/vyx.h | sort) \
	    <(sed -n 's/^\.\\" map //p' man/vyx.7 man/vyx-protocol.7 | sort)
	assert_output ''
}
