#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-reg(1): the registry for people and pipelines.
#
# Not tested here: what vyx-regd refuses, see vyx-regd.bats; a full stdout.

load lib/vyx

setup() {
	setup_run
}

teardown() {
	teardown_run
}

regd() {
	start_ready regd vyx-regd -d "$RUN"
}

@test "-V, -h: every command; wrong usage: 100 and no registry asked" {
	run -0 vyx-reg -V
	run -0 vyx-reg -h
	for c in ls get watch put del cas; do
		assert_line --regexp "^  $c "
	done
	run -100 vyx-reg
	run -100 vyx-reg -z
	run -100 vyx-reg list worker
	assert_output --partial "no command 'list'"
	run -100 vyx-reg ls
	assert_output --partial 'usage: vyx-reg ls TABLE [PREFIX]'
	run -100 vyx-reg ls workers
	assert_output --partial "no table 'workers'; there are: setting listener worker"
	run -100 vyx-reg get worker
	run -100 vyx-reg ls worker a b
	run -100 vyx-reg -T soon ls worker
	assert_output --partial 'is no time'
}

@test "put, get, del: the revision; 1 when it is gone" {
	regd
	run -0 vyx-reg put worker web command='python3 app.py {socket}' env=A=1 env='B=x y' max-size=16
	assert_output 1
	run -0 vyx-reg get worker web
	assert_output "$(cat <<-'X'
	key                web
	rev                1
	command            python3 app.py {socket}
	env                A=1
	env                B=x y
	max-size           16
	owner              op
	X
	)"
	# put is the whole row
	run -0 vyx-reg put worker web replicas=2
	assert_output 2
	run -0 vyx-reg get worker web -j
	assert_output '{"table":"worker","key":"web","rev":"2","replicas":2,"owner":"op"}'
	run -0 vyx-reg del worker web -j
	assert_output '{"rev":"3"}'
	run -1 vyx-reg get worker web
	assert_output 'vyx-reg: gone: there is no such row'
	run -1 vyx-reg del worker web
}

@test "cas: over that revision; 0: only a new row; else 1 and what it is" {
	regd
	run -0 vyx-reg cas setting a 0 value=1
	assert_output 1
	run -1 vyx-reg cas setting a 0 value=2
	assert_output 'vyx-reg: conflict: its revision is 1'
	run -0 vyx-reg cas setting a 1 value=2
	assert_output 2
	run -100 vyx-reg cas setting a one value=2
	assert_output --partial "'one' is no revision"
}

@test "cas by eight at once: each step is taken once" {
	regd
	vyx-reg put setting n value=0
	for i in 1 2 3 4 5 6 7 8; do
		start "c$i" bash -c 'for ((k = 0; k < 10;)); do
			IFS=$(printf "\t") read -r _ rev v _ < <(vyx-reg -t get setting n)
			vyx-reg cas setting n "$rev" "value=$((v + 1))" >/dev/null 2>&1 && k=$((k + 1))
		done; true'
	done
	for i in 1 2 3 4 5 6 7 8; do
		wait_until gone "${PID[c$i]}"
	done
	run -0 vyx-reg -t get setting n
	assert_output --regexp $'^n\t81\t80\top\t$'
}

@test "operands that cannot be: 100, which and why" {
	regd
	run -100 vyx-reg put worker w colour=red
	assert_output --partial "table worker has no column 'colour'"
	run -100 vyx-reg put worker w max-size=99999
	assert_output --partial "'max-size=99999': not a number, or too large"
	run -100 vyx-reg put worker w strategy='a b'
	assert_output --partial 'no single word'
	run -100 vyx-reg put worker w replicas
	assert_output --partial "'replicas' is not of the form col=value"
	run -100 vyx-reg put worker 'a b'
	assert_output --partial 'has a blank'
	run -1 vyx-reg put worker w owner=conf
	assert_output --partial 'denied: owner=conf is for vyx-conf alone'
	run -1 vyx-reg put proc p pid=1
	assert_output --partial 'denied: table proc has other writers'
}

