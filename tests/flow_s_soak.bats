#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The long versions: make check-slow.
#
# Not tested here: days.

load lib/vyx
load lib/flow

setup() { setup_flow; }
teardown() { teardown_flow; }

# watch_budget WORKER MAX - until killed: a line for each look at which the
# kernel had more connections than that.
watch_budget() {
	local n
	while :; do
		n=$(connections "$1")
		[ "$n" -le "$2" ] || echo "$n connections, at most $2"
		sleep 0.05
	done
}

# killed SERVICE - kill -9, and its successor is ready.
killed() {
	local pid
	pid=$(pid_of "$1")
	kill -9 "$pid"
	wait_until is_new "$1" "$pid"
}

@test "a minute of kills of regd, superv and poold: no failure" {
	local end=$((SECONDS + 60)) kills=0 which=(regd superv pool)
	project 'gateway: {routers: 2}'
	worker hello "$HELLO {socket}" 'replicas: 2' 'pool: {max_size: 4}'
	up vyx.yaml
	start budget watch_budget hello 8
	load_begin one hello -t 100 -c 24 -k head /headers
	load_begin two hello -t 100 -c 24 -1 -k echo /echo
	while [ $SECONDS -lt $end ]; do
		killed "${which[RANDOM % 3]}"
		kills=$((kills + 1))
		sleep "0.$((RANDOM % 10))"
	done
	[ $kills -ge 20 ]
	load_end one
	load_end two
	stop budget || true
	assert_equal "$(cat budget.out)" ''
	wait_until settled hello
	follows
}

@test "a minute of kills of anything: only what was in flight fails" {
	local end=$((SECONDS + 60)) routes=0 pid name
	local which=(regd superv pool route.0 route.1 hello)
	project 'gateway: {routers: 2}'
	worker hello "$HELLO {socket}" 'replicas: 3' 'pool: {max_size: 4}'
	up vyx.yaml
	load_begin one hello -t 100 -c 12 -k head /headers
	load_begin two hello -t 100 -c 12 -k echo /echo
	while [ $SECONDS -lt $end ]; do
		name=${which[RANDOM % ${#which[@]}]}
		if [ "$name" = hello ]; then
			pid=$(instance_pid hello $((1 + RANDOM % 3)))
			[ -z "$pid" ] || kill -9 "$pid" || true
			sleep 2
		else
			[[ $name != route.* ]] || routes=$((routes + 1))
			killed "$name"
		fi
		sleep "0.$((RANDOM % 10))"
	done
	for name in one two; do
		load_end $name || true
		[ "$(outcome $name reset eof)" -le $((routes * 12)) ]
	done
	assert_equal "$(outcome one sent)" "$(outcome one 200 reset eof)"
	assert_equal "$(outcome two sent)" "$(outcome two 200 502 reset eof)"
	VYX_WAIT=40 wait_until settled hello
	follows
}

@test "default gunicorn idle for 35 s between requests: none waits" {
	project 'gateway: {routers: 2}'
	worker one "gunicorn --chdir $TESTS/workers -b unix:{socket} app:application"
	worker two "gunicorn --chdir $TESTS/workers -w 2 -b unix:{socket} app:application"
	worker node "/usr/bin/env node $TESTS/workers/node.js {socket}"
	up vyx.yaml
	for id in one two node one two node; do
		load_ $id -c 8 -n 200 -k head -w 6 /headers
		case $id in node) sleep 35 ;; esac
	done
}

@test "100,000 answers in any order at 64 clients: none reaches another" {
	project 'gateway: {routers: 2}'
	worker slow "/usr/bin/python3 $TESTS/workers/slow.py {socket} 10" \
	    'replicas: 2' 'pool: {max_size: 16}'
	up vyx.yaml
	run load_ slow -c 64 -n 100000 -t 300 -k echo /any
	assert_success
	assert_line $'200\t100000'
}

@test "20 rolls under load: no failure" {
	local i before
	project 'gateway: {routers: 2}'
	worker hello "$HELLO {socket}" 'replicas: 2'
	up vyx.yaml
	load_begin one hello -t 300 -c 8 -k echo /echo
	for i in {1..20}; do
		before=$(field instance hello pid)
		sed -i "s/-hello {socket}.*/-hello {socket} jitter=${i}us/" vyx.yaml
		run -0 vyx reload -f vyx.yaml -d "$RUN"
		VYX_WAIT=40 wait_until rolled "$before"
	done
	load_end one
	wait_until settled hello
}

# rolled PIDS - two instances, none of them an old one.
rolled() {
	local now
	now=$(field instance hello pid)
	[ "$(wc -l <<<"$now")" = 2 ] && ! grep -qxF "$1" <<<"$now"
}
