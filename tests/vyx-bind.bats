#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-bind(8): listening sockets that outlive who uses them.
#
# Not tested here: more than 64 listeners, a port of a process that /proc does
# not show us.

load lib/vyx

setup() {
	setup_run
	mkdir -p "$RUN/fdholder" "$RUN/regd"
	cp -R "$ROOT/sv/fdholder/data" data
	start holder s6-fdholder-daemon -i data/rules "$RUN/fdholder/s"
	wait_until test -S "$RUN/fdholder/s"
	port=$(free_port)
}

teardown() {
	teardown_run
}

regd() {
	start_ready regd vyx-regd -d "$RUN" -s "$WORK/state"
}

listener() {
	vyx-reg put listener "$1" http=1.1 owner=op >/dev/null
}

# bound ARG... - what PROG finds in VYX_LISTEN
bound() {
	timeout -k 1 10 vyx-bind "$@" sh -c 'echo "$VYX_LISTEN"'
}

sockets() {
	ss -Hltn "sport = :$1" | wc -l
}

@test "a socket each slot and address, left with fdholder, given to PROG" {
	regd
	listener "127.0.0.1:$port"
	listener "[::1]:$port"
	run -0 --separate-stderr bound -w 3 1
	[ "$(echo "$output" | tr ' ' '\n' | sed 's/^[0-9]*://' | sort | tr '\n' ' ')" = \
	    "0:127.0.0.1:$port 0:[::1]:$port 1:127.0.0.1:$port 1:[::1]:$port 2:127.0.0.1:$port 2:[::1]:$port " ]
	[ "$(sockets "$port")" = 6 ]
	[ "$(s6-fdholder-list "$RUN/fdholder/s" | grep -c ^listen:)" = 6 ]
	run -0 timeout 10 vyx-bind -w 3 0 sh -c \
	    'for s in $VYX_LISTEN; do readlink /proc/self/fd/${s%%:*}; done | sort -u | wc -l'
	[ "$output" = 6 ]
	[ "$(sockets "$port")" = 6 ]
}

@test "the same sockets come back, also while the registry is away" {
	regd
	listener "127.0.0.1:$port"
	bound -w 2 0
	inode=$(ss -Hltne "sport = :$port" | grep -o 'ino:[0-9]*' | sort)
	stop regd
	run -0 --separate-stderr bound -w 2 1
	[ "$(echo "$output" | wc -w)" = 2 ]
	[ "$(ss -Hltne "sport = :$port" | grep -o 'ino:[0-9]*' | sort)" = "$inode" ]
}

@test "a client that connected while nobody ran PROG is served by the next" {
	regd
	listener "127.0.0.1:$port"
	bound 0
	curl -sS -m 10 "http://127.0.0.1:$port/hello" >answer 3>&- &
	client=$!
	sleep 0.3
	start hello vyx-bind 0 sh -c 'exec vyx-hello "${VYX_LISTEN%%:*}"'
	wait $client
	[ -s answer ]
}

@test "a listener that is not wanted any more is let go" {
	regd
	listener "127.0.0.1:$port"
	bound -w 2 0
	vyx-reg del listener "127.0.0.1:$port"
	listener "127.0.0.1:$((port + 1))"
	run -0 --separate-stderr bound -w 1 0
	[ "$(s6-fdholder-list "$RUN/fdholder/s")" = "listen:0:127.0.0.1:$((port + 1))" ]
	[ "$(sockets "$port")" = 0 ]
}

@test "a taken port: the message names address and process" {
	regd
	listener "127.0.0.1:$port"
	start other socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseport" -
	wait_until sh -c "[ -n \"\$(ss -Hltn 'sport = :$port')\" ]"
	run -111 bound 0
	[[ "$output" == "vyx-bind: cannot listen on 127.0.0.1:$port: it is taken by process ${PID[other]}: "* ]]
	[ -z "$(s6-fdholder-list "$RUN/fdholder/s")" ]
}

@test "a port taken on every address is taken on ours too" {
	regd
	listener "127.0.0.1:$port"
	start other socat "TCP-LISTEN:$port" -
	wait_until sh -c "[ -n \"\$(ss -Hltn 'sport = :$port')\" ]"
	run -111 bound 0
	[[ "$output" == *"taken by process ${PID[other]}"* ]]
}

