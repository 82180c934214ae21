#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-hello(1): a worker that answers, and misbehaves, on demand.
#
# Not tested here: accept= under load, the 64 KiB limit of a head.

load lib/vyx

setup() {
	setup_run
	S=$RUN/s
}

teardown() {
	teardown_run
}

hello() {
	start_ready hello vyx-hello "$S" "$@"
}

@test "text, status, head of the request" {
	hello
	run -0 ask "$S" /hello
	assert_output hello
	run -0 ask "$S" /fail/418 -o /dev/null -w '%{http_code}'
	assert_output 418
	run -0 ask "$S" /headers/x?y=1 -H 'X-Test: a b'
	assert_line --partial 'GET /headers/x?y=1 HTTP/1.1'
	assert_line --partial 'X-Test: a b'
	run -0 ask "$S" /nothing -w '%{http_code}'
	assert_line --partial 404
}

@test "the header Vyx-Hello stands for the path" {
	hello
	run -0 ask "$S" /any/path -H 'Vyx-Hello: /fail/409' -w '%{http_code}'
	assert_line --partial 409
}

@test "echo by length, in chunks, empty, with 100-continue" {
	hello
	head -c 3000000 /dev/urandom >body
	ask "$S" /echo --data-binary @body -o by-length
	cmp body by-length
	ask "$S" /echo -T - -o by-chunks <body
	cmp body by-chunks
	run -0 ask "$S" /echo -X POST -w '%{size_download}'
	assert_output 0
	run -0 ask "$S" /echo -v -H 'Expect: 100-continue' -d abc
	assert_line --partial '100 Continue'
}

@test "bytes, streams, trailers, a 103" {
	hello
	run -0 ask "$S" /bytes/1000000 -o out -w '%{size_download}'
	assert_output 1000000
	[ "$(head -c 64 out)" = "$(head -c 128 out | tail -c 64)" ]
	run -0 ask "$S" /stream/3/10/20 -o out -w '%{size_download}'
	assert_output 30
	run -0 raw "$S" <<<$'GET /trailers HTTP/1.1\r\nConnection: close\r\n\r'
	assert_line $'X-Sum: 42\r'
	run -0 raw "$S" <<<$'GET /103 HTTP/1.1\r\nConnection: close\r\n\r'
	assert_line --index 0 $'HTTP/1.1 103 Early Hints\r'
	assert_line hinted
}

@test "pipelined requests are answered in order on one connection" {
	hello
	printf 'GET /%s HTTP/1.1\r\n\r\n' sleep/50 hello headers >in
	printf 'GET /count HTTP/1.1\r\nConnection: close\r\n\r\n' >>in
	run -0 raw "$S" <in
	[[ "$output" == *slept*hello*headers*'"requests":4,"accepted":1'* ]]
}

@test "HEAD has no body, HTTP/1.0 no chunks" {
	hello
	run -0 ask "$S" /hello -I
	assert_line $'Content-Length: 6\r'
	run -0 raw "$S" <<<$'GET /stream/2/3/1 HTTP/1.0\r\n\r'
	assert_line 012012
	refute_line --partial chunked
}

@test "early answers before the body, and stays in step" {
	hello
	{
		printf 'POST /early/403 HTTP/1.1\r\nContent-Length: 5\r\n\r\n'
		sleep 0.3
		printf 'abcdeGET /hello HTTP/1.1\r\nConnection: close\r\n\r\n'
	} | raw "$S" >out
	grep -q '403' out
	[ "$(tail -n 1 out)" = hello ]
}

@test "close, hangup, half, reset, extra" {
	hello
	run -0 ask "$S" /close -i
	assert_line $'Connection: close\r'
	run -0 ask "$S" /hangup -i
	refute_line $'Connection: close\r'
	run -18 ask "$S" /half
	run -52 ask "$S" /reset
	run -0 raw "$S" <<<$'GET /extra HTTP/1.1\r\nConnection: close\r\n\r'
	assert_line stray
}

@test "ws: 101, then bytes come back; without Upgrade 426" {
	hello
	{
		printf 'GET /ws HTTP/1.1\r\nConnection: Upgrade\r\n'
		printf 'Upgrade: websocket\r\n\r\nping'
		sleep 0.2
		printf pong
	} | raw "$S" >out
	[ "$(head -n 1 out)" = $'HTTP/1.1 101 Switching Protocols\r' ]
	[ "$(tail -n 1 out)" = pingpong ]
	run -0 ask "$S" /ws -w '%{http_code}'
	assert_line --partial 426
}

@test "single: the second connection waits for the end of the first" {
	hello single
	start first socat -u "UNIX-CONNECT:$S" -
	wait_until grep -q " 03 [0-9]* $S\$" /proc/net/unix
	run -28 ask "$S" /hello -m 0.5
	stop first || true
	run -0 ask "$S" /hello
}

@test "close: each connection has one answer; jitter delays it" {
	hello close jitter=200ms
	printf 'GET /hello HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n\r\n' >in
	run -0 raw "$S" <in
	[ "$(grep -cx hello <<<"$output")" = 1 ]
}

@test "an inherited listening socket, by its number" {
	cat >pass.py <<-'PY'
	import os, socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1])
	s.listen()
	os.set_inheritable(s.fileno(), True)
	os.execvp("vyx-hello", ["vyx-hello", str(s.fileno())])
	PY
	start hello python3 pass.py "$S"
	wait_until test -S "$S"
	run -0 ask "$S" /hello
	assert_output hello
	kill -TERM "${PID[hello]}"
	wait_until gone "${PID[hello]}"
	[ -S "$S" ]
}

@test "SIGTERM: finishes what was begun, closes the idle, exits 0" {
	hello
	start idle socat -u "UNIX-CONNECT:$S" -
	ask "$S" /sleep/3000 >slow 3>&- &
	asked=$!
	wait_until sh -c 'curl -s --unix-socket "$1" http://w/count |
	    grep -q "\"open\":3"' - "$S"
	stop hello
	wait $asked
	[ "$(cat slow)" = slept ]
	[ ! -e "$S" ]
}

@test "SIGTERM: -T ends what takes too long" {
	start_ready hello vyx-hello -T 100ms "$S"
	ask "$S" /sleep/60000 >slow 2>&1 3>&- &
	asked=$!
	wait_until sh -c 'curl -s --unix-socket "$1" http://w/count |
	    grep -q "\"open\":2"' - "$S"
	stop hello
	if wait $asked; then false; fi
}

@test "nonsense of a client: 400, and the next is served" {
	hello
	run -0 raw "$S" <<<$'nonsense\r\n\r'
	assert_line --index 0 $'HTTP/1.1 400 Bad Request\r'
	run -0 ask "$S" /hello
}

@test "wrong usage is 100, a path that cannot be bound 111" {
	run -100 vyx-hello
	run -100 vyx-hello "$S" sometimes
	run -100 vyx-hello "$S" jitter=soon
	assert_output --partial "jitter=soon"
	run -100 vyx-hello "/$(printf '%0110d' 0)"
	run -111 vyx-hello "$RUN/none/s"
	run -100 timeout -k 1 9 vyx-hello ''
	echo precious >file
	run -111 timeout -k 1 9 vyx-hello file
	assert_output 'vyx-hello: file: a file that is no socket has that name'
	[ "$(cat file)" = precious ]
	run -100 vyx-hello 0 </dev/null
	run -0 vyx-hello -V
}
