#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The whole path, and how a tree starts and ends: as root, as an ordinary user,
# under somebody's own s6-svscan; beside another, and in the way of one.
#
# Not tested here: the routes' own rules (vyx-route.bats), real workers
# (flow_b_workers.bats), faults (flow_c_*).

load lib/vyx
load lib/flow

setup() { setup_flow; }
teardown() { teardown_flow; }

# nothing_left PID... - no such process, no socket and no mount below $RUN.
nothing_left() {
	local pid
	for pid; do wait_until gone "$pid" || return; done
	run ! grep -F "$RUN/" /proc/net/unix
	run ! grep -F "$RUN" /proc/mounts
}

@test "up, ask, status, down: no process, socket or mount is left" {
	local pids
	project
	worker hello "$HELLO {socket}" 'replicas: 2'
	up vyx.yaml
	run -0 get hello /hello
	assert_output 'hello'
	run -0 vyx status -d "$RUN"
	run -0 bash -c 'vyx status -d "$RUN" -j | jq -e .'
	mapfile -t pids < <(tree "${PID[up]}")
	[ ${#pids[@]} -gt 8 ]
	down
	nothing_left "${pids[@]}"
	[ "$(grep -c ^ready up.out)" = 1 ]
}

@test "as root: the daemons and the workers are not" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	local name uid
	project
	worker hello "$HELLO {socket}"
	worker py "gunicorn --chdir $TESTS/workers -b unix:{socket} app:application" \
	    'user: 64997'
	worker auto "$HELLO {fd}" 'user: auto'
	up vyx.yaml
	run -0 get hello /hello
	run -0 get auto /hello
	run -0 get py /pid
	[ "${output#* }" = 64997 ]
	for name in regd:52001 pool:52002 route.0:52003; do
		uid=$(ps -o uid= -p "$(pid_of "${name%:*}")")
		assert_equal "$((uid))" "${name#*:}"
	done
	uid=$(ps -o uid= -p "$(instance_pid hello 1)")
	assert_equal "$((uid))" 64998
	uid=$(ps -o uid= -p "$(instance_pid auto 1)")
	[ "$((uid))" -gt 52003 ]
	# one worker's user has no way to another's socket
	run ! setpriv --reuid 64998 --clear-groups curl -sS -m 5 \
	    --unix-socket "$(field endpoint py path)" http://w/hello
}

@test "as an ordinary user" {
	[ "$(id -u)" = 0 ] || skip 'the other tests are it'
	local uid=64999 pids
	chown $uid:$uid "$RUN" "$WORK"
	project
	worker hello "$HELLO {socket}" 'replicas: 2'
	worker py "gunicorn --chdir $TESTS/workers -b unix:{socket} app:application"
	chown $uid vyx.yaml
	start up setpriv --reuid $uid --regid $uid --clear-groups \
	    env HOME="$WORK" vyx up -f vyx.yaml -d "$RUN"
	wait_until up_or_gone
	URL=$(sed -n 's/^ready //p' up.out)
	run -0 get hello /hello
	run -0 get py /pid
	[ "${output#* }" = $uid ]
	mapfile -t pids < <(tree "${PID[up]}")
	run -0 bash -c 'ps -o uid= -p "$1" | sort -u' - "${pids[*]}"
	assert_output --regexp "^ *$uid\$"
	down
	nothing_left "${pids[@]}"
}

@test "in the scan directory of somebody's own s6-svscan" {
	mkdir -p scan/mine
	printf '#!/bin/sh\nexec sleep 300\n' >scan/mine/run
	chmod 755 scan/mine/run
	start svscan s6-svscan "$WORK/scan"
	project
	worker hello "$HELLO {socket}" 'replicas: 2'
	run -0 vyx tree -d "$RUN" -w 2 "$WORK/scan"
	for name in fdholder regd pool superv route.0 route.1 route.2; do
		[ -e "scan/$name" ] || ln -s "$RUN/sv/$name" "scan/$name"
	done
	s6-svscanctl -a scan
	wait_until vyx-conf apply -f vyx.yaml -d "$RUN"
	URL=http://$(sed -n 's/^listen: //p' vyx.yaml)
	wait_until routed hello
	wait_until settled hello
	run -0 vyx down -d "$RUN"
	run -0 s6-svstat -o up scan/mine
	assert_output true
	run -0 ls scan
	assert_output mine
	s6-svscanctl -t scan
	wait_until gone "${PID[svscan]}"
}

@test "two trees side by side do not meet" {
	local first
	project
	worker hello "$HELLO {socket}"
	up vyx.yaml
	first=$URL
	mkdir "$RUN/b" b
	chown --reference=. b
	cd b
	project
	worker hello "$HELLO {socket}"
	start other vyx up -f vyx.yaml -d "$RUN/b"
	wait_until grep -q ^ready other.out
	URL=$(sed -n 's/^ready //p' other.out)
	run -0 get hello /hello
	stop other
	URL=$first
	run -0 get hello /hello
}

@test "a second up on the same directory is refused, the first serves on" {
	project
	worker hello "$HELLO {socket}"
	up vyx.yaml
	sed "s/^listen:.*/listen: 127.0.0.1:$(free_port)/" vyx.yaml >second.yaml
	run ! timeout -k 1 "$VYX_WAIT" vyx up -f second.yaml -d "$RUN"
	[ "$status" != 124 ]
	assert_output --partial "$RUN"
	run -0 get hello /hello
}

@test "a taken port: a message with it, and nothing is left" {
	local port
	project
	worker hello "$HELLO {socket}"
	port=$(sed -n 's/^listen: .*://p' vyx.yaml)
	start taken socat "TCP-LISTEN:$port,bind=127.0.0.1,fork" -
	wait_until bash -c '[ -n "$(ss -Hltn "sport = :$1")" ]' - "$port"
	run ! timeout -k 1 20 vyx up -f vyx.yaml -d "$RUN"
	[ "$status" != 124 ]
	assert_output --partial ":$port"
	refute_output --partial 'ready http'
	wait_until no_stragglers "$RUN/"
}

@test "after kill -9 of the whole tree: the next up says so and serves" {
	local pids
	project
	worker hello "$HELLO {socket}"
	worker fd "$HELLO {fd}"
	up vyx.yaml
	mapfile -t pids < <(tree "${PID[up]}")
	kill -9 "${pids[@]}"
	stop up KILL || true
	# what s6 had yet to begin when its own end came
	pkill -9 -f -- "$RUN/" || true
	wait_until no_stragglers "$RUN/"
	up vyx.yaml
	run -0 get hello /hello
	run -0 get fd /hello
	down
}

@test "a socket path over 107 bytes: a message that says so" {
	local dir
	project
	worker hello "$HELLO {socket}"
	dir=$RUN/$(printf '%0100d' 0)
	run ! timeout -k 1 "$VYX_WAIT" vyx up -f vyx.yaml -d "$dir"
	[ "$status" != 124 ]
	assert_output --partial 107
}

@test "a worker not ready yet: 503; then it serves, and up says ready" {
	project
	worker late "$TESTS/workers/late.sh $WORK/now $HELLO {socket}"
	start up vyx up -f vyx.yaml -d "$RUN"
	URL=http://$(sed -n 's/^listen: //p' vyx.yaml)
	wait_until get late /hello -o answer -D head
	head -n 1 head | grep -q ' 503 '
	grep -qi '^retry-after: [0-9]' head
	run ! grep ^ready up.out
	touch now
	wait_until up_or_gone
	run -0 get late /hello
	assert_output hello
}

@test "405 with Allow, HEAD for GET, %2f refused, no route 404" {
	project
	printf '  %s\n' '- id: hello' "  command: $HELLO {socket}" \
	    '  routes: [{path: /hello, method: GET}]' >>vyx.yaml
	up vyx.yaml
	run -0 get x /hello -X POST -i
	assert_line --index 0 --partial ' 405 '
	assert_output --regexp $'\n[Aa]llow: [A-Z, ]*GET'
	run -0 get x /hello -I
	assert_line --index 0 --partial ' 200 '
	run -0 get x /a%2fhello -o /dev/null -w '%{http_code}'
	assert_output 400
	run -0 get x /none -w ' %{http_code}'
	assert_output --partial '"error":"route not found"'
	assert_output --partial ' 404'
}