@test "two slots at once do not bind twice" {
	regd
	listener "127.0.0.1:$port"
	for i in 0 1 2 3; do
		bound -w 4 $i >out.$i 3>&- &
		all="${all:-} $!"
	done
	wait $all
	[ "$(s6-fdholder-list "$RUN/fdholder/s" | wc -l)" = 4 ]
	[ "$(sockets "$port")" = 4 ]
}

@test "no listener yet: it waits, -T long at most" {
	regd
	run -111 timeout 10 vyx-bind -T 300ms 0 true
	[[ "$output" == *'no listener is wanted yet'* ]]
	timeout 10 vyx-bind 0 touch ran 3>&- &
	sleep 0.5
	[ ! -e ran ]
	listener "127.0.0.1:$port"
	wait $!
	[ -e ran ]
}

@test "unix: is one socket for all slots, open to every local user" {
	regd
	listener "unix:$RUN/http"
	run -0 --separate-stderr bound -w 2 1
	[[ "$output" == *":1:unix:$RUN/http" ]]
	[ "$(stat -c %a "$RUN/http")" = 666 ]
	[ "$(s6-fdholder-list "$RUN/fdholder/s")" = "listen:0:unix:$RUN/http" ]
}

@test "unix: a stale file is replaced, a live one and any other file are not" {
	regd
	listener "unix:$RUN/http"
	bound 0
	s6-fdholder-delete "$RUN/fdholder/s" "listen:0:unix:$RUN/http"
	run -0 --separate-stderr bound 0
	s6-fdholder-delete "$RUN/fdholder/s" "listen:0:unix:$RUN/http"
	rm "$RUN/http"
	start other socat "UNIX-LISTEN:$RUN/http,fork" -
	wait_until test -S "$RUN/http"
	run -111 bound 0
	[[ "$output" == *'taken by another process'* ]]
	stop other || true
	rm -f "$RUN/http"
	echo precious >"$RUN/http"
	run -111 bound 0
	[[ "$output" == *'no socket has that name'* ]]
	[ "$(cat "$RUN/http")" = precious ]
}

@test "fdholder away: it binds and runs PROG all the same" {
	regd
	listener "127.0.0.1:$port"
	stop holder || true
	run -0 --separate-stderr bound -w 2 0
	[ "$(echo "$output" | wc -w)" = 2 ]
	[[ "$stderr" == *'not kept by fdholder'* ]]
}

@test "something else under our name in fdholder is not given to PROG" {
	regd
	listener "127.0.0.1:$port"
	s6-fdholder-store "$RUN/fdholder/s" "listen:0:127.0.0.1:$port" </dev/null
	run -0 --separate-stderr bound 0
	[ "$(sockets "$port")" = 1 ]
}

@test "-i: a worker's socket is descriptor 3, with LISTEN_FDS and LISTEN_PID" {
	run -0 timeout 10 vyx-bind -i w:a "$RUN/s" sh -c \
	    'echo "$LISTEN_FDS $((LISTEN_PID - $$))"; readlink /proc/self/fd/3; ls /proc/self/fd | wc -w'
	[ "${lines[0]}" = '1 0' ]
	first=${lines[1]}
	[[ "$first" == socket:* ]]
	[ "$(stat -c %a "$RUN/s")" = 770 ]
	run -0 timeout 10 vyx-bind -i w:a "$RUN/s" readlink /proc/self/fd/3
	[ "$output" = "$first" ]
}

@test "wrong usage is 100, a program that is not there 127" {
	run -100 vyx-bind
	run -100 vyx-bind 0
	run -100 vyx-bind -w 0 0 true
	run -100 vyx-bind -w 66 0 true
	run -100 vyx-bind -w 2 2 true
	run -100 vyx-bind -T soon 0 true
	run -100 vyx-bind -i name /path
	run -102 vyx-bind -i name relative true
	run -127 vyx-bind -i name "$RUN/s" nosuchprogram
	run -0 vyx-bind -h
	[[ "$output" == *'usage: vyx-bind'* ]]
}
