#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Slow clients by the hundred: another one feels little of them, each is cut by
# the time-out or the rate that it breaks, and nothing of them stays.
#
# Answers too long for the buffers hold connections of their worker: for those
# the other client is one of another worker. His own would keep him waiting.

load lib/vyx
load lib/flow

setup() {
	setup_flow
	mkdir schemas
	echo '{"type": "object"}' >schemas/any.json
	project 'gateway:' '  header_timeout: 4s' '  body_timeout: 4s' \
	    '  body_min_rate: 256b' '  write_timeout: 4s' \
	    'security:' '  global_timeout: 6s' \
	    '  circuit_breaker: {failures: 1000000}' 'build: {schemas_dir: schemas}'
	worker load "$HELLO {socket}" 'pool: {idle_timeout: 1s}'
	worker big "$HELLO {socket}" 'pool: {max_size: 600, idle_timeout: 1s}'
	worker ws "$HELLO {socket}" \
	    'pool: {max_size: 600, max_tunnels: 600, idle_timeout: 1s}'
	sed -i 's/{path: .*, host: ws}/{path: "\/*rest", host: ws, method: WS}/' \
	    vyx.yaml
	worker checked "$HELLO {socket}" 'pool: {idle_timeout: 1s}'
	sed -i 's/host: checked}/host: checked, validate: any}/' vyx.yaml
	up vyx.yaml
	wait_until routed load
}

teardown() { teardown_flow; }

# fds - descriptors of the daemons that a client could make them hold.
fds() {
	local name
	for name in route.0 pool regd; do
		find "/proc/$(pid_of $name)/fd" -mindepth 1 | wc -l
	done | paste -sd ' '
}

# fds_are NUMBERS - so many; idle connections are replaced each second.
fds_are() { [ "$(fds)" = "$1" ]; }

# rss - KiB of the router.
rss() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$(pid_of route.0)/status"
}

# attack KIND LAST [SLACK] - after a first round, which brings the free lists to the size
# of an attack. The one cut last had LAST seconds; the median of p99 beside them
# over p99 alone is below 2; descriptors are as before, no buffer is borrowed, and
# the router's memory has grown by SLACK KiB at most: a KiB for each of 2,500
# clients, or what may be ahead of all, where the heap is as high as its highest
# moment was.
attack() {
	local before after
	"$TESTS/load/attack" -r 1 "$1" "${URL#http://}"
	VYX_WAIT=60 wait_until quiet
	before="$(fds)" after=$(rss)
	run "$TESTS/load/attack" "$1" "${URL#http://}"
	sed "s/^/# /" <<<"$output" >&3
	assert_success
	assert_line $'cut\t2500'
	awk -F '\t' -v most="$2" '$1 == "last" && $2 > most { exit 1 }' \
	    <<<"$output"
	awk -F '\t' '$1 == "ratio" && $2 >= 2 { exit 1 }' <<<"$output"
	VYX_WAIT=60 wait_until quiet
	wait_until fds_are "$before" || fail "descriptors $before, then $(fds)"
	echo "# RSS $after KiB, then $(rss) KiB" >&3
	[ "$(rss)" -le $((after + ${3:-2500})) ]
	[ "$(stat_of route.0 buffers)" -le 1 ]
}

# quiet - no client is left, and the pool is at its least.
quiet() {
	[ "$(stat_of route.0 clients)" = 0 ] &&
	    [ "$(stat_of pool 'idle-here|on-loan|lingering|tunnels')" -le 8 ]
}

@test "heads a byte at a time: 408" {
	attack head 6
	[[ $output == *"{'408': 500}"* ]]
}

@test "heads that stop: 408" {
	attack silent 6
	[[ $output == *"{'408': 500}"* ]]
}

@test "bodies a byte at a time: 408" {
	attack body 8
	[[ $output == *"{'408': 500}"* ]]
}

@test "long bodies, which stream, a byte at a time: cut off" {
	attack long 8
}

@test "chunks of a byte: cut off" {
	attack chunks 8
}

@test "a byte at a time where a schema looks: 408" {
	attack checked 8
	[[ $output == *"{'408': 500}"* ]]
}

@test "bodies that stop where a schema looks: 408" {
	attack held 6
	[[ $output == *"{'408': 500}"* ]]
}

@test "answers read a byte at a time: cut off" {
	attack read 12 16384
}

@test "answers that nobody reads: cut off" {
	attack deaf 12 16384
}

@test "WebSocket handshakes that no worker answers: 504" {
	attack upgrade 9
	[[ $output == *"{'504': 500}"* ]]
}
