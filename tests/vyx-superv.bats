#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-superv(8): rows of `worker` become services of s6, and back.
#
# Under a bare tree: fdholder, regd, superv, run by s6-svscan. What vyx-poold
# would say (use.drained) is put by hand.
#
# Not tested here: a row whose owner is rpc (nobody can write one yet), a full disk, more than 1000 automatic uids, inotify's queue
# running over.

load lib/vyx

setup() {
	setup_run
	vyx tree -d "$RUN"
	for s in fdholder regd superv; do
		ln -s "../sv/$s" "$RUN/scan/$s"
	done
	dir=$WORK
	chmod 755 "$WORK"
	echo 'exec sleep 1000' >idle.sh
	[ "$(id -u)" != 0 ] || chown nobody "$WORK"
}

teardown() {
	[ ! -d "$RUN/env" ] || timeout -k 1 30 vyx down -d "$RUN" 2>/dev/null || true
	teardown_run
}

# scan - start s6-svscan and wait for vyx-superv.
scan() {
	start scan s6-svscan -c 1000 "$RUN/scan"
	wait_until is_ready superv
}

is_ready() {
	[ "$(s6-svstat -o ready "$RUN/sv/$1" 2>/dev/null)" = true ]
}

# worker ID COMMAND COLUMN=VALUE... - a row as vyx-conf would put it.
worker() {
	local id=$1 command=$2 c
	shift 2
	for c in dir="$dir" owner=op protocol=http mode=local replicas=1 \
	    shutdown-ms=60000 max-size=16 min-idle=2 tunnels=10; do
		case " $*" in
		*" ${c%%=*}="*) ;;
		*) set -- "$@" "$c" ;;
		esac
	done
	vyx-reg put worker "$id" command="$command" "$@" >/dev/null
}

# column TABLE KEY NAME
column() {
	vyx-reg -j get "$1" "$2" 2>/dev/null | jq -r --arg n "$3" '.[$n] // empty'
}

# keys TABLE - the keys of its rows, in one line
keys() {
	vyx-reg -j ls "$1" | jq -r .key | tr '\n' ' ' | sed 's/ $//'
}

is() {
	[ "$(column "$1" "$2" "$3")" = "$4" ]
}

# becomes TABLE KEY NAME VALUE
becomes() {
	wait_until is "$@" && return
	echo "$1 $2: $3 is '$(column "$1" "$2" "$3")', not '$4'"
	vyx-reg -j ls "$1"
	return 1
}

keys_are() {
	[ "$(keys "$1")" = "$2" ]
}

# have TABLE KEYS
have() {
	wait_until keys_are "$@" && return
	echo "$1 has '$(keys "$1")', not '$2'"
	return 1
}

answers() {
	[ "$(ask "$RUN/w/$1/s" /pid 2>/dev/null)" != '' ]
}

# at_least N COMMAND... - what it prints is a number, and no smaller one
at_least() {
	local n=$1
	shift
	[ "$("$@" 2>/dev/null || echo -1)" -ge "$n" ] 2>/dev/null
}

@test "a row becomes a ready instance with an endpoint, its removal ends all" {
	scan
	worker hello 'vyx-hello {socket}'
	becomes instance 'hello#1' state ready
	is instance 'hello#1' worker hello
	is instance 'hello#1' source superv
	[ -d "/proc/$(column instance 'hello#1' pid)" ]
	becomes endpoint 'hello#1' state up
	is endpoint 'hello#1' path "$RUN/w/hello@1/s"
	is endpoint 'hello#1' kind local
	is endpoint 'hello#1' max 16
	is endpoint 'hello#1' warm 2
	answers hello@1
	vyx-reg del worker hello
	becomes endpoint 'hello#1' state draining
	vyx-reg put use 'hello#1' source=poold drained=1
	have instance ''
	have endpoint ''
	[ ! -e "$RUN/sv/hello@1" ]
	[ ! -e "$RUN/w/hello@1" ]
	[ ! -e "$RUN/scan/hello@1" ]
	[ -e "$RUN/log/hello@1/current" ]
	run ! grep "worker ended" "$RUN/log/superv/current"
}

