#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-route: routes, own answers, its life. route_heads, route_pool and
# route_bounds have the rest.

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

@test "wrong operands and options: 100 and a message" {
	case_ usage
}

@test "one client connection and one worker connection serve many requests" {
	case_ keep_alive
}

@test "404, 405 with Allow, HEAD by GET, hosts, roles are never public, TRACE, OPTIONS *" {
	case_ routing
}

@test "Max-Forwards: 0 is answered here, else one less is sent on" {
	case_ max_forwards
}

@test "each commit is a table of its own; what is in flight keeps its" {
	case_ reload
}

@test "without a registry: 503; one that goes away later changes nothing" {
	case_ registry_away
}

@test "a worker without a living endpoint: 503 and Retry-After" {
	case_ not_ready
}

@test "one line a request, the contract's names first" {
	case_ access_log
}

@test "nobody reads the log: requests go on, whole lines are dropped and counted" {
	case_ log_blocked
}

@test "SIGTERM: no new clients, what is in flight is finished, Connection: close, 0" {
	case_ drain
}

@test "a drain has a limit, and a second SIGTERM ends it" {
	case_ drain_limit
}

@test "a slot that is down is polled by its sibling, one that is up has its share" {
	case_ slots
}

@test "addresses of its own, on a Unix socket too" {
	case_ unix_listener
}
