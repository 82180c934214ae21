#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-route does not hold more than it may.

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

@test "300 MiB up, as fast as the worker reads, in bounded memory" {
	case_ upload
}

@test "300 MiB down, as fast as the client reads, in bounded memory" {
	case_ download
}

@test "answers read ahead of 300 slow clients are bounded in all" {
	case_ many_slow_readers
}

@test "a slow client's requests are logged by name, those behind are served" {
	case_ slow_pipeline
}

@test "a client that reads nothing is cut off" {
	case_ no_last_read
}

@test "connections from one address: one more gets 429" {
	case_ per_client
}

@test "clients over the descriptor limit wait in the backlog" {
	case_ descriptors
}
