#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What the pool promises, seen from outside: exactly max_size connections,
# order, refusals, clients that leave, workers that end.
#
# Not tested here: the edge itself (unit tests and models of lib/state), tunnels.

load lib/vyx
load lib/flow

setup() { setup_flow; }
teardown() { teardown_flow; }

# figure NAME - of the worker's own /count, asked on its socket: a look is a
# connection and a request.
figure() {
	ask "$(field endpoint hello path)" /count | jq ".$1"
}

# slow MS - a request in the background that has its first bytes, and its last
# after that time; wait for $SLOW.
slow() {
	get hello "/stream/2/8/$1" -N -o slow.out &
	SLOW=$!
	wait_until test -s slow.out
}

# waiting N - so many requests wait for a connection.
waiting() { [ "$(stat_of pool waiting)" = "$1" ]; }

# hundred ROUTERS - 100 slow requests at once make 16 connections, lose none.
hundred() {
	project "gateway: {routers: $1}"
	worker hello "$HELLO {socket}" 'pool: {max_size: 16}'
	up vyx.yaml
	run load_ hello -c 100 -n 100 /sleep/300
	assert_success
	assert_line $'200\t100'
	assert_equal "$(connections hello)" 16
	assert_equal "$(stat_of pool dials hello)" 16
	wait_until settled hello
}

@test "100 slow requests at once, max_size 16: 16 connections, none lost" {
	hundred 1
}

@test "the same with two routers" {
	hundred 2
}

@test "the queue is full: 503 with Retry-After, and who waits is served" {
	local pids=()
	project
	worker hello "$HELLO {socket}" 'pool: {max_size: 1, max_waiting: 2}'
	up vyx.yaml
	# until one is there, the first request waits too
	run -0 get hello /hello
	run load_ hello -c 12 -n 12 -e 200,503 /sleep/1500
	assert_success
	assert_line $'200\t3'
	assert_line $'503\t9'
	slow 6000
	start one get hello /hello
	start two get hello /hello
	wait_until waiting 2
	run -0 get hello /hello -i
	assert_line --index 0 --partial ' 503 '
	assert_output --regexp $'\n[Rr]etry-[Aa]fter: [0-9]+'
	wait $SLOW
	stop one CONT
	stop two CONT
}

@test "max_waiting: 0: what there is room for is served, one more is refused" {
	project
	worker hello "$HELLO {socket}" 'pool: {max_size: 2, max_waiting: 0}'
	up vyx.yaml
	run -0 get hello /hello
	assert_output hello
	run load_ hello -c 3 -n 3 -e 200,503 /sleep/1500
	assert_success
	assert_line $'200\t2'
	assert_line $'503\t1'
}

@test "a worker that dies late: its request has a whole wait for the next one" {
	local pid
	project
	worker hello "$HELLO {fd}" 'pool: {max_size: 1, wait_timeout: 1s}'
	up vyx.yaml
	run -0 get hello /hello
	pid=$(instance_pid hello 1)
	kill -STOP "$pid"
	start late get hello /hello -w ' %{http_code}'
	sleep 1.5
	kill -9 "$pid"
	wait_until gone "${PID[late]}"
	assert_equal "$(cat late.out)" $'hello\n 200'
}

@test "waited too long: 504 with Retry-After, and the slow one is served" {
	project
	worker hello "$HELLO {socket}" 'pool: {max_size: 1, wait_timeout: 300ms}'
	up vyx.yaml
	slow 5000
	run -0 get hello /hello -i
	assert_line --index 0 --partial ' 504 '
	assert_output --regexp $'\n[Rr]etry-[Aa]fter: [0-9]+'
	wait $SLOW
	assert_equal "$(wc -c <slow.out)" 16
}

@test "clients that leave while they wait are not asked for" {
	local before
	project
	worker hello "$HELLO {socket}" 'pool: {max_size: 1}'
	up vyx.yaml
	before=$(figure requests)
	slow 6000
	run load_ hello -c 5 -n 5 -w 0.3 /hello
	assert_line $'timeout\t5'
	wait $SLOW
	# that look, the slow one, this look
	assert_equal "$(figure requests)" $((before + 2))
}

@test "an instance killed under load: the others serve, no failure of a GET" {
	local i pid
	project 'gateway: {routers: 2}'
	# slow enough that each kill hits some in flight
	worker hello "$HELLO {socket} jitter=20ms" 'replicas: 3'
	up vyx.yaml
	load_begin gets hello -c 8 -k head /headers
	load_begin posts hello -c 8 -k echo /echo
	for i in 1 2 3; do
		pid=$(instance_pid hello $i)
		kill -9 "$pid"
		wait_until fresh hello 3 "$pid"
	done
	load_goes_on gets
	load_goes_on posts
	load_end gets
	load_end posts || true
	# a request that the worker may have begun is not asked again
	[ "$(outcome posts 502)" -le 24 ]
	assert_equal "$(outcome posts sent)" "$(outcome posts 200 502)"
	wait_until settled hello
}

@test "the only instance, on an inherited socket, killed under load" {
	local pid
	project
	worker hello "$HELLO {fd} jitter=20ms"
	up vyx.yaml
	load_begin gets hello -c 8 -k head /headers
	pid=$(instance_pid hello 1)
	kill -9 "$pid"
	wait_until fresh hello 1 "$pid"
	load_goes_on gets
	load_end gets
	wait_until settled hello
}

@test "a worker restarted while idle: no stale connection is handed out" {
	local pid
	project 'gateway: {routers: 2}'
	worker hello "$HELLO {socket}" 'pool: {min_idle: 4}'
	up vyx.yaml
	wait_until full 4
	pid=$(instance_pid hello 1)
	kill -9 "$pid"
	wait_until fresh hello 1 "$pid"
	wait_until served
	load_ hello -1 -c 4 -n 40 -k echo /echo
}

full() { [ "$(connections hello)" -ge "$1" ]; }
served() { [ "$(get hello /hello)" = hello ]; }
