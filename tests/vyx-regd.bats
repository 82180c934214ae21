#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-regd(8): rows, transactions, watches, sources, and the store below them.
#
# Not tested here: a power cut, want of memory, REGD_BYTES. The cursor of a
# snapshot and the ring are in tests/unit/watch.c, faults of the disk in
# tests/unit/store.c.

load lib/vyx
load lib/regd

setup() {
	setup_run
}

teardown() {
	teardown_run
}

@test "it makes its sockets and its store, and says it is ready" {
	umask 022
	regd
	for s in read seen ops; do
		[ "$(stat -c %F:%a "$RUN/regd/$s")" = socket:666 ]
	done
	[ "$(stat -c %a "$RUN/regd")" = 711 ]
	[ "$(stat -c %a "$RUN/state")" = 700 ]
	[ "$(stat -c %a "$RUN/state/regd.db")" = 600 ]
	[ "$(stat -c %a "$RUN/state/seen.db")" = 600 ]
	r ping | say ctl | grep -qx name=regd
	stop regd
	[ ! -e "$RUN/regd/read" ]
	[ ! -s regd.err ]
}

@test "-V, -h, wrong usage: 0, 0, 100" {
	run -0 vyx-regd -V
	assert_output --partial 'vyx-regd '
	run -0 vyx-regd -h
	run -100 vyx-regd -z
	run -100 vyx-regd operand
}

@test "-s is where the store is; XDG_STATE_HOME and -d are not, then" {
	regd -s "$WORK/elsewhere"
	[ -s "$WORK/elsewhere/regd.db" ]
	[ ! -e "$RUN/state" ]
}

@test "hello tells protocol, revision, boot; an older protocol is refused in words" {
	regd
	run -0 say read < <(role vyx-reg)
	assert_line proto=1
	assert_line name=regd
	assert_line --regexp '^boot=[0-9a-f-]{36}$'
	assert_line "host=$(hostname)"
	run -0 say read < <(r hello proto=0 role=x name=y; r get id=1 table=setting key=a)
	assert_line why=bad
	assert_line --partial 'protocol 0 is too old'
	refute_line id=1
}

@test "put, get, ls, del; answers in order, each with its id" {
	regd
	run -0 say ops < <(
		r put id=1 table=setting key=a value=1 owner=op
		r put id=2 table=setting key=ab value=2%0a%25 owner=op
		r put id=3 table=setting key=b value=3 owner=op
		r get id=4 table=setting key=ab
		r ls id=5 table=setting
		r ls id=6 table=setting prefix=a
		r ls id=7 table=setting after=a limit=1
		r del id=8 table=setting key=a
		r get id=9 table=setting key=a
		r del id=10 table=setting key=a
	)
	[ "$(flat <<<"$output")" = "$(cat <<-'X'
	ok rev=1
	ok rev=2
	ok rev=3
	row table=setting key=ab rev=2 value=2%0a%25 owner=op
	row table=setting key=a rev=1 value=1 owner=op
	row table=setting key=ab rev=2 value=2%0a%25 owner=op
	row table=setting key=b rev=3 value=3 owner=op
	end rev=3
	row table=setting key=a rev=1 value=1 owner=op
	row table=setting key=ab rev=2 value=2%0a%25 owner=op
	end rev=3
	row table=setting key=ab rev=2 value=2%0a%25 owner=op
	end rev=3 more=1
	ok rev=4
	no why=gone text=there is no such row
	no why=gone text=there is no such row
	X
	)" ]
	[ "$(grep ^id= <<<"$output" | uniq | tr -d '\n')" = \
	    id=1id=2id=3id=4id=5id=6id=7id=8id=9id=10 ]
}

@test "an equal row changes nothing and takes no revision" {
	regd
	run -0 say ops < <(
		r put id=1 table=worker key=w env=A env=B dir=/x owner=op
		r put id=2 table=worker key=w owner=op dir=%2fx env=A env=B
		r put id=3 table=worker key=w owner=op dir=/x env=B env=A
	)
	[ "$(flat <<<"$output" | tr '\n' ' ')" = 'ok rev=1 ok rev=1 ok rev=2 ' ]
}

