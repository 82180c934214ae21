#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Each daemon killed, and stopped, under load: requests to known workers go on
# without one failure, and the state heals.
#
# Not tested here: many kills in a row (flow_s_soak.bats), power cuts.

load lib/vyx
load lib/flow

setup() { setup_flow; }
teardown() { teardown_flow; }

CLIENTS=8

# loaded - two routers, two workers of two instances each, under load.
loaded() {
	project 'gateway: {routers: 2}'
	worker hello "$HELLO {socket}" 'replicas: 2'
	worker fd "$HELLO {fd}" 'replicas: 2'
	up vyx.yaml
	load_begin one hello -c $CLIENTS -k head /headers
	load_begin two fd -c $CLIENTS -k echo /echo
}

# unharmed - not one request failed, and nothing is lost.
unharmed() {
	load_goes_on one
	load_goes_on two
	load_end one
	load_end two
	wait_until settled hello fd
	follows
}

# killed SERVICE - kill -9, and its successor is ready.
killed() {
	local pid
	pid=$(pid_of "$1")
	kill -9 "$pid"
	wait_until is_new "$1" "$pid"
}

@test "kill -9 of vyx-regd: no failure, every watcher is at the head again" {
	loaded
	killed regd
	unharmed
}

@test "kill -9 of vyx-superv: no failure, no worker restarted" {
	local pids
	loaded
	pids=$(field instance hello pid; field instance fd pid)
	killed superv
	unharmed
	assert_equal "$(field instance hello pid; field instance fd pid)" "$pids"
}

@test "kill -9 of vyx-poold: no failure, the budget is exact" {
	loaded
	killed pool
	unharmed
}

@test "kill -9 of each vyx-route: only what was in flight on it fails" {
	local slot
	loaded
	for slot in 0 1; do
		killed route.$slot
		load_goes_on one
		load_goes_on two
	done
	for name in one two; do
		load_end $name || true
		[ "$(outcome $name reset eof)" -le $((2 * CLIENTS)) ]
		assert_equal "$(outcome $name sent)" \
		    "$(outcome $name 200 reset eof)"
	done
	wait_until settled hello fd
	follows
}

@test "vyx-poold and vyx-regd stopped: killed after 5 s, and no failure" {
	local pool regd
	loaded
	pool=$(pid_of pool)
	regd=$(pid_of regd)
	kill -STOP "$pool" "$regd"
	VYX_WAIT=30 wait_until is_new pool "$pool"
	VYX_WAIT=30 wait_until is_new regd "$regd"
	unharmed
}

@test "a vyx-route stopped: killed after 5 s, the other serves" {
	local pid
	loaded
	pid=$(pid_of route.0)
	kill -STOP "$pid"
	VYX_WAIT=30 wait_until is_new route.0 "$pid"
	for name in one two; do
		load_end $name || true
		[ "$(outcome $name reset eof)" -le $CLIENTS ]
		assert_equal "$(outcome $name sent)" \
		    "$(outcome $name 200 reset eof)"
	done
	wait_until settled hello fd
}
