#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Regressions of issue 3: what was left behind, taken wrongly, or held on to.

load lib/vyx

setup() {
	setup_run
	chmod 755 "$WORK"
	[ "$(id -u)" != 0 ] || chown nobody "$WORK"
	URL=http://127.0.0.1:$(free_port)
}

teardown() {
	teardown_run
}

# config [LINE...] - one worker, and more lines
config() {
	cat >vyx.yaml <<-YAML
	project: {name: test}
	workers:
	  - id: hello
	    command: vyx-hello {socket}
	    routes: [{path: /*rest}]
	YAML
	printf '%s\n' "$@" >>vyx.yaml
}

@test "the socket of a unix: listener goes with its listener, and with the tree" {
	config "listen: ['${URL#http://}', 'unix:$WORK/a', 'unix:$WORK/b']"
	up vyx.yaml
	curl -sSf --unix-socket "$WORK/b" http://x/hello
	sed -i "s|, 'unix:$WORK/b'||" vyx.yaml
	vyx reload -f vyx.yaml
	[ ! -e "$WORK/b" ]
	curl -sSf --unix-socket "$WORK/a" http://x/hello
	down
	[ ! -e "$WORK/a" ]
}

@test "down and reload take no operand, and leave the tree as it is" {
	config "listen: ${URL#http://}"
	up vyx.yaml
	run -100 vyx down "$RUN"
	[[ "$output" == *"down takes no operand, got '$RUN'"* ]]
	run -100 vyx reload "$RUN"
	[[ "$output" == *"reload takes no operand, got '$RUN'"* ]]
	curl -sSf "$URL/hello"
}

@test "a warning is said once" {
	config "listen: ${URL#http://}" 'nonsense: 1'
	up vyx.yaml
	[ "$(grep -c nonsense up.err)" = 1 ]
}

@test "another user is told that the registry is not for him" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	config "listen: ${URL#http://}"
	up vyx.yaml
	for c in 'vyx-reg ls worker' 'vyx-status' 'vyx-conf -f vyx.yaml apply'; do
		# shellcheck disable=SC2086 # words
		run setpriv --reuid 65534 --regid 65534 --clear-groups $c
		[ "$status" != 0 ]
		[[ "$output" == *'this uid may not connect here'* ]]
	done
}

# in_use N - connections to the worker that have an exchange
in_use() {
	[ "$(vyx status -j | jq -r 'select(.type == "pool") | .in_use')" = "$1" ]
}

@test "a client that takes a byte now and then does not keep a worker's connection" {
	config "listen: ${URL#http://}" \
	    'gateway: {write_timeout: 4s, body_min_rate: 10kb}'
	up vyx.yaml
	cat >slow.py <<-'PY'
	import socket, sys, time
	s = socket.socket()
	s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
	s.connect(("127.0.0.1", int(sys.argv[1])))
	s.sendall(b"GET /bytes/30000000 HTTP/1.1\r\nHost: x\r\n\r\n")
	while s.recv(100):
	    time.sleep(0.2)
	PY
	start slow python3 slow.py "${URL##*:}"
	wait_until in_use 1
	wait_until in_use 0
	run ! gone "${PID[slow]}" # it still takes what the kernel has for it
	stop slow || true
}
