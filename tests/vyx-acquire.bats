#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-acquire(1) with a real pool and a real worker.

load lib/vyx

setup() {
	setup_run
	mkdir "$RUN/pool"
	start_ready regd vyx-regd -d "$RUN"
	start_ready hello vyx-hello "$RUN/w.s"
	vyx-reg put worker w command=x replicas=1 min-idle=1 \
	    min-idle-explicit=1 max-size=1 idle-ms=30000 tunnels=2
	vyx-reg put endpoint 'w#1' worker=w source=superv path="$RUN/w.s" \
	    kind=local max=1 tunnels=2 warm=1 state=up
	start_ready pool vyx-poold -d "$RUN"
}

teardown() {
	teardown_run
}

GET='GET /count HTTP/1.1\r\nHost: w\r\n\r\n'

# once ARG... - one request, its whole answer read.
once() {
	timeout -k 1 9 vyx-acquire "$@" w python3 -c '
import socket, sys
s = socket.socket(fileno=6)
s.sendall(sys.argv[1].encode().decode("unicode_escape").encode())
got = b""
while b"\r\n\r\n" not in got:
    got += s.recv(4096)
head, body = got.split(b"\r\n\r\n", 1)
n = int(head.lower().split(b"content-length:")[1].split()[0])
while len(body) < n:
    body += s.recv(4096)
print(head.split()[1].decode())
' "$GET"
}

figure() {
	printf 'stat\n\n' | timeout 5 socat -t 5 - "UNIX-CONNECT:$RUN/pool/ctl" |
		awk -v RS= -v n="name=$1" '$2 == n { sub("value=", "", $3); print $3; exit }'
}

figure_is() {
	[ "$(figure "$1")" = "$2" ]
}

@test "a program talks to the worker by 6 and 7" {
	run -0 timeout -k 1 9 vyx-acquire w sh -c \
	    "printf 'GET /hello HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n' >&7
	    cat <&6; printenv PROTO VYX_INSTANCE"
	assert_line --partial 'HTTP/1.1 200'
	assert_line UNIX
	assert_line 'w#1'
}

@test "6 and 7 block, and it inherits nothing else of ours" {
	cat >show.py <<-'END'
	import fcntl, os
	print(fcntl.fcntl(6, fcntl.F_GETFL) & os.O_NONBLOCK)
	print([f for f in range(3, 64) if os.path.exists(f"/proc/self/fd/{f}")])
	END
	# what bats has open is not ours
	run -0 sh -c 'exec 3>&- 4>&- 5>&- 8>&- 9>&-; exec "$@"' - \
	    timeout -k 1 9 vyx-acquire w bash -c 'exec 10>&-; exec python3 show.py'
	assert_output $'0\n[6, 7]'
}

@test "without -k the connection ends; the next is another" {
	once
	once
	wait_until figure_is dials 3
}

@test "-k and exit 0: given back, and used again" {
	once -k
	once -k
	once -k
	wait_until figure_is idle-here 1
	figure_is dials 1
}

@test "-k, but an answer is left unread: it ends" {
	timeout -k 1 9 vyx-acquire -k w sh -c "printf '$GET' >&7; sleep 0.3"
	wait_until figure_is dials 2
}

@test "-k, but the program fails: it ends, and its status is ours" {
	run -3 timeout -k 1 9 vyx-acquire -k w sh -c 'exit 3'
	wait_until figure_is dials 2
	run -137 timeout -k 1 9 vyx-acquire -k w sh -c 'kill -9 $$'
}

@test "max is held: a second one waits its turn" {
	start first vyx-acquire w sh -c 'until [ -e go ]; do sleep 0.05; done'
	wait_until figure_is on-loan 1
	run -111 vyx-acquire -T 100ms w true
	assert_output --partial 'no connection in time'
	start second vyx-acquire -T 20s w touch turn
	wait_until figure_is waiting 1
	[ ! -e turn ]
	touch go
	wait_until test -e turn
}

@test "killed, its loan ends and the next gets one" {
	start first vyx-acquire w sleep 20
	wait_until figure_is on-loan 1
	stop first KILL || true
	# the program itself still has its descriptors
	run -0 vyx-acquire -T 10s w true
}
@test "SIGTERM is passed on" {
	start first vyx-acquire w sh -c 'trap "exit 7" TERM; while :; do sleep 0.05; done'
	wait_until figure_is on-loan 1
	local status=0
	stop first || status=$?
	[ "$status" = 7 ]
}

@test "no such worker, no instance up, no vyx-poold: 111 and why" {
	run -111 vyx-acquire -T 200ms nobody true
	assert_output --partial 'no instance is up'
	stop pool
	run -111 vyx-acquire -T 200ms w true
	assert_output --partial 'vyx-poold is away'
}

@test "no such program: 127; wrong usage: 100" {
	run -127 vyx-acquire w /no/such/program
	run -100 vyx-acquire w
	run -100 vyx-acquire -T soon w true
	run -100 vyx-acquire '' true
}