@test "the service directory is complete, and its files are private where it matters" {
	scan
	worker hello 'vyx-hello {socket}' env=SECRET=xyzzy
	becomes instance 'hello#1' state ready
	cd "$RUN/sv/hello@1"
	for f in run finish notification-fd timeout-kill down-signal max-death-tally log/run data/check; do
		[ -s $f ]
	done
	[ "$(stat -c %a run)" = 700 ]
	[ "$(stat -c %a env)" = 700 ]
	[ "$(cat env/SECRET)" = xyzzy ]
	run ! grep -r xyzzy run log
	[ "$(stat -c %a "$RUN/w/hello@1")" = 2710 ]
	[ "$(stat -c %a "$RUN/w/hello@1/s")" = 770 ]
	[ -z "$(ls -A "$RUN/sv" | grep '^\.')" ]
}

@test "a worker whose name begins with a dot runs, is adopted, and goes" {
	scan
	worker ..hid 'vyx-hello {socket}' shutdown-ms=100
	becomes instance '..hid#1' state ready
	answers +..hid@1
	s6-svc -wR -T 20000 -r "$RUN/sv/superv"
	worker ..hid 'vyx-hello {socket}' shutdown-ms=100 env=A=1
	becomes instance '..hid#2' state ready
	have instance '..hid#2'
	vyx-reg del worker ..hid
	have instance ''
	[ -z "$(find "$RUN/sv" "$RUN/w" "$RUN/scan" -name '*hid*')" ]
}

@test "replicas: a change starts or stops just the difference" {
	scan
	worker hello 'vyx-hello {socket}' replicas=2
	becomes instance 'hello-0#1' state ready
	becomes instance 'hello-1#2' state ready
	local pid
	pid=$(column instance 'hello-0#1' pid)
	worker hello 'vyx-hello {socket}' replicas=3
	becomes instance 'hello-2#3' state ready
	worker hello 'vyx-hello {socket}' replicas=1
	becomes endpoint 'hello-1#2' state draining
	vyx-reg put use 'hello-1#2' source=poold drained=1
	vyx-reg put use 'hello-2#3' source=poold drained=1
	have instance 'hello-0#1'
	is instance 'hello-0#1' pid "$pid"
}

@test "a changed row: the successor is ready before the old one drains" {
	scan
	worker hello 'vyx-hello {socket}'
	becomes endpoint 'hello#1' state up
	worker hello 'vyx-hello {socket}' env=A=1
	becomes endpoint 'hello#2' state up
	becomes endpoint 'hello#1' state draining
	becomes instance 'hello#1' state draining
	answers hello@1
	vyx-reg put use 'hello#1' source=poold drained=1
	have instance 'hello#2'
	answers hello@2
}

@test "of each place three logs are kept" {
	scan
	for i in 1 2 3 4 5; do
		worker hello 'vyx-hello {socket}' env=A=$i shutdown-ms=1
		becomes instance "hello#$i" state ready
	done
	have instance 'hello#5'
	[ "$(ls "$RUN/log" | grep hello | tr '\n' ' ')" = 'hello@3 hello@4 hello@5 ' ]
}

@test "a row that does not say how long is drained too" {
	scan
	vyx-reg put worker bare command='vyx-hello {socket}' dir="$dir" owner=op protocol=http
	becomes endpoint 'bare#1' state up
	vyx-reg del worker bare
	becomes endpoint 'bare#1' state draining
	vyx-reg put use 'bare#1' source=poold drained=1
	have instance ''
}

@test "not drained in time: stopped all the same" {
	scan
	worker hello 'vyx-hello {socket}' shutdown-ms=300
	becomes endpoint 'hello#1' state up
	vyx-reg del worker hello
	have instance ''
}

@test "a successor that does not become ready leaves the old one running" {
	scan
	worker hello 'vyx-hello {socket}'
	becomes endpoint 'hello#1' state up
	worker hello 'sh idle.sh {socket}' startup-ms=500
	becomes instance 'hello#2' state failed
	becomes instance 'hello#2' text 'not ready within its startup_timeout'
	is endpoint 'hello#1' state up
	answers hello@1
	wait_until sh -c '[ "$(s6-svstat -o up "$0")" = false ]' "$RUN/sv/hello@2"
	worker hello 'vyx-hello {socket}' startup-ms=5000
	have instance 'hello#1'
	is endpoint 'hello#1' state up
}

@test "pool settings alone start nothing" {
	scan
	worker hello 'vyx-hello {socket}'
	becomes endpoint 'hello#1' max 16
	worker hello 'vyx-hello {socket}' max-size=4 min-idle=1
	becomes endpoint 'hello#1' max 4
	is endpoint 'hello#1' warm 1
	have instance 'hello#1'
}