@test "if-rev: only over that revision; 0: only where nothing is" {
	regd
	run -0 say ops < <(
		r put id=1 table=setting key=a value=1 owner=op if-rev=0
		r put id=2 table=setting key=a value=2 owner=op if-rev=0
		r put id=3 table=setting key=a value=2 owner=op if-rev=1
		r del id=4 table=setting key=a if-rev=1
		r del id=5 table=setting key=a if-rev=2
		r put id=6 table=setting key=a value=2 owner=op if-rev=2
	)
	[ "$(flat <<<"$output")" = "$(cat <<-'X'
	ok rev=1
	no why=conflict text=its revision is 1
	ok rev=2
	no why=conflict text=its revision is 2
	ok rev=3
	no why=conflict text=there is no such row
	X
	)" ]
}

@test "what is malformed is refused in words, and the next request is served" {
	regd
	run -0 say ops < <(
		r put id=1 table=setting key=a colour=red
		r nonsense
		r put id=2 table=nowhere key=a
		r put id=3 table=setting
		r put id=4 table=worker key=a max-size=many owner=op
		r get id=5 table=setting key=a
		r watch id=6
		r watch id=7 tables=nowhere
		r commit id=8
	)
	assert_line 'text=unknown field: colour'
	assert_line 'text=no such verb here: nonsense'
	assert_line 'text=no such table: table'
	assert_line 'text=a field is missing: key'
	assert_line 'text=not a number, or too large: max-size'
	assert_line 'text=there is no such row'
	assert_line --partial 'name the tables'
	assert_line 'text=no table nowhere'
	assert_line 'text=commit without begin'
	[ "$(figure revision)" = 0 ]
	# between daemons a field of a newer version is passed over
	run -0 say read < <(r get id=1 table=setting key=a colour=red)
	assert_line why=gone
}

@test "a record without an end is not waited for beyond 1 MiB; a row over it is too-big" {
	regd
	run say read < <(head -c 1100000 /dev/zero | tr '\0' x)
	grep -q 'record too long' regd.err
	{
		r put id=1 table=schema key=big owner=op "text=$(head -c 1040000 /dev/zero | tr '\0' x)"
		r put id=2 table=schema key=big owner=op "text=$(head -c 1048200 /dev/zero | tr '\0' x)"
	} >big
	run -0 say ops <big
	assert_line rev=1
	assert_line why=too-big
	# a peer that says no more still gets all of its answer
	run -0 bash -c "printf 'get\nid=1\ntable=schema\nkey=big\n\n' |
	    timeout 10 socat -t 10 - UNIX-CONNECT:$RUN/regd/read | { sleep 0.3; wc -c; }"
	[ "$output" -gt 1040000 ]
	wait_until figure_is connections 0
}

@test "what cannot be read spoils its transaction, all of it" {
	regd
	run -0 say ops < <(r begin id=1
		r put id=2 table=setting key=a value=1 owner=op
		r put id=3 table=setting key=b value=1 owner=op nonsense=1
		r commit id=4
		r begin id=5 nonsense=1
		r put id=6 table=setting key=c value=1 owner=op
		r commit id=7)
	run -0 flat <<<"$output"
	[ "$(grep -c '^no why=bad' <<<"$output")" = 2 ]
	run ! grep '^ok' <<<"$output"
	[ -z "$(vyx-reg ls setting)" ]
}