@test "ls: aligned for people, empty columns left out, long values cut" {
	regd
	vyx-reg put worker a command="$(printf '%060d' 7)" env=A
	vyx-reg put worker longer max-size=4 env=A env=B
	run -0 vyx-reg ls worker
	assert_output "$(cat <<-'X'
	key     command                                   env    max-size  owner
	a       0000000000000000000000000000000000000...  A      -         op
	longer  -                                         A%0aB  4         op
	X
	)"
	run -0 vyx-reg ls worker lo
	assert_line --index 1 --regexp '^longer '
	[ ${#lines[@]} = 2 ]
	run -0 vyx-reg ls route
	[ -z "$output" ]
}

@test "-t: key, revision, the columns in the order of the map; no value makes a line or a tab" {
	regd
	vyx-reg put setting k value=$'a\tb\nc%d'
	run -0 vyx-reg -t ls setting
	assert_output $'k\t1\ta%09b%0ac%25d\top\t'
	columns=$(sed -n 's/.*X(SETTING, .*"\(value[a-z ]*\)").*/\1/p' "$ROOT/lib/vyx.h")
	assert_equal "$columns" 'value owner src'
}

@test "-j: JSON lines; numbers beyond 2^53 and revisions are strings" {
	regd
	vyx-reg put setting k value=$'a"b\\\n\xff' >/dev/null
	run -0 vyx-reg ls setting -j
	[ "$(jq -r .value <<<"$output")" = $'a"b\\\n\xef\xbf\xbd' ]
	[ "$(jq .rev <<<"$output")" = '"1"' ]
	vyx-reg put instance i restarts=3 since=9007199254740992
	vyx-reg put instance j since=9007199254740993
	run -0 vyx-reg ls instance -j
	assert_line --partial '"restarts":3,"since":9007199254740992'
	assert_line --partial '"since":"9007199254740993"'
}

@test "ls goes on after 1000 rows and after 256 KiB" {
	regd
	awk 'BEGIN { print "begin\nid=1\n"
	    for (i = 1; i <= 2500; i++)
	        printf "put\nid=2\ntable=setting\nkey=k%04d\nvalue=v\nowner=op\n\n", i
	    for (i = 1; i <= 30; i++)
	        printf "put\nid=2\ntable=schema\nkey=k%04d\ntext=%0100000d\nowner=op\n\n", i, i
	    print "commit\nid=3\n" }' | socat -t 9 - "UNIX-CONNECT:$RUN/regd/ops"
	run -0 vyx-reg -t ls setting
	assert_equal "${#lines[@]}" 2500
	[ "$(vyx-reg ls setting -j | jq -r .key | sort -u | wc -l)" = 2500 ]
	[ "$(vyx-reg -t ls setting k01 | wc -l)" = 100 ]
	[ "$(vyx-reg -t ls schema | wc -l)" = 30 ]
}

@test "watch: a line as it comes, for a pipeline; from REV; compacted: 1" {
	regd
	vyx-reg put worker a replicas=1 >/dev/null
	start watch bash -c 'vyx-reg watch worker setting -j | jq -c --unbuffered "[.verb, .key, .rev]"'
	wait_for watch.out '["synced",null,"1"]'
	vyx-reg put setting s value=1 >/dev/null
	wait_for watch.out '["commit",null,"2"]'
	vyx-reg del worker a >/dev/null
	wait_for watch.out '["commit",null,"3"]'
	run -0 cat watch.out
	assert_output "$(cat <<-'X'
	["snapshot",null,"1"]
	["row","a","1"]
	["synced",null,"1"]
	["put","s","2"]
	["commit",null,"2"]
	["del","a","3"]
	["commit",null,"3"]
	X
	)"
	start from vyx-reg -t watch worker setting from 1
	wait_for from.out $'commit\t3'
	run -0 cat from.out
	assert_line --index 0 $'put\tsetting\ts\t2\t1\top\t'
	assert_line --index 2 $'commit\t3'
	start people vyx-reg watch worker setting from 1
	wait_for people.out 'commit 3'
	wait_for people.out 'put setting s value=1 owner=op'
	wait_for people.out 'del worker a'
	run -1 vyx-reg watch worker from 99
	assert_output 'vyx-reg: compacted: ask again without from'
	stop regd
	wait_until gone "${PID[from]}"
	run -111 wait "${PID[from]}"
	grep -q 'vyx-regd has ended' from.err
	unset 'PID[from]'
}

@test "nobody answers, or not in time: 111 within -T" {
	run -111 timeout -k 1 4 vyx-reg -T 200ms ls worker
	assert_output --partial 'no vyx-regd answers'
	regd
	kill -STOP "${PID[regd]}"
	run -111 timeout -k 1 4 vyx-reg -T 200ms ls worker
	kill -CONT "${PID[regd]}"
	run -0 vyx-reg ls worker
}
