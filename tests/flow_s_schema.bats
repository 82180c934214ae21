#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# lib/state/schema against the public suite of JSON Schema, by bench/schema.
# $VYX_SCHEMA_SUITE is a directory that has the suite; without, it is fetched.
#
# Not tested here: what needs a document that is not in the schema, as nothing
# is fetched, and the optional tests, which are only counted.

load lib/vyx

setup() { setup_run; }
teardown() { teardown_run; }

# suite [DIRECTORY] - bench/schema into $output; skips where there is no suite.
suite() {
	CHECKS=1 run "$ROOT/bench/schema" "$@"
	[ "$status" != 69 ] || skip "$output"
}

# of NAME COLUMN - a number of the table.
of() {
	awk -F '  +' -v n="$1" -v c="$2" '$1 == n { print $c }' <<<"$output"
}

@test "every test of both drafts that needs nothing else passes" {
	suite ${VYX_SCHEMA_SUITE:+"$VYX_SCHEMA_SUITE"}
	assert_success
	# a suite that was not found would pass as well
	[ "$(of 2020-12 2)" -ge 1204 ]
	[ "$(of draft7 2)" -ge 886 ]
	[ "$(of 'total, without optional' 3)" = 0 ]
	[ "$(of 2020-12 4)" -le 53 ]
	[ "$(of draft7 4)" -le 27 ]
}

@test "bench/schema: a test that fails is named, and exit 1" {
	mkdir -p s/tests/draft2020-12/optional/format s/tests/draft7/optional/format
	local d
	for d in s/tests/draft*; do
		echo '[]' >$d/optional/a.json
		echo '[]' >$d/optional/format/a.json
		echo '[{"description":"group","schema":{"type":"null"},"tests":[
		    {"description":"good","data":null,"valid":true},
		    {"description":"wrong","data":1,"valid":true}]}]' >$d/a.json
	done
	suite s
	assert_failure 1
	assert_line '  - group: wrong'
	[ "$(of 2020-12 2)" = 1 ] && [ "$(of 2020-12 3)" = 1 ]
	[ "$(of 'total, without optional' 3)" = 2 ]
}

@test "bench/schema: without a suite it says so, exit 69" {
	mkdir empty
	run -69 "$ROOT/bench/schema" empty
	assert_output 'schema: no tests/draft2020-12 below empty'
	PIP=false run -69 "$ROOT/bench/schema"
	assert_output --partial 'the suite cannot be fetched'
}