@test "begin ... commit: all or nothing, one answer, consecutive revisions" {
	regd
	run -0 say ops < <(
		r put id=1 table=setting key=x value=0 owner=op
		r begin id=2
		r put id=3 table=setting key=a value=1 owner=op
		r get id=4 table=setting key=a
		r put id=5 table=setting key=b value=1 owner=op
		r del id=6 table=setting key=x
		r del id=7 table=setting key=never
		r commit id=8
		r begin id=9
		r put id=10 table=setting key=c value=1 owner=op
		r put id=11 table=setting key=a value=2 owner=op if-rev=1
		r commit id=12
		r begin id=13
		r put id=14 table=setting key=d value=1
		r put id=15 table=setting key=e value=1 owner=op
		r commit id=16
		r begin id=17
		r begin id=18
		r put id=19 table=worker key=w owner=op
		r commit id=20
		r begin id=17
		r put id=19 table=worker key=w owner=op
		r commit id=20 if-rev=4
		r begin id=21
		r put id=22 table=setting key=z value=1 owner=op
		r commit id=23 if-rev=3
		r ls id=24 table=setting
	)
	[ "$(flat <<<"$output")" = "$(cat <<-'X'
	ok rev=1
	no why=gone text=there is no such row
	ok rev=4
	no why=conflict text=setting a: its revision is 2
	no why=bad text=setting d: owner must be op
	no why=bad text=begin within a transaction
	ok rev=5
	no why=conflict text=table setting has changed since
	row table=setting key=a rev=2 value=1 owner=op
	row table=setting key=b rev=3 value=1 owner=op
	end rev=5
	X
	)" ]
}

@test "replace-table: rows of that owner not put again go, and no others" {
	regd
	apply() {
		role vyx-conf
		r begin id=1 replace-table=worker replace-table=route replace-owner=conf
		for w; do
			r put id=2 table=worker key="$w" owner=conf
			r put id=3 table=route key="$w" owner=conf path=/x
		done
		r commit id=4
	}
	r put id=1 table=worker key=mine owner=op | say ops
	run -0 say ops < <(apply a b)
	assert_line rev=5
	run -0 say ops < <(apply a b)
	[ "$(flat <<<"$output" | tail -n 1)" = 'ok rev=5' ]
	run -0 say ops < <(apply b c)
	[ "$(flat <<<"$output" | tail -n 1)" = 'ok rev=9' ]
	[ "$(r ls id=1 table=worker | say read | grep ^key | tr '\n' ' ')" = \
	    'key=b key=c key=mine ' ]
	run -0 say ops < <(r begin id=1 replace-table=worker; r commit id=2
		r begin id=3 replace-table=nothing replace-owner=op; r commit id=4)
	assert_line --partial 'go together'
	assert_line why=unknown
}

@test "a transaction that ends with its connection has not happened" {
	regd
	r begin id=1 | say ops
	{ r begin id=1; r put id=2 table=setting key=a value=1 owner=op; } | say ops
	[ "$(figure revision)" = 0 ]
	# nor does it keep others out: four at a time
	for i in 1 2 3 4; do
		dial "t$i" ops
		eval "r begin id=1 >&\$t$i"
	done
	wait_until figure_is connections 4
	# what is behind a begin that was refused is no change of its own
	run -0 say ops < <(r begin id=9
		r put id=10 table=setting key=a value=1 owner=op; r commit id=11)
	assert_line id=11
	refute_line ok
	assert_line why=busy
	assert_line retry-ms=100
	stop t1 || true
	wait_until figure_is connections 3
	run -0 say ops < <(r begin id=9; r commit id=10)
	assert_line rev=0
}

@test "50,000 changes in one transaction, not one more" {
	regd
	awk 'BEGIN { print "begin\nid=1\n"
	    for (i = 1; i <= 50000; i++)
	        printf "put\nid=2\ntable=setting\nkey=k%d\nvalue=v\nowner=op\n\n", i
	    print "commit\nid=3\n" }' >many
	run -0 say ops <many
	assert_line rev=50000
	{ head -n 3 many; r put id=2 table=setting key=more value=v owner=op
		tail -n +4 many | sed 's/^value=v/value=w/'; } >more.in
	run -0 say ops <more.in
	assert_line why=too-big
	[ "$(figure revision)" = 50000 ]
	[ "$(figure rows)" = 50000 ]
}

