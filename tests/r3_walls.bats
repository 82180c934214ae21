#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Issue 3: what a worker must not come by. Each was so once.

load lib/vyx

setup() {
	setup_run
	chmod 755 "$WORK"
	cat >vyx.yaml <<-END
	project: {name: walls}
	listen: unix:$RUN/web
	workers:
	  - id: hello
	    command: vyx-hello {socket}
	    user: auto
	    routes: [{path: /*rest}]
	END
}

teardown() {
	[ ! -d "$RUN/env" ] || timeout -k 1 30 vyx down -d "$RUN" 2>/dev/null || true
	teardown_run
}

up() {
	start up vyx up -f vyx.yaml -d "$RUN"
	wait_for up.out "ready unix:$RUN/web"
}

pids_of() {
	s6-svstat -o pid "$RUN/sv/$1"
}

@test "no process of a worker's user has the secrets of who started the tree" {
	export JWT_SECRET=xyzzy
	up
	for s in hello@1 hello@1/log; do
		p=$(pids_of "$s")
		tr '\0' '\n' <"/proc/$p/environ" >environ
		grep -q '^PATH=' environ
		run ! grep -q xyzzy environ
	done
	stop up
}

@test "a worker has no descriptor of who started the tree" {
	exec 8<vyx.yaml 42<vyx.yaml
	up
	exec 8<&- 42<&-
	p=$(pids_of hello@1)
	[ -e "/proc/$p/fd/2" ]
	for f in "/proc/$p/fd"/*; do
		to=$(readlink "$f")
		case ${f##*/} in
		0) [ "$to" = /dev/null ] ;;
		1 | 2) [ "${to%%:*}" = pipe ] ;;
		*) # its own
			case $to in
			socket:* | anon_inode:*) ;;
			*) echo "${f##*/} is $to"; return 1 ;;
			esac ;;
		esac
	done
	stop up
}

@test "a run directory that others may write to is refused, and left alone" {
	mkdir "$RUN/open" "$RUN/group" "$WORK/victim"
	chmod 1777 "$RUN/open"
	chmod 770 "$RUN/group"
	for d in open group; do
		run -111 --separate-stderr timeout 20 vyx up -f vyx.yaml -d "$RUN/$d"
		[ "$stderr" = "vyx: $RUN/$d: other users may write there: choose another directory (-d), or chmod go-w it" ]
		[ -z "$(ls "$RUN/$d")" ]
	done
	[ "$(id -u)" = 0 ] || skip 'only root can be somebody else'
	mkdir "$RUN/theirs" "$RUN/theirs/log"
	ln -s "$WORK/victim" "$RUN/theirs/log/regd"
	chown -hR 65534 "$RUN/theirs"
	for how in "up -f vyx.yaml" tree; do
		# shellcheck disable=SC2086 # words
		run -111 --separate-stderr timeout 20 vyx $how -d "$RUN/theirs"
		[ "$stderr" = "vyx: $RUN/theirs: belongs to another user: choose another directory (-d)" ]
	done
	[ "$(stat -c %u "$WORK/victim")" = 0 ]
}

@test "nothing is left of a unix listener; one that another tree has stays" {
	up
	sed "s|hello|other|" vyx.yaml >other.yaml
	run -111 timeout 30 vyx up -f other.yaml -d "$RUN/2"
	[ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$RUN/web" http://x/hello)" = 200 ]
	stop up
	[ ! -e "$RUN/web" ]
}

@test "up leaves a tree alone that runs under another s6-svscan" {
	mkdir scan
	start scan s6-svscan scan
	vyx tree -d "$RUN" "$PWD/scan"
	ln -s "$RUN/sv/regd" scan/
	wait_until s6-svscanctl -a scan
	wait_until s6-svwait -U -t 1000 "$RUN/sv/regd"
	p=$(pids_of regd)
	run -111 --separate-stderr timeout 20 vyx up -f vyx.yaml -d "$RUN"
	[ "$stderr" = "vyx: $RUN: its services run under the s6-svscan of $PWD/scan: stop them (vyx down), or choose another directory (-d)" ]
	[ "$(pids_of regd)" = "$p" ]
	vyx down -d "$RUN"
}

@test "another user cannot stop a tree, and is told so" {
	[ "$(id -u)" = 0 ] || skip 'only root can be somebody else'
	up
	for w in down reload; do
		run -111 setpriv --reuid 65534 --regid 65534 --clear-groups vyx $w
		[ "$output" = "vyx: $RUN: belongs to another user" ]
	done
	vyx status >/dev/null
	stop up
}