@test "drain: its instances are drained and stopped" {
	scan
	worker hello 'vyx-hello {socket}'
	becomes endpoint 'hello#1' state up
	worker hello 'vyx-hello {socket}' drain=1
	becomes endpoint 'hello#1' state draining
	vyx-reg put use 'hello#1' source=poold drained=1
	have instance ''
}

@test "a crash is told with its signal, and the worker comes back" {
	scan
	worker hello 'vyx-hello {socket}'
	becomes instance 'hello#1' state ready
	local pid
	pid=$(column instance 'hello#1' pid)
	kill -9 "$pid"
	becomes instance 'hello#1' code signal:9
	becomes instance 'hello#1' restarts 1
	becomes instance 'hello#1' state ready
	[ "$(column instance 'hello#1' pid)" != "$pid" ]
	becomes endpoint 'hello#1' state up
	answers hello@1
}

@test "a crash loop rests longer each time, and shows it" {
	scan
	worker bad 'sh bad.sh {socket}'
	echo 'exit 7' >bad.sh
	becomes instance 'bad#1' state backoff
	becomes instance 'bad#1' code exit:7
	wait_until at_least 3 column instance 'bad#1' restarts
	wait_until at_least 4 cat "$RUN/sv/bad@1/data/wait"
	run ! vyx-reg get endpoint 'bad#1'
	vyx-reg del worker bad
	have instance ''
}

@test "with the worker its whole process group ends" {
	scan
	cat >forks.sh <<-'EOF'
		sleep 1234 &
		(trap '' TERM; while :; do sleep 1235; done) &
		exec vyx-hello "$1"
	EOF
	worker forks 'sh forks.sh {socket}' shutdown-ms=100
	becomes instance 'forks#1' state ready
	local pid
	pid=$(column instance 'forks#1' pid)
	[ "$(pgrep -g "$pid" | wc -l)" -ge 4 ]
	vyx-reg del worker forks
	have instance ''
	run ! pgrep -r D,R,S,T -g "$pid" # zombies are init's affair
}

@test "{fd}: the socket outlives the worker, and readiness is an answer" {
	scan
	worker hello 'vyx-hello {fd}' env=X=1
	becomes instance 'hello#1' state ready
	local pid
	pid=$(column instance 'hello#1' pid)
	tr '\0' '\n' <"/proc/$pid/environ" >environ
	has_line environ "LISTEN_PID=$pid"
	has_line environ LISTEN_FDS=1
	s6-svc -d "$RUN/sv/hello@1"
	becomes instance 'hello#1' state down
	is endpoint 'hello#1' state up
	ask "$RUN/w/hello@1/s" / >answer &
	s6-svc -u "$RUN/sv/hello@1"
	wait $!
	[ -s answer ]
	s6-fdholder-list "$RUN/fdholder/s" | grep -qx 'w:hello#1'
	becomes instance 'hello#1' state ready
	vyx-reg del worker hello
	becomes endpoint 'hello#1' state draining
	vyx-reg put use 'hello#1' source=poold drained=1
	have instance ''
	wait_until sh -c '! s6-fdholder-list "$1" | grep -q hello' - "$RUN/fdholder/s"
}

@test "{fd}: one that is on its way back is emptied before it is stopped" {
	cat >once.sh <<-'END'
	[ ! -e once ] || exec sleep 1000
	touch once
	exec vyx-hello "$1"
	END
	scan
	worker once 'sh once.sh {fd}'
	becomes instance 'once#1' state ready
	s6-svc -r "$RUN/sv/once@1"
	becomes instance 'once#1' state starting
	vyx-reg del worker once
	becomes endpoint 'once#1' state draining
	vyx-reg put use 'once#1' source=poold drained=1
	have instance ''
}

@test "{fd}: one that waits for its next start is emptied before it is stopped" {
	cat >never.sh <<-'END'
	[ ! -e never ] || exit 1
	touch never
	exec vyx-hello "$1"
	END
	scan
	worker never 'sh never.sh {fd}'
	becomes instance 'never#1' state ready
	s6-svc -r "$RUN/sv/never@1"
	becomes instance 'never#1' state backoff
	vyx-reg del worker never
	becomes endpoint 'never#1' state draining
	vyx-reg put use 'never#1' source=poold drained=1
	have instance ''
}

@test "{fd} that nobody reads is not ready" {
	scan
	worker deaf 'sh idle.sh {fd}' startup-ms=800
	becomes instance 'deaf#1' state failed
	vyx-reg del worker deaf
	have instance ''
}