@test "who may write what: each table on each socket for each program, by the map" {
	regd
	map() {
		sed -n '/define VYX_TABLES/,/^$/s/^\tX([A-Z]*,[ \t]*"\([a-z]*\)",[ \t]*[A-Z]*,[ \t]*"\([A-Z ]*\)".*/\1 \2/p' \
		    "$ROOT/lib/vyx.h"
	}
	tables=$(map | cut -d ' ' -f 1)
	[ "$(wc -w <<<"$tables")" -ge 10 ]
	for t in $tables; do
		writers=$(map | sed -n "s/^$t //p")
		for p in superv poold route conf reg vyx nobody; do
			fields=
			case $t in
			setting | listener | worker | route | schema) fields=owner=op ;;
			instance | endpoint | use) fields=source=s ;;
			esac
			want=denied
			[[ " $writers " != *" ${p^^} "* ]] || want=ok
			got=$({ role "vyx-$p"; r sync id=1 source=s
				r put id=77 table="$t" key=k $fields; } | say seen | flat77)
			echo "seen $t $p: want $want got $got"
			[ "$got" = "$want" ]
			want=denied
			[[ " $writers " != *" OPS "* ]] || want=ok
			got=$({ role "vyx-$p"; r put id=77 table="$t" key=k $fields
				r del id=78 table="$t" key=k; } | say ops | flat77)
			echo "ops $t $p: want $want got $got"
			[ "$got" = "$want" ]
			# the read socket has no such verb
			got=$({ role "vyx-$p"; r put id=77 table="$t" key=k $fields; } |
				say read | flat77)
			[ "$got" = bad ]
		done
	done
}

# The word of the answer to request 77; of a refusal its reason.
flat77() {
	awk -v RS= -F '\n' '$2 == "id=77" || ($1 == "no" && $2 == "id=0") {
	    print $1 == "no" ? substr($3, 5) : $1; exit }'
}

@test "rows of the configuration are vyx-conf's alone" {
	regd
	run -0 say ops < <(role vyx-conf; r put id=1 table=worker key=w owner=conf)
	assert_line rev=1
	run -0 say ops < <(role vyx-reg
		r put id=1 table=worker key=v owner=conf
		r put id=2 table=worker key=w owner=op
		r del id=3 table=worker key=w
		r put id=4 table=worker key=v owner=rpc command=sh)
	[ "$(grep -c ^why=denied <<<"$output")" = 3 ]
	assert_line why=bad
	[ "$(figure revision)" = 1 ]
	run -0 say ops < <(role vyx-conf; r del id=1 table=worker key=w)
	assert_line rev=2
}

@test "another user may not connect, and is told so" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	chmod 755 "$RUN"
	regd
	for s in read seen ops; do
		run -0 setpriv --reuid=65534 --clear-groups timeout 5 \
		    socat - "UNIX-CONNECT:$RUN/regd/$s" </dev/null
		assert_line why=denied
	done
	grep -q '"uid":65534' regd.err
	# the map names uids, when it holds: a router reads, and does not operate
	stop regd
	export VYX_UIDS=map
	regd
	uid=$(id -u vyxnet 2>/dev/null || echo 52003)
	as() {
		setpriv --reuid="$uid" --clear-groups timeout 5 \
		    socat -t 5 - "UNIX-CONNECT:$RUN/regd/$1"
	}
	run -0 as read < <(role vyx-route)
	assert_line proto=1
	# it may be gone before the second is written
	run as read < <(role vyx-poold; r get id=9 table=setting key=a)
	assert_line --partial 'is not that of vyx-poold'
	refute_line id=9
	run -0 as ops </dev/null
	assert_line why=denied
}

