#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-probe(1): asks a worker's socket once whether it is ready.
#
# Not tested here: a backlog that is full.

load lib/vyx

setup() {
	setup_run
	S=$RUN/s
}

teardown() {
	teardown_run
}

@test "a socket that accepts is ready, one that does not is not" {
	run -1 vyx-probe "$S"
	start_ready hello vyx-hello "$S"
	run -0 vyx-probe "$S"
	assert_output ''
	kill -9 "${PID[hello]}"
	wait_until gone "${PID[hello]}"
	run -1 vyx-probe -v "$S"
	assert_output --partial 'Connection refused'
}

@test "with a path the status decides: 200 to 399" {
	start_ready hello vyx-hello "$S"
	run -0 vyx-probe "$S" /hello
	run -0 vyx-probe "$S" /fail/204
	run -0 vyx-probe "$S" /fail/302
	run -0 vyx-probe "$S" /fail/399
	run -1 vyx-probe "$S" /fail/400
	run -1 vyx-probe -v "$S" /fail/503
	assert_output --partial '/fail/503: 503'
}

@test "an interim answer is passed over" {
	start_ready hello vyx-hello "$S"
	run -0 vyx-probe "$S" /103
}

@test "no answer, half a head, no HTTP: not ready" {
	start_ready hello vyx-hello "$S"
	run -1 vyx-probe -v "$S" /reset
	assert_output --partial 'closed'
	stop hello
	start bad socat "UNIX-LISTEN:$S,fork" SYSTEM:'read -r _; echo 220 mail.example'
	wait_until test -S "$S"
	run -1 vyx-probe -v "$S" /
	assert_output --partial 'no HTTP'
	stop bad || true
	rm -f "$S"
	start half socat "UNIX-LISTEN:$S,fork" SYSTEM:"read -r _; printf 'HTTP/1.1 200 OK'"
	wait_until test -S "$S"
	run -1 vyx-probe "$S" /
}

@test "the time limit ends the wait" {
	start_ready hello vyx-hello "$S"
	run -1 timeout -k 1 5 vyx-probe -v -T 100ms "$S" /sleep/60000
	assert_output --partial 'the time is up'
}

@test "wrong usage is 100" {
	run -100 vyx-probe
	run -100 vyx-probe a b c
	run -100 vyx-probe -T 5 "$S"
	run -100 vyx-probe "$S" hello
	run -100 vyx-probe "$S" $'/a\r\nX: y'
	run -100 vyx-probe "/$(printf '%0110d' 0)"
	assert_output --partial '107 bytes'
	run -0 vyx-probe -V
	run -0 vyx-probe -h
}