@test "the environment is what vyx-superv(8) lists, and env" {
	export SECRET_KEY=hidden PASSED=through TZ=UTC
	scan
	worker hello 'vyx-hello {socket}' env=PASSED env=OWN="two words" env=ABSENT
	becomes instance 'hello#1' state ready
	tr '\0' '\n' <"/proc/$(column instance 'hello#1' pid)/environ" |
		cut -d= -f1 | sort | tr '\n' ' ' >names
	sed -i 's/LANG //;s/LC_ALL //' names
	[ "$(cat names)" = 'HOME LOGNAME OWN PASSED PATH PWD TZ USER ' ]
	tr '\0' '\n' <"/proc/$(column instance 'hello#1' pid)/environ" |
		grep -qx 'OWN=two words'
}

@test "a word of the command is passed as it is" {
	scan
	worker odd "sh show.sh {socket} \$HOME * it's ;exit"
	printf '%s\n' 'echo "$@"' 'exec vyx-hello "$1"' >show.sh
	becomes instance 'odd#1' state ready
	wait_for "$RUN/log/odd@1/current" "$RUN/w/odd@1/s \$HOME * it's ;exit"
}

@test "kill -9 of vyx-superv: workers go on, the next one adopts them" {
	scan
	worker hello 'vyx-hello {socket}' replicas=2
	worker bad 'sh idle.sh {socket}' startup-ms=300
	becomes instance 'hello-0#1' state ready
	becomes instance 'hello-1#2' state ready
	becomes instance 'bad#3' state failed
	local pid old
	pid=$(column instance 'hello-0#1' pid)
	old=$(s6-svstat -o pid "$RUN/sv/superv")
	kill -9 "$old"
	wait_until sh -c '[ "$(vyx-reg -j get source superv | jq -r .state)" = synced ] &&
	    [ "$(s6-svstat -o pid "$0")" != "$1" ]' "$RUN/sv/superv" "$old"
	have instance 'bad#3 hello-0#1 hello-1#2'
	becomes instance 'hello-0#1' state ready
	is instance 'hello-0#1' pid "$pid"
	is instance 'bad#3' state failed
	becomes endpoint 'hello-0#1' state up
	is endpoint 'hello-0#1' max 16
	kill -9 "$pid"
	becomes instance 'hello-0#1' restarts 1
	becomes instance 'hello-0#1' state ready
	vyx-reg del worker bad
	have instance 'hello-0#1 hello-1#2'
}

@test "regd away: supervision goes on, and rows are told anew" {
	scan
	worker hello 'vyx-hello {socket}'
	becomes instance 'hello#1' state ready
	local pid
	pid=$(column instance 'hello#1' pid)
	s6-svc -wD -d "$RUN/sv/regd"
	kill -9 "$pid"
	wait_until answers hello@1
	s6-svc -u "$RUN/sv/regd"
	becomes instance 'hello#1' restarts 1
	becomes instance 'hello#1' state ready
}

@test "a row gone while vyx-superv was away is acted on when it is back" {
	scan
	worker hello 'vyx-hello {socket}' shutdown-ms=100
	becomes instance 'hello#1' state ready
	s6-svc -wD -d "$RUN/sv/superv"
	vyx-reg del worker hello
	vyx-reg put worker next command='vyx-hello {socket}' dir="$dir" owner=op protocol=http
	s6-svc -u "$RUN/sv/superv"
	vyx-reg put use 'hello#1' source=poold drained=1
	have instance 'next#2'
	becomes instance 'next#2' state ready
	[ ! -e "$RUN/sv/hello@1" ]
}

@test "generations are not used twice, not even by a new run" {
	scan
	worker hello 'vyx-hello {socket}'
	becomes instance 'hello#1' state ready
	vyx-reg put use 'other#41' source=poold drained=1
	worker hello 'vyx-hello {socket}' env=A=1
	becomes instance 'hello#42' state ready
}

@test "what may not be run is refused with a reason, and stays to be seen" {
	scan
	worker native 'vyx-hello' protocol=vyx
	becomes instance 'native#1' state failed
	[[ "$(column instance 'native#1' text)" == *'write {socket} or {fd}'* ]]
	vyx-reg put worker nodir command='vyx-hello {socket}' dir="$RUN/nowhere" owner=op protocol=http
	becomes instance 'nodir#2' state failed
	[[ "$(column instance 'nodir#2' text)" == *'nowhere: No such file'* ]]
	run ! pgrep -f "vyx-hello $RUN"
	for w in native nodir; do
		vyx-reg del worker $w
	done
	have instance ''
}