@test "watch: a snapshot in key order, then each change, a commit behind it" {
	regd
	r put id=1 table=worker key=b owner=op | say ops
	r put id=1 table=worker key=a owner=op env=x env=y | say ops
	r put id=1 table=setting key=no value=1 owner=op | say ops
	dial w read
	r watch id=5 tables=worker tables=route >&$w
	wait_until answers w.got 4
	r put id=1 table=setting key=no value=2 owner=op | say ops
	{ r begin id=1; r put id=2 table=worker key=c owner=op
		r put id=3 table=route key=r path=/ owner=op
		r del id=4 table=worker key=a; r commit id=5; } | say ops
	wait_until answers w.got 8
	[ "$(flat <w.got)" = "$(cat <<-'X'
	snapshot rev=3
	row table=worker key=a rev=2 owner=op env=x env=y
	row table=worker key=b rev=1 owner=op
	synced rev=3
	put table=worker key=c rev=5 owner=op
	put table=route key=r rev=6 owner=op path=/
	del table=worker key=a rev=7
	commit rev=7
	X
	)" ]
	[ "$(grep -c ^id=5 w.got)" = 8 ]
	r watch id=6 tables=worker >&$w
	wait_until answers w.got 9
	[ "$(flat <w.got | tail -n 1)" = 'no why=bad text=a connection watches once' ]
	[ "$(figure watchers)" = 1 ]
}

@test "watch from: what came since, in order; below the floor or of no life: compacted" {
	regd
	for i in 1 2 3; do
		r put id=1 table=setting key=k$i value=1 owner=op | say ops
	done
	dial w read
	r watch id=5 tables=setting from=1 >&$w
	wait_until answers w.got 4
	[ "$(flat <w.got)" = "$(cat <<-'X'
	ok rev=3
	put table=setting key=k2 rev=2 value=1 owner=op
	put table=setting key=k3 rev=3 value=1 owner=op
	commit rev=3
	X
	)" ]
	run -0 say read < <(r watch id=5 tables=setting from=4)
	assert_line why=compacted
	stop regd
	regd
	run -0 say read < <(r watch id=5 tables=setting from=2)
	assert_line why=compacted
	[ "$(figure floor)" = 1048576 ]
	run -0 say read < <(r watch id=5 tables=setting from=1048576)
	assert_line ok
}

@test "a watcher that does not read is cut with a message, others are not held up" {
	regd
	dial slow read
	dial quick read
	r watch id=5 tables=schema >&$slow
	r watch id=5 tables=schema >&$quick
	wait_until answers slow.got 2
	kill -STOP "${PID[slow]}"
	head -c 900000 /dev/zero | tr '\0' x >text
	for i in {1..14}; do
		r put id=1 table=schema key=k$i owner=op "text=$(<text)" | say ops
	done >answers
	[ "$(grep -c ^ok answers)" = 14 ]
	wait_until answers quick.got 30
	kill -CONT "${PID[slow]}"
	wait_until gone "${PID[slow]}"
	grep -qx why=slow slow.got
	[ "$(flat <slow.got | grep -c ^put)" -lt 14 ]
	[ "$(flat <quick.got | grep -c ^put)" = 14 ]
	[ "$(figure cut)" = 1 ]
	[ "$(figure ring-bytes)" -le 8388608 ]
	# from where it was, it must begin again
	run -0 say read < <(r watch id=5 tables=schema from=1)
	assert_line why=compacted
}

@test "a transaction over 4 MiB empties the ring" {
	regd
	r put id=1 table=setting key=a value=1 owner=op | say ops
	dial w read
	r watch id=5 tables=schema >&$w
	wait_until answers w.got 2
	head -c 900000 /dev/zero | tr '\0' x >text
	{ r begin id=1
		for i in 1 2 3 4 5; do
			r put id=2 table=schema key=$i owner=op "text=$(<text)"
		done
		r commit id=3; } | say ops | grep -qx rev=6
	wait_until gone "${PID[w]}"
	grep -qx why=slow w.got
	[ "$(figure floor)" = 6 ]
	[ "$(figure ring-bytes)" = 0 ]
}

