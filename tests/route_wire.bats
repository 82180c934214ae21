#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The dialogues of wire/*.case, each by what its RFC says; lib/wire_case.py
# says how they are written.

load lib/vyx

setup() {
	setup_run
}

teardown() {
	teardown_run
}

# wire FILE... - those case files.
wire() {
	timeout -k 1 80 python3 "$TESTS/lib/wire.py" "$@"
}

# of_wire NAME - that one of ours.
of_wire() {
	wire "$TESTS/wire/$1.case"
}

@test "each case file is run here" {
	local f
	for f in "$TESTS"/wire/*.case; do
		f=${f##*/}
		grep -q "^	of_wire ${f%.case}\$" "$BATS_TEST_FILENAME" || fail "$f"
	done
}

@test "a dialogue that is not as its case says fails" {
	local seen='GET /a' said='HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' n=0
	# bad LINE... - a case that is right but for these lines
	bad() {
		n=$((n + 1))
		printf 'case: %s %d\nrfc: 9112 3\n' "$*" $n
		[[ "$*" == *'> '* ]] || printf '> GET /a HTTP/1.1\n> Host: h\n>\n'
		printf '%s\n' "$@"
		[[ "$*" == *then:* ]] || echo 'then: open'
		[[ "$*" == *seen:* ]] || echo "seen: $seen"
		echo
	}
	{
		bad 'want: 201'
		bad 'want: 204|404'
		bad 'want: 200' 'body: okk'
		bad 'want: 200' 'body:'
		bad 'want: 200' 'has: Content-Length: 3'
		bad 'want: 200' 'like: Date: [0-9]+'
		bad 'want: 200' 'not: content-length'
		bad 'want: 200' 'trailer: A: b'
		bad 'want: 200' 'cut:'
		bad 'want: 200 HEAD'
		bad 'want: 200' 'then: ends'
		bad 'want: 200' 'seen: none'
		bad 'want: 200' 'seen: GET /b'
		bad 'want: 200' 'seen: GET /a' 'seen: GET /a'
		bad 'want: 200' 'seen: cut GET /a'
		bad 'want: 200' 'seen: GET /a' 'has: Host: i'
		bad 'want: 200' 'seen: GET /a' 'not: Via'
		bad 'want: 200' 'seen: GET /a' 'body: x'
		bad 'want: 200' 'link: dropped'
		bad "< ${said/OK/OK\\r\\nConnection: close}\\" 'want: 200' 'link: kept'
		bad "> GET / HTTP/1.1" '>' 'want: 400' 'then: open' 'seen: none'
	} >bad.case
	run wire -t 0.5 bad.case
	assert_failure 1
	assert_line "bad.case: $n cases, $n bad"
}

@test "a request more than its case tells of fails it" {
	cat >stray.case <<-'EOC'
		case: a request behind that which is told
		rfc: 9112 3
		> GET /a HTTP/1.1
		> Host: h
		>
		> GET /b HTTP/1.1
		> Host: h
		>
		want: 200
		then: open
		seen: GET /a
	EOC
	run wire -t 1 stray.case
	assert_failure 1
	assert_line --partial 'out of step'
	assert_line --partial "not ['GET /a']"
}

@test "a case file that is none is refused" {
	local line
	for line in 'wnat: 200' 'then: rests' '> \q' 'worker: sleeps' \
	    'link: warm' 'no line'; do
		printf 'case: x\nrfc: 9112 3\n%s\nthen: ends\nseen: none\n' \
		    "$line" >none.case
		run wire -t 1 none.case
		assert_failure
		assert_output --partial "none.case:3: $line"
	done
	for line in 'rfc' 'then' 'seen'; do
		printf 'case: x\nrfc: 9112 3\nthen: ends\nseen: none\n' |
		    sed "/^$line/d" >none.case
		run wire -t 1 none.case
		assert_failure
		assert_output --partial "x: no \`$line:\`"
	done
	printf 'case: x\nrfc: section 3\nthen: ends\nseen: none\n' >none.case
	run wire -t 1 none.case
	assert_failure
	assert_output --partial 'names no section'
}

@test "what workers say, and what becomes of it" {
	of_wire answers
}

@test "Transfer-Encoding and chunks" {
	of_wire chunked
}

@test "Connection, fields of one hop, TE" {
	of_wire connection
}

@test "Content-Length" {
	of_wire content_length
}

@test "Expect: 100-continue" {
	of_wire expect
}

@test "names and values of fields" {
	of_wire fields
}

@test "Host" {
	of_wire host
}

@test "Via, Forwarded, X-Forwarded-*, X-Request-Id: who says what of himself" {
	of_wire identity
}

@test "workers and connections that rest" {
	of_wire idle
}

@test "limits, and time" {
	of_wire limits
}

@test "HEAD, OPTIONS, TRACE, CONNECT, and methods nobody knows" {
	of_wire methods
}

@test "requests behind each other, answers in their order, tries again" {
	of_wire persistence
}

@test "the request line" {
	of_wire request_line
}

@test "no spelling of a path gets past the roles of its route" {
	of_wire roles
}

@test "requests within requests" {
	of_wire smuggling
}

@test "the request target, and the one form of a path" {
	of_wire target
}

@test "trailer sections, of requests and of answers" {
	of_wire trailers
}

@test "upgrades: to websocket, on a route for it, and to nothing else" {
	of_wire websocket
}
