#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-poold(8) with routers played by hand (lib/pool_cases.py), a real
# registry and a real worker. The rules in all their combinations are in
# tests/unit/pool_model.c.
#
# Not tested here: a peer of another uid, want of memory.

load lib/vyx

setup() {
	setup_run
	mkdir "$RUN/pool"
	start_ready regd vyx-regd -d "$RUN"
	start_ready hello vyx-hello "$RUN/w.s"
}

teardown() {
	teardown_run
}

rows() {
	vyx-reg put worker w command=x replicas=1 min-idle=2 \
	    min-idle-explicit=1 max-size=4 idle-ms="${1:-30000}" tunnels=2
	vyx-reg put endpoint 'w#1' worker=w source=superv path="$RUN/w.s" \
	    kind=local max=4 tunnels=2 warm=2 state=up
}

# case_ NAME ARG... - with a pool that has the rows
case_() {
	rows
	start_ready pool vyx-poold -d "$RUN"
	timeout -k 1 55 python3 "$TESTS/lib/pool_cases.py" "$@"
}

# again - what s6 does: another one once the first is gone.
again() {
	while ! gone "${PID[pool]}"; do sleep 0.01; done
	exec vyx-poold -d "$RUN" 2>>pool.err
}

@test "min_idle connections are there before anybody asks" {
	case_ warm
}

@test "max over all routers; waiters wait and are served" {
	case_ cap
}

@test "idle in one router, waiting in another: recalled" {
	case_ recall
}

@test "the oldest request goes first, whoever has it" {
	case_ fifo
}

@test "a waiter that left gets nothing" {
	case_ cancel
}

@test "a router dies: its loans end, its budget is free" {
	case_ router_dies
}

@test "a breach of the protocol ends that peer only" {
	case_ wrong
}

@test "a descriptor lost on the way: told, paused, lent again" {
	case_ lost
}

@test "an aborted exchange counts until the worker lets go" {
	case_ abort
}

@test "kill -9: what routers hold is taken over, the cap holds" {
	rows
	start_ready pool vyx-poold -d "$RUN"
	again 3>&- &
	PID["again"]=$!
	timeout -k 1 55 python3 "$TESTS/lib/pool_cases.py" restart "${PID[pool]}"
}

@test "held over max after a restart: the surplus is void" {
	rows
	start_ready pool vyx-poold -d "$RUN"
	again 3>&- &
	PID["again"]=$!
	timeout -k 1 55 python3 "$TESTS/lib/pool_cases.py" surplus "${PID[pool]}"
}

@test "a worker dies: idle ones go; back again: dialled again" {
	case_ worker_dies "${PID[hello]}" "${PID[hello]}"
}

@test "an instance drains: void, then use.drained" {
	case_ drain
}

@test "tunnels count apart" {
	case_ tunnel
}

@test "a worker that closes each time gets nothing ahead" {
	case_ classes
}

@test "a silent request voids older connections, not again at once" {
	case_ stuck
}

@test "64 peers and no more" {
	case_ many
}

@test "idle for too long: closed and replaced" {
	rows 200
	start_ready pool vyx-poold -d "$RUN"
	wait_until expired
	wait_until refilled
}

figure() {
	printf 'stat\n\n' | timeout 5 socat -t 5 - "UNIX-CONNECT:$RUN/pool/ctl" |
		awk -v RS= -v n="name=$1" '$2 == n { sub("value=", "", $3); print $3; exit }'
}

expired() {
	[ "$(figure expired)" -ge 2 ]
}

refilled() {
	[ "$(figure idle-here)" = 2 ]
}

@test "a refusing endpoint is down, in the log and in the registry" {
	kill -9 "${PID[hello]}"
	case_ warm && return 1
	run -0 vyx-reg get use 'w#1' -j
	assert_output --partial '"down"'
	grep -q 'instance refuses connections' pool.err
}

@test "too few descriptors for what the rows allow: said, with figures" {
	rows
	ulimit -n 100
	start_ready pool vyx-poold -d "$RUN"
	wait_until grep -q '"limit":100,"wanted":' pool.err
}

@test "SIGTERM: exit 0, the socket is gone" {
	rows
	start_ready pool vyx-poold -d "$RUN"
	stop pool
	[ ! -e "$RUN/pool/s" ]
}

@test "a second one on the same directory is refused: 111" {
	rows
	start_ready pool vyx-poold -d "$RUN"
	run -111 timeout -k 1 20 vyx-poold -d "$RUN"
	assert_output --partial 'another vyx-poold listens there'
}

@test "wrong usage: 100" {
	run -100 vyx-poold -z
	run -100 vyx-poold -d "/tmp/$(printf 'x%.0s' {1..120})"
}
