#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How vyx-route takes connections, and what it does when they fail.

load lib/vyx

setup() {
	setup_run
	mkdir -p "$RUN/route.0"
}

teardown() {
	teardown_run
}

# case_ NAME - that case of lib/route_cases.py
case_() {
	timeout -k 1 55 python3 "$TESTS/lib/route_cases.py" "$1"
}

@test "waiting in order, full 503, too long 504, the client leaves" {
	case_ queue
}

@test "global_timeout binds until the answer's head: 504" {
	case_ upstream_timeout
}

@test "a worker silent within an answer is cut" {
	case_ answer_stall
}

@test "a slow upload of known, small length holds no connection" {
	case_ late_acquire
}

@test "a slow reader of a small answer holds none either" {
	case_ early_release
}

@test "what may be sent again, and how often" {
	case_ retries
}

@test "a worker's death is one attempt, however many connections it had" {
	case_ all_at_once
}

@test "closed with the request unread: sent again, whatever the method" {
	case_ unread
}

@test "connections that end or speak before use; an early 408" {
	case_ stale
}

@test "a byte outside an answer: that connection is never used again" {
	case_ extra_bytes
}

@test "an answer that is none: 502" {
	case_ bad_answers
}

@test "a worker that breaks off: the client can tell" {
	case_ cut_answers
}

@test "a client that leaves: its connection lingers, its body is dropped" {
	case_ client_gone
}

@test "vyx-poold goes and comes: what is held goes on and is told again" {
	case_ pool_killed
}
