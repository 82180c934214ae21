#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-regd(8), what takes long: many deaths, many changes.

load lib/vyx
load lib/regd

setup() {
	setup_run
}

teardown() {
	teardown_run
}

@test "kill -9, forty times under load: no acknowledged write is lost" {
	rounds 40
}

@test "over a million changes in one life: revisions above the first ceiling are not told twice" {
	regd
	awk 'BEGIN { for (t = 1; t <= 22; t++) { print "begin\nid=1\n"
	    for (i = 1; i <= 50000; i++)
	        printf "put\nid=2\ntable=setting\nkey=%d\nvalue=%d\nowner=op\n\n", i, t
	    print "commit\nid=3\n" }
	    # the last ones leave no row that would know its revision
	    print "begin\nid=1\nreplace-table=setting\nreplace-owner=op\n"
	    print "commit\nid=3\n" }' | VYX_WAIT=100 say ops >got
	[ "$(flat <got | tail -n 1)" = 'ok rev=1150000' ]
	stop regd KILL || true
	regd
	run -0 say ops < <(r put id=1 table=setting key=1 value=1 owner=op)
	[ "$(sed -n 's/^rev=//p' <<<"$output")" -gt 1150000 ]
}
