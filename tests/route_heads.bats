#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What vyx-route reads and what it passes on.

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

@test "pipelined requests are answered in order, own answers among them" {
	case_ pipelining
}

@test "what two parsers could read differently: refused, connection closed" {
	case_ ambiguous
}

@test "bad chunks: 400, and the worker's connection ends" {
	case_ bad_chunks
}

@test "head 431, target 414, body 413; a short refused body keeps the connection" {
	case_ limits
}

@test "heads as large as they may be set to, with bodies behind them" {
	case_ large_heads
}

@test "head, idle and body time-outs" {
	case_ timeouts
}

@test "a dribbled body: 408" {
	case_ body_rate
}

@test "identity, hop-by-hop and framing fields are made anew, the path is canonical" {
	case_ request_fields
}

@test "chunked and counted bodies, trailers of requests" {
	case_ request_bodies
}

@test "chunked, counted, until close, HEAD, 304, 204, HTTP/1.0" {
	case_ answer_forms
}

@test "hop-by-hop fields go, security headers come, the worker's win" {
	case_ answer_fields
}

@test "trailers of answers for those alone who say TE: trailers" {
	case_ trailers
}

@test "1xx answers are relayed, not to HTTP/1.0" {
	case_ interim
}

@test "Expect: 100-continue goes to the worker, its answer back" {
	case_ expect
}

@test "both ways at once; an answer before the end of its request" {
	case_ full_duplex
}

@test "upgrades on WS routes alone; a tunnel until either end leaves" {
	case_ websocket
}