@test "a path too long for a socket is refused, saying so" {
	scan
	local id
	id=$(printf 'x%.0s' {1..64})
	s6-svc -wD -d "$RUN/sv/superv"
	local long=$RUN/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
	mkdir -p "$long/scan"
	ln -s ../regd "$long/regd"
	start superv vyx-superv -d "$long"
	worker "$id" 'vyx-hello {socket}'
	becomes instance "$id#1" state failed
	[[ "$(column instance "$id#1" text)" == *'choose a shorter run directory or id' ]]
	stop superv
}

@test "a daemon that does not answer for five seconds is killed" {
	scan
	local pid
	pid=$(s6-svstat -o pid "$RUN/sv/regd")
	sleep 1.2
	kill -STOP "$pid"
	VYX_WAIT=15 wait_until gone "$pid"
	wait_until is_ready regd
	[ "$(s6-svstat -o pid "$RUN/sv/regd")" != "$pid" ]
	wait_until grep -q '"daemon":"regd"' "$RUN/log/superv/current"
}

@test "stopped itself, vyx-superv kills nobody when it goes on" {
	scan
	local pid
	pid=$(s6-svstat -o pid "$RUN/sv/regd")
	kill -STOP "$(s6-svstat -o pid "$RUN/sv/superv")"
	sleep 6
	kill -CONT "$(s6-svstat -o pid "$RUN/sv/superv")"
	sleep 1.5
	[ "$(s6-svstat -o pid "$RUN/sv/regd")" = "$pid" ]
}

@test "root: workers run as the owner of their directory, and not as root" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	scan
	worker own 'vyx-hello {socket}'
	becomes instance 'own#1' state ready
	[ "$(stat -c %U "/proc/$(column instance 'own#1' pid)")" = nobody ]
	[ "$(stat -c %U:%g "$RUN/w/own@1")" = nobody:52002 ]
	[ "$(stat -c %g "$RUN/w/own@1/s")" = 52002 ]
	[ "$(stat -c %U "$RUN/log/own@1")" = nobody ]
	dir=/
	worker root 'vyx-hello {socket}'
	worker said 'vyx-hello {socket}' user=0
	worker none 'vyx-hello {socket}' user=nosuchuser
	for w in root said none; do
		wait_until sh -c 'vyx-reg -j ls instance | grep -q "\"$0#"' $w
	done
	[ "$(vyx-reg -j ls instance | jq -r 'select(.state == "failed") | .worker' | sort | tr '\n' ' ')" = 'none root said ' ]
	vyx-reg -j ls instance | jq -r .text | grep -q 'say user: auto'
	vyx-reg -j ls instance | jq -r .text | grep -q 'no such user'
}

@test "root: user: auto is one uid a worker, and the same again" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	scan
	worker one 'vyx-hello {socket}' user=auto replicas=2
	worker two 'vyx-hello {socket}' user=auto
	wait_until sh -c '[ $(vyx-reg -j ls instance | grep -c ready) = 3 ]'
	uid_of() {
		stat -c %u "/proc/$(vyx-reg -j ls instance | jq -r --arg w "$1" \
		    'select(.worker == $w) | .pid' | head -n 1)"
	}
	local one two
	one=$(uid_of one)
	two=$(uid_of two)
	[ "$one" -ge 53000 ]
	[ "$two" -ge 53000 ]
	[ "$one" != "$two" ]
	vyx-reg del worker one
	vyx-reg ls use >/dev/null
	for i in $(keys instance); do
		vyx-reg put use "$i" source=poold drained=1
	done
	wait_until sh -c '! vyx-reg -j ls instance | grep -q one'
	worker one 'vyx-hello {socket}' user=auto
	wait_until sh -c '[ $(vyx-reg -j ls instance | grep -c ready) = 2 ]'
	[ "$(uid_of one)" = "$one" ]
	# and neither reaches the other's socket
	local path
	path=$(vyx-reg -j ls endpoint | jq -r 'select(.worker == "two") | .path')
	run ! setpriv --reuid "$one" --regid "$one" --clear-groups vyx-probe "$path"
	setpriv --reuid "$two" --regid "$two" --clear-groups vyx-probe "$path"
	setpriv --reuid 52002 --regid 52002 --clear-groups vyx-probe "$path"
}

@test "-h names the options, a relative run directory is refused" {
	run -0 vyx-superv -h
	[[ "$output" == *'usage: vyx-superv'* ]]
	run -100 vyx-superv -d relative
	run -100 vyx-superv operand
}
