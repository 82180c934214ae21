#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Ejection, see vyx-route(8): an instance that fails is passed over, and comes
# back. The rules one by one are in unit/window_eject.
#
# Nothing here depends on how long a request takes: one router, one request at
# a time, and what failed is compared with the ejections that were counted.

load lib/vyx
load lib/flow

setup() {
	local moody
	setup_flow
	mkdir mood
	chmod 755 mood
	moody="/usr/bin/python3 $TESTS/workers/moody.py {socket} $WORK/mood"
	# the breaker of a route would answer for its worker
	project 'gateway: {routers: 1}' 'security: {global_timeout: 2s,' \
	    '  circuit_breaker: {failures: 1000000}}'
	worker pair "$moody" 'replicas: 2' 'pool: {min_idle: 2, max_size: 4}'
	worker once "$moody close" 'replicas: 2' 'pool: {max_size: 4}'
	worker alone "$moody" 'pool: {min_idle: 2}'
	VYX_WAIT=40 up vyx.yaml
}

teardown() {
	rm -f mood/* # so that who hangs goes on
	teardown_flow
}

# pool ID COLUMN
pool() {
	vyx status -j |
	    jq -r "select(.type == \"pool\" and .worker == \"$1\") | .$2"
}

# states ID - a line each instance, sorted
states() {
	vyx status -j | jq -r "select(.type == \"figure\" and
	    .name == \"ejection\" and .worker == \"$1\") | .value" | sort
}

is() {
	[ "$("$1" "${@:3}")" = "$2" ]
}

# asked ID - of who answers one request
asked() {
	get "$1" / -f
}

# meet - both of the pair, in $A and $B
meet() {
	A=$(asked pair)
	wait_until other
}

other() {
	B=$(asked pair)
	[ "$B" != "$A" ]
}

# post ID N - print the status of each of N requests that are not retried
post() {
	local n=$2
	while [ $((n--)) -gt 0 ]; do
		get "$1" / -d x -o /dev/null -w '%{http_code}\n'
	done
}

# logged WORDS - how often the router said so
logged() {
	cat "$RUN"/log/route.0/* | grep -c "$1" || true
}

# fails MOOD STATUS - $A falls ill: five clients hear of it, and one more at
# each probe; healed, it is back.
fails() {
	local ejected
	meet
	echo "$1" >"mood/$A"
	post pair 24 >codes
	ejected=$(pool pair ejected)
	[ "$ejected" -ge 1 ]
	[ "$(grep -c "^$2\$" codes)" = $((4 + ejected)) ]
	[ "$(grep -vc "^$2\$" codes)" = "$(grep -c '^200$' codes)" ]
	is pool 1 pair out
	is states $'in\nout' pair
	[ "$(logged 'instance ejected')" = "$ejected" ]

	rm "mood/$A"
	VYX_WAIT=60 wait_until answers "$A"
	is pool 0 pair out
	is states $'in\nin' pair
	[ "$(logged 'instance is in again')" = 1 ]
	# in turn, as before
	for _ in 1 2 3 4; do asked pair; done | sort -u >pids
	[ "$(wc -l <pids)" = 2 ]
}

answers() {
	[ "$(asked pair)" = "$1" ]
}

@test "answers 500: passed over, and back when healed" { fails 500 500; }
@test "connections that end without an answer" { fails cut 502; }
@test "what is no answer" { fails noise 502; }
@test "no answer in time" { fails hang 504; }

# busy ID - 24 clients at once, a second each; how many answers had each status
busy() {
	python3 - "${URL#http://}" "$1" <<-'EOF'
		import http.client, collections, sys, threading, time
		seen = collections.Counter()
		end = time.monotonic() + 1
		def client():
		    while time.monotonic() < end:
		        c = http.client.HTTPConnection(sys.argv[1])
		        c.request("POST", "/", b"x", {"Host": sys.argv[2]})
		        r = c.getresponse()
		        r.read()
		        seen[r.status] += 1
		        c.close()
		them = [threading.Thread(target=client) for _ in range(24)]
		[t.start() for t in them]
		[t.join() for t in them]
		print(seen[200] > 24, seen[500], sum(seen.values()) - seen[200] - seen[500])
	EOF
}

# under_load ID - more than the other's connections take: they wait for it
under_load() {
	local before
	post "$1" 24 >codes
	is pool 1 "$1" out
	before=$(pool "$1" ejected)
	run -0 busy "$1"
	# a probe in the meantime is one more
	assert_output "True $(($(pool "$1" ejected) - before)) 0"
}

@test "under load: what the others cannot take at once waits for them" {
	meet
	echo 500 >"mood/$A"
	under_load pair
}

@test "a worker that closes after each answer: as well" {
	A=$(asked once)
	echo 500 >"mood/$A"
	under_load once
}

@test "501 and what a client did wrong say nothing" {
	meet
	for mood in 501 404; do
		echo $mood >"mood/$A"
		post pair 24 >codes
		[ "$(grep -c $mood codes)" -ge 10 ]
		is pool 0 pair ejected
	done
}

@test "clients who leave say nothing" {
	meet
	echo hang >"mood/$A"
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
		get pair / -m 0.3 -o /dev/null || true
	done
	is pool 0 pair ejected
}

@test "the only instance is never ejected" {
	local pid
	pid=$(asked alone)
	echo 500 >"mood/$pid"
	post alone 20 >codes
	[ "$(grep -c '^500$' codes)" = 20 ]
	is pool 0 alone out
	is pool 0 alone ejected
	rm "mood/$pid"
	[ "$(asked alone)" = "$pid" ]
}

@test "all fail: half of them go on being asked, none waits" {
	meet
	echo 500 >"mood/$A"
	echo 500 >"mood/$B"
	post pair 30 >codes
	[ "$(grep -c '^500$' codes)" = 30 ]
	is pool 1 pair out
	rm mood/*
	post pair 1 >codes
	[ "$(cat codes)" = 200 ]
}

@test "vyx status: for people what is out alone, and columns for scripts" {
	meet
	[ "$(vyx status | grep -c 'name ejection')" = 0 ]
	echo 500 >"mood/$A"
	post pair 12 >codes
	run -0 bash -c "vyx status | grep 'name ejection'"
	assert_output --regexp \
	    '^figure +route\.0 +name ejection +value out +worker pair +instance pair-[01]#[0-9]+$'
	for n in out-s probe-s; do
		[ "$(vyx status -j | jq "select(.name == \"$n\") |
		    .value >= 0 and .value <= 5 and .worker == \"pair\"")" = true ]
	done
	vyx status -t | awk -F '\t' '$1 == "pool" && $2 == "pair" {
		print NF, $11, $12 > "row" }'
	[ "$(cat row)" = "12 1 $(pool pair ejected)" ]
	[ "$(vyx status -t | awk -F '\t' \
	    '$1 == "figure" && $3 == "ejection"' | wc -l)" = 5 ]
}
