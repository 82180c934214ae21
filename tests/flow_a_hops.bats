#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# One hop after the other, each daemon by itself under no s6: what a file says
# is in the registry; what is wanted there becomes an instance that is ready;
# its connections are lent; a request reaches it. The first test here that
# fails names the hop.
#
# Not tested here: anything under load, or a tree; see flow_b_* and flow_c_*.

load lib/vyx
load lib/flow

setup() { setup_flow; }
teardown() { teardown_flow; }

applied() {
	project
	worker hello "$HELLO {socket}" 'pool: {min_idle: 2}'
	start_ready regd vyx-regd -d "$RUN" -s "$RUN/state"
	run -0 vyx-conf apply -f vyx.yaml -d "$RUN"
}

# supervised - and s6 runs what vyx-superv makes.
supervised() {
	applied
	mkdir -p "$RUN/scan"
	start svscan s6-svscan "$RUN/scan"
	start_ready superv vyx-superv -d "$RUN"
}

teardown_instances() {
	s6-svscanctl -t "$RUN/scan"
	wait_until gone "${PID[svscan]}"
}

pooled_() {
	supervised
	mkdir "$RUN/pool" "$RUN/route.0"
	start_ready pool vyx-poold -d "$RUN"
}

@test "vyx.yaml to vyx-regd: the worker and its route are rows" {
	applied
	is_field worker hello command "$HELLO {socket}"
	is_field route '' worker hello
	run -0 vyx-conf diff -f vyx.yaml -d "$RUN"
	refute_output
}

@test "vyx-regd to vyx-superv: the instance is ready and answers" {
	supervised
	wait_until is_field instance hello state ready
	wait_until is_field endpoint hello state up
	run -0 ask "$(field endpoint hello path)" /hello
	assert_output hello
	teardown_instances
}

@test "vyx-superv to vyx-poold: two warm connections, one of them lent" {
	pooled_
	wait_until has 2
	run -0 vyx-acquire -T 5s hello sh -c 'printf "%b" \
	    "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" >&7; head -n 1 <&6'
	assert_output $'HTTP/1.1 200 OK\r'
	teardown_instances
}

has() { [ "$(connections hello)" = "$1" ]; }

@test "vyx-poold to vyx-route: a request gets its answer" {
	pooled_
	start_ready route vyx-route -d "$RUN"
	URL=http://$(sed -n 's/^listen: //p' vyx.yaml)
	wait_until get hello /hello -f -o answer
	assert_equal "$(cat answer)" hello
	teardown_instances
}