@test "65 requests in one go: the connection ends with busy" {
	regd
	for i in {1..64}; do r get id=$i table=setting key=a; done >ask
	run -0 say read <ask
	[ "$(grep -c ^why=gone <<<"$output")" = 64 ]
	r get id=65 table=setting key=a >>ask
	run -0 say read <ask
	[ "$(grep -c ^why=gone <<<"$output")" = 64 ]
	assert_line why=busy
}

@test "1000 connections, and the next is told that this is all" {
	regd
	cat >many.py <<-'PY'
	import socket, sys, time
	all = []
	for i in range(1000):
	    s = socket.socket(socket.AF_UNIX)
	    s.connect(sys.argv[1])
	    s.sendall(b"hello\nproto=1\nrole=x\nname=y\n\n")
	    assert s.recv(4096).startswith(b"hello")
	    all.append(s)
	print("there", flush=True)
	time.sleep(60)
	PY
	start many python3 many.py "$RUN/regd/read"
	wait_for many.out there
	run say read </dev/null
	assert_line why=full
	[ "$(figure connections)" = 1000 ]
	stop many KILL || true
	wait_until figure_is connections 0
}

@test "sync ... synced: what its source does not name again goes" {
	regd
	sync() {
		role vyx-superv
		r sync id=1 source=s
		for e; do
			r put id=2 table=endpoint key="$e" source=s state=up
		done
		r synced id=3
	}
	dial a seen
	sync e1 e2 >&$a
	wait_until answers a.got 5
	[ "$(r get id=1 table=source key=s | say read | grep ^state)" = state=synced ]
	[ "$(flat <a.got | tail -n 4 | tr '\n' ' ')" = 'ok rev=1 ok rev=2 ok rev=3 ok rev=4 ' ]
	stop a || true
	stale() { r get id=1 table=source key=s | say read | grep -qx state=stale; }
	wait_until stale
	# its rows stay while it is away
	[ "$(r ls id=1 table=endpoint | say read | grep -c ^row)" = 2 ]
	dial b seen
	{ role vyx-superv; r sync id=1 source=s
		r put id=2 table=endpoint key=e2 source=s state=up; } >&$b
	wait_until answers b.got 3
	# and until it has told all
	[ "$(r ls id=1 table=endpoint | say read | grep -c ^row)" = 2 ]
	r synced id=3 >&$b
	wait_until answers b.got 4
	[ "$(r ls id=1 table=endpoint | say read | grep ^key)" = key=e2 ]
}

@test "a source is one connection's: the later one; and rows are their source's" {
	regd
	dial a seen
	{ role vyx-superv; r sync id=1 source=s
		r put id=2 table=endpoint key=e source=s; } >&$a
	wait_until answers a.got 3
	dial b seen
	{ role vyx-superv; r sync id=1 source=s; } >&$b
	wait_until answers b.got 2
	r put id=3 table=endpoint key=f source=s >&$a
	r synced id=4 >&$a
	wait_until answers a.got 5
	flat <a.got | grep -q 'no why=denied text=another connection speaks'
	flat <a.got | grep -q 'no why=denied text=synced without sync'
	stop a || true
	# its end is no longer the source's
	r get id=1 table=source key=s | say read | grep -qx state=syncing
	run -0 say seen < <(role vyx-superv
		r put id=1 table=endpoint key=e source=s
		r sync id=2 source=t
		r put id=3 table=endpoint key=e source=t
		r put id=4 table=endpoint key=g source=s
		r sync id=5 source=u)
	[ "$(flat <<<"$output" | tail -n 5)" = "$(cat <<-'X'
	no why=denied text=say sync first
	ok rev=4
	no why=denied text=the row is of source s
	no why=denied text=source must be t
	no why=bad text=a connection speaks for one source
	X
	)" ]
	# what s has not named again yet is not for t to delete
	run -0 say seen < <(role vyx-superv
		r sync id=1 source=t
		r synced id=2)
	r get id=1 table=endpoint key=e | say read | grep -qx source=s
}

