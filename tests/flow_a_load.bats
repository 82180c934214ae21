#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The measuring stick itself: tests/load sees each kind of failure, and calls
# nothing a failure that is none.

load lib/vyx
load lib/flow

setup() {
	setup_flow
	S=$RUN/s
}
teardown() { teardown_flow; }

# at ARG... PATH - the client at the worker's own socket.
at() {
	"$TESTS/load/load" -n 6 -c 2 "${@:1:$#-1}" "unix:$S:${*: -1}"
}

hello() { start_ready hello vyx-hello "$S" "$@"; }

@test "each its own answer: no failure, kept or not" {
	hello jitter=5ms
	run -0 at -k echo /echo
	assert_line $'200\t6'
	run -0 at -k head -1 /headers
	run -0 at -k echo -r 100 /echo
	run -0 at /stream/3/5/1
}

@test "a worker that closes while idle is no failure" {
	hello close
	run -0 at -k echo /echo
}

@test "an answer that is another's, or not whole, or none, is one" {
	hello
	run -1 at -k head /hello
	assert_line $'wrong\t6'
	run -1 at -k echo /bytes/64
	assert_line $'wrong\t6'
	run -1 at /half
	assert_line $'eof\t6'
	run -1 at /fail/502
	assert_line $'502\t6'
	run -0 at -e 502 /fail/502
	run -1 at -w 0.2 -n 2 /sleep/2000
	assert_line $'timeout\t2'
	stop hello
	run -1 at /hello
	assert_line $'refused\t6'
}

@test "nonsense as an answer" {
	start nonsense socat "UNIX-LISTEN:$S,fork" SYSTEM:'echo nonsense; echo'
	wait_until test -S "$S"
	run -1 at -n 2 /
	assert_line --regexp $'^(garbled|eof|reset)\t2'
}