@test "seen rows outlive regd, stale; not the boot" {
	regd
	dial a seen
	{ role vyx-superv; r sync id=1 source=s
		r put id=2 table=endpoint key=e source=s state=up
		r synced id=3; } >&$a
	wait_until answers a.got 4
	stop regd KILL || true
	regd
	run -0 say read < <(r get id=1 table=endpoint key=e
		r get id=2 table=source key=s)
	assert_line state=up
	assert_line state=stale
	stop regd
	sqlite3 "$RUN/state/seen.db" "UPDATE note SET value = 'another'"
	regd
	run -0 say read < <(r get id=1 table=endpoint key=e
		r get id=2 table=source key=s)
	[ "$(grep -c ^why=gone <<<"$output")" = 2 ]
	stop regd
	# a file that is none is no reason not to start either
	echo none >"$RUN/state/seen.db"
	regd
	grep -q 'seen rows are dropped' regd.err
}

@test "proc rows end with the connection that put them, by any death" {
	regd
	dial w read
	r watch id=5 tables=proc >&$w
	dial a seen
	{ role vyx-route; r put id=1 table=proc key=route.0 pid=7 state=ready; } >&$a
	dial b seen
	{ role vyx-route; r put id=1 table=proc key=route.1 pid=8; } >&$b
	wait_until answers b.got 2
	wait_until answers a.got 2
	stop a KILL || true
	gone_is() { flat <w.got | grep -q 'del table=proc key=route.0'; }
	wait_until gone_is
	[ "$(r ls id=1 table=proc | say read | grep ^key)" = key=route.1 ]
	# the successor has put its own before the old connection is seen to end
	dial c seen
	{ role vyx-route; r put id=1 table=proc key=route.1 pid=9; } >&$c
	wait_until answers c.got 2
	stop b || true
	wait_until figure_is connections 2
	[ "$(r ls id=1 table=proc | say read | grep ^pid)" = pid=9 ]
	stop regd KILL || true
	regd
	[ "$(figure rows)" = 0 ]
}

@test "revisions rise over all lives, and none is told twice" {
	regd
	last=0
	for i in 1 2 3; do
		rev=$(r put id=1 table=setting key=$i value=1 owner=op | say ops | sed -n 's/^rev=//p')
		[ "$rev" -gt "$last" ]
		last=$rev
		stop regd KILL || true
		regd
	done
	[ "$last" = $((2 * 1048576 + 1)) ]
	[ "$(r ls id=1 table=setting | say read | grep -c ^row)" = 3 ]
}

@test "the ceiling is raised before it is reached, also by rows in memory only" {
	regd
	stop regd
	sqlite3 "$RUN/state/regd.db" "UPDATE note SET value = 5 WHERE name = 'ceiling'"
	regd
	stop regd KILL || true
	[ "$(sqlite3 "$RUN/state/regd.db" 'SELECT value FROM note')" = 1048581 ]
}

@test "kill -9, five times under load: no acknowledged write is lost" {
	rounds 5
}

@test "SIGTERM: what was asked is answered and kept, 0" {
	regd
	start w bash -c 'for ((k = 0; k < 10000; k++)); do
		vyx-reg -T 5s put setting k.$k value=v >/dev/null || exit 0
		echo k.$k; done'
	wait_for w.out k.20
	stop regd
	stop w KILL || true
	regd
	while read -r k; do
		r get id=1 table=setting "key=$k"
	done <w.out | split -l 320 - ask.
	for f in ask.*; do say read <"$f"; done >got
	[ "$(grep -c ^row got)" = "$(wc -l <w.out)" ]
}

@test "two on one store, two on one run directory: each its own message, 111" {
	regd
	mkdir other
	run -111 vyx-regd -d other -s "$RUN/state"
	assert_output --partial 'another process has it open'
	run -111 vyx-regd -d "$RUN" -s elsewhere
	assert_output --partial 'another vyx-regd listens here'
	r ping | say ctl | grep -qx pong
}

@test "a store of a newer version, of something else, damaged: 102 and a message" {
	regd
	r put id=1 table=setting key=a value=1 owner=op | say ops
	stop regd
	cp "$RUN/state/regd.db" good
	sqlite3 "$RUN/state/regd.db" 'PRAGMA user_version = 2'
	run -102 vyx-regd -d "$RUN"
	assert_output --partial 'is of version 2, this program knows up to 1'
	cp good "$RUN/state/regd.db"
	sqlite3 "$RUN/state/regd.db" 'PRAGMA application_id = 1'
	run -102 vyx-regd -d "$RUN"
	assert_output --partial 'something else'
	cp good "$RUN/state/regd.db"
	dd if=/dev/urandom of="$RUN/state/regd.db" bs=1000 count=3 seek=2 conv=notrunc status=none
	run -102 vyx-regd -d "$RUN"
	assert_output --partial 'regd.db: '
	cp good "$RUN/state/regd.db"
	sqlite3 "$RUN/state/regd.db" "UPDATE row SET cols = 'value'"
	run -102 vyx-regd -d "$RUN"
	assert_output --partial 'row setting a'
	# a column that this version does not know is passed over
	cp good "$RUN/state/regd.db"
	sqlite3 "$RUN/state/regd.db" "UPDATE row SET cols = cols || 'newer=1' || char(10)"
	regd
	r get id=1 table=setting key=a | say read | grep -qx value=1
}

@test "a state directory that cannot be: a message, 111" {
	run -111 vyx-regd -d "$RUN" -s "$WORK/no/such"
	assert_output --partial "$WORK/no/such: cannot make the state directory"
	touch file
	run -111 vyx-regd -d "$RUN" -s file
	run -111 vyx-regd -d "$WORK/nowhere" -s state
	assert_output --partial nowhere
	run -100 vyx-regd -d "/tmp/$(printf '%0100d' 0)" -s state
	assert_output --partial 'too long'
}

@test "a full disk: nothing is acknowledged that is not kept, 111" {
	# as many blocks as the store may grow to
	bash -c "ulimit -f 400; exec vyx-regd -d '$RUN' -n 7" 7>ready 2>regd.err 3>&- &
	PID[regd]=$!
	wait_until test -s ready
	# the get has an answer at once, which must not take the other's along
	for i in {1..400}; do
		{ r get id=1 table=setting key=none
			r put id=2 table=setting key=k$i owner=op value=$i; } >both
		say ops <both 2>say.err | flat | grep -q '^ok rev=' || break
		echo k$i
	done >acked
	[ "$(wc -l <acked)" -gt 2 ]
	[ "$(wc -l <acked)" -lt 400 ]
	run -111 wait "${PID[regd]}"
	unset 'PID[regd]'
	grep -q 'nothing more is acknowledged' regd.err
	regd
	vyx-reg -t ls setting | cut -f 1 | sort >there
	[ -z "$(sort acked | comm -23 - there)" ]
}

@test "seen rows on a full disk stay in memory, and are written when there is room" {
	[ "$(id -u)" = 0 ] || skip 'needs root, for a small disk'
	mkdir small
	mount -t tmpfs -o size=600k tmpfs small || skip 'no tmpfs here'
	regd -s small
	head -c 700k /dev/zero >small/fill 2>/dev/null || true
	dial a seen
	{ role vyx-superv; r sync id=1 source=s
		for i in {1..40}; do
			r put id=2 table=endpoint key=e$i source=s "path=$(printf '%04000d' 0)"
		done; r synced id=3; } >&$a
	wait_until answers a.got 43
	[ "$(grep -c ^ok a.got)" = 42 ]
	grep -q 'seen rows are in memory only' regd.err
	rm small/fill
	sleep 1.1
	r put id=4 table=endpoint key=e1 source=s state=up >&$a
	wait_until grep -q 'seen rows are on disk again' regd.err
	stop regd KILL || true
	regd -s small
	[ "$(r ls id=1 table=endpoint | say read | grep -c ^row)" = 40 ]
	stop regd
	umount small
}
