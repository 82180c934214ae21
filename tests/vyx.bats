#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx(1): a tree of services up, and nothing of it left.
#
# Not tested here: installed system users (vyxreg, vyxpool, vyxnet), a run
# directory on a full disk.

load lib/vyx

setup() {
	setup_run
	chmod 755 "$WORK"
	[ "$(id -u)" != 0 ] || chown nobody "$WORK"
}

teardown() {
	teardown_run
}

# config [LINE...] - vyx.yaml here: a free port, vyx-hello as worker `hello`
# for every path, and more lines; sets URL.
config() {
	URL=http://127.0.0.1:$(free_port)
	cat >vyx.yaml <<-YAML
	project: {name: test}
	listen: ${URL#http://}
	workers:
	  - id: hello
	    command: vyx-hello {socket}
	    routes: [{path: /*rest}]
	YAML
	[ $# = 0 ] || printf '%s\n' "$@" >>vyx.yaml
}

# left - what of the tree is there besides logs and state
left() {
	find "$RUN" -mindepth 1 -maxdepth 1 | sed "s|$RUN/||" | sort | tr '\n' ' '
}

# in_flight - the router has a request that is not answered yet
in_flight() {
	[ "$(printf 'stat\n\n' | socat -t 5 - "UNIX-CONNECT:$RUN/route.0/ctl" |
	    awk '$0 == "name=busy" { getline; print }')" = value=1 ]
}

slot_pid() {
	s6-svstat -o pid "$RUN/sv/route.$1"
}

@test "up: one line when ready, a request is answered, down leaves nothing" {
	config
	up vyx.yaml
	[ "$(cat up.out)" = "ready $URL" ]
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/hello")" = 200 ]
	run -0 vyx status
	down
	[ "$(left)" = 'lock log state superv ' ]
	[ "$(ls "$RUN/superv")" = generation ]
	run ! curl -sS -m 2 "$URL/hello"
}

@test "up again in the same directory, after a stop" {
	config
	up vyx.yaml
	down
	up vyx.yaml
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/hello")" = 200 ]
}

@test "SIGINT is as good as SIGTERM, and SIGTERM to s6-svscan too" {
	config
	# what is started in the background has SIGINT ignored
	start up env --default-signal=INT vyx up -f vyx.yaml -d "$RUN"
	wait_until up_or_gone
	stop up INT
	up vyx.yaml
	kill -TERM "$(pgrep -f "s6-svscan.*$RUN/scan")"
	wait_until gone "${PID[up]}"
	wait "${PID[up]}"
	unset 'PID[up]'
	[ "$(left)" = 'lock log state superv ' ]
}

@test "interrupted while it starts: nothing is left either" {
	for t in 0.1 0.4 0.8; do
		config
		start up vyx up -f vyx.yaml -d "$RUN"
		sleep $t
		down
		[ ! -e "$RUN/scan" ]
		no_stragglers "$RUN/"
	done
}

@test "a second signal does not wait for what is in flight" {
	config
	up vyx.yaml
	curl -s -m 90 "$URL/sleep/60000" >/dev/null 3>&- &
	wait_until in_flight
	kill -TERM "${PID[up]}"
	sleep 1.5
	run ! gone "${PID[up]}"
	# what is in flight may take 30 s
	VYX_WAIT=20 stop up
	[ ! -e "$RUN/scan" ]
}

@test "more signals at once, as timeout(1) sends two, end it whole" {
	config
	up vyx.yaml
	# the second must come when the first has just been seen
	for i in $(seq 300); do kill -TERM "${PID[up]}" 2>/dev/null || break; done
	wait_until gone "${PID[up]}"
	no_stragglers "$RUN/"
	[ ! -e "$RUN/scan" ]
}

@test "ready says also what failed, with its last words; others are served" {
	config '  - id: bad' "    command: sh bad.sh {socket}" '    routes: [{path: /bad}]' \
	    '  - id: late' '    command: sh late.sh {socket}' '    startup_timeout: 600ms'
	printf '%s\n' 'echo "no such database" >&2' 'exit 3' >bad.sh
	echo 'exec sleep 1000' >late.sh
	up vyx.yaml
	grep -q 'worker instance bad#.* last end exit:3' up.err
	grep -q 'no such database' up.err
	grep -q 'worker instance late#.* failed: not ready within its startup_timeout' up.err
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/hello")" = 200 ]
	run -1 vyx status
	[[ "$output" == *'late'*'failed'* ]]
	down
}

@test "meanwhile requests to a worker that is not ready get 503" {
	config '  - id: slow' '    command: sh slow.sh {socket}' '    startup_timeout: 80s' \
	    '    routes: [{path: /slow}]' '    pool: {wait_timeout: 200ms}'
	printf 'until [ -e now ]; do sleep 0.1; done\nexec vyx-hello "$1"\n' >slow.sh
	start up vyx up -f vyx.yaml -d "$RUN"
	wait_until sh -c '[ "$(curl -s -o /dev/null -w "%{http_code}" "$0/slow")" = 503 ]' "$URL"
	run ! grep ready up.out
	touch now
	wait_until up_or_gone
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/slow")" = 404 ]
	down
}

@test "a bad file: 102, where and what, and nothing is started" {
	config '  - id: hello'
	run -102 vyx up -f vyx.yaml -d "$RUN"
	[[ "$output" == *'vyx.yaml:'* ]]
	[ -z "$(left)" ]
	run -102 vyx check -f vyx.yaml
	run -102 vyx up -f absent.yaml -d "$RUN"
}

@test "a taken port: named with the process that has it, 111" {
	config
	start other socat "TCP-LISTEN:${URL##*:},bind=127.0.0.1" -
	wait_until sh -c "[ -n \"\$(ss -Hltn 'sport = :${URL##*:}')\" ]"
	run -111 vyx up -f vyx.yaml -d "$RUN"
	[[ "$output" == *"cannot listen on ${URL#http://}: it is taken by process ${PID[other]}"* ]]
	[ ! -e "$RUN/scan" ]
}

@test "a second up on the same directory is refused, the first goes on" {
	config
	up vyx.yaml
	run -111 vyx up -f vyx.yaml -d "$RUN"
	[[ "$output" == *'runs here already'* ]]
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/hello")" = 200 ]
	down
}

@test "two side by side do not meet" {
	config
	up vyx.yaml
	local first=$URL
	mkdir other
	cd other
	config
	cd ..
	[ "$(id -u)" != 0 ] || chown nobody other
	start second vyx up -f other/vyx.yaml -d "$RUN/b"
	wait_until grep -q ready second.out
	down
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$(sed 's/ready //' second.out)/hello")" = 200 ]
	[ "$first" != "$(sed 's/ready //' second.out)" ]
	stop second
}

@test "after kill -9 of up the next one takes the tree over, cleaned" {
	config
	up vyx.yaml
	kill -9 "${PID[up]}"
	wait_until gone "${PID[up]}"
	unset 'PID[up]'
	local old
	old=$(s6-svstat -o pid "$RUN/sv/regd")
	up vyx.yaml
	grep -q 'an earlier tree still runs here' up.err
	gone "$old"
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/hello")" = 200 ]
	down
}

@test "after kill -9 of all of s6 too: what is left is found by its records" {
	config
	up vyx.yaml
	local worker regd
	worker=$(vyx-reg -j ls instance | jq -r .pid)
	regd=$(s6-svstat -o pid "$RUN/sv/regd")
	kill -9 "${PID[up]}" $(pgrep -f "s6-svscan.*$RUN/scan")
	# shellcheck disable=SC2046 # a list of processes
	kill -9 $(pgrep -x s6-supervise | while read -r p; do
		case $(readlink "/proc/$p/cwd") in "$RUN"/*) echo "$p" ;; esac
	done)
	unset 'PID[up]'
	run ! gone "$worker"
	run ! gone "$regd"
	up vyx.yaml
	grep -q "process $worker of an earlier run is left: killed" up.err
	gone "$worker"
	gone "$regd"
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/hello")" = 200 ]
	down
}

@test "the death of s6-svscan is told: 111" {
	config
	up vyx.yaml
	kill -9 "$(pgrep -f "s6-svscan.*$RUN/scan")"
	wait_until gone "${PID[up]}"
	run -111 wait "${PID[up]}"
	unset 'PID[up]'
	grep -q 's6-svscan was killed' up.err
}

@test "paths over 107 bytes are refused before anything runs" {
	config
	local long
	long=$RUN/$(printf 'd%.0s' {1..90})
	run -100 vyx up -f vyx.yaml -d "$long"
	[[ "$output" == *'too many for a socket'*'choose a shorter run directory'* ]]
	config "  - id: $(printf 'x%.0s' {1..64})" '    command: vyx-hello {socket}'
	long=$RUN/dddddddddddddddddddd
	run -100 vyx up -f vyx.yaml -d "$long"
	[[ "$output" == *'or worker id'* ]]
	[ ! -e "$long" ]
	run -100 vyx up -f vyx.yaml -d "$RUN/a b"
	[[ "$output" == *'letters, digits'* ]]
}

@test "reload: starts, rolls and stops what changed; a bad file changes nothing" {
	config
	up vyx.yaml
	local before
	before=$(vyx-reg -j ls instance | jq -r .key)
	run -0 vyx reload
	[ "$(vyx-reg -j ls instance | jq -r .key)" = "$before" ]
	sed -i 's|{socket}|{socket} jitter=1ms|' vyx.yaml
	run -0 vyx reload
	wait_until sh -c '[ "$(vyx-reg -j ls instance | jq -r .key)" != "$0" ] &&
	    [ "$(vyx-reg -j ls instance | jq -r .state)" = ready ]' "$before"
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/hello")" = 200 ]
	before=$(vyx-reg -j ls instance | jq -r .key)
	echo 'workers: 7' >>vyx.yaml
	run -102 vyx reload
	[ "$(vyx-reg -j ls instance | jq -r .key)" = "$before" ]
	run -0 vyx status
	down
}

@test "SIGHUP reloads" {
	config
	up vyx.yaml
	sed -i 's|{socket}|{socket} jitter=1ms|' vyx.yaml
	kill -HUP "${PID[up]}"
	wait_until sh -c 'vyx-reg -j ls worker | grep -q jitter'
	kill -0 "${PID[up]}"
	down
}

@test "reload with another port rotates the routers, and no request fails" {
	config
	up vyx.yaml
	local pid port
	pid=$(slot_pid 0)
	port=$(free_port)
	(for i in $(seq 40); do
		curl -sS -o /dev/null -w '%{http_code}\n' "$URL/hello"
		sleep 0.05
	done >codes 2>&1) 3>&- &
	local client=$!
	sed -i "s|^listen:.*|listen: [\"${URL#http://}\", \"127.0.0.1:$port\"]|" vyx.yaml
	run -0 vyx reload
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/hello")" = 200 ]
	wait $client
	[ "$(sort codes | uniq -c | sed 's/^ *//')" = '40 200' ]
	gone "$pid"
	[ "$(s6-svstat -o up "$RUN/sv/route.0")" = false ]
	sed -i "s|^listen:.*|listen: 127.0.0.1:$port|" vyx.yaml
	run -0 vyx reload
	run ! curl -sS -m 2 "$URL/hello"
	down
}

@test "reload with more routers, then fewer" {
	config
	up vyx.yaml
	echo 'gateway: {routers: 3}' >>vyx.yaml
	run -0 vyx reload
	[ "$(vyx status -t | grep -c '^daemon.route.*ready')" = 3 ]
	[ -d "$RUN/sv/route.3" ]
	sed -i 's/routers: 3/routers: 1/' vyx.yaml
	run -0 vyx reload
	[ "$(vyx status -t | grep -c '^daemon.route.*ready')" = 1 ]
	[ ! -e "$RUN/sv/route.2" ]
	[ ! -e "$RUN/scan/route.2" ]
	for i in 1 2 3 4 5 6; do
		[ "$(curl -sS -m 5 -o /dev/null -w '%{http_code}' "$URL/hello")" = 200 ]
	done
	down
}

@test "the services run in somebody's own s6-svscan" {
	config
	mkdir scan
	vyx tree -d "$RUN" -w 1 scan
	for s in "$RUN"/sv/*; do
		ln -s "$s" "scan/${s##*/}"
	done
	start scan s6-svscan -c 1000 scan
	run -0 vyx reload -f vyx.yaml -d "$RUN"
	URL=http://127.0.0.1:$(sed -n 's/^listen:.*://p' vyx.yaml)
	wait_until sh -c '[ "$(curl -s -o /dev/null -w "%{http_code}" "$0/hello")" = 200 ]' "$URL"
	[ -L "scan/hello@1" ]
	run -0 vyx status
	run -0 vyx down -d "$RUN"
	wait_until sh -c '! s6-svok "$0"' "$RUN/sv/regd"
	kill -0 "${PID[scan]}"
	[ -z "$(ls scan)" ]
	stop scan
}

@test "status: -t and -j have one form; 1 when nothing runs" {
	config
	up vyx.yaml
	run -0 vyx status -t
	[[ "$output" == *$'worker\thello\t1\t1\t0'* ]]
	[[ "$output" == *$'instance\thello#'*$'\thello\tready\t'* ]]
	run -0 vyx status -j
	[ "$(echo "$output" | jq -r 'select(.type == "endpoint") | .state')" = up ]
	[ "$(echo "$output" | jq -r 'select(.type == "daemon" and .state == "ready") | .name' | sort | tr '\n' ' ')" = \
	    'pool regd route.0 superv ' ]
	echo "$output" | jq -se 'any(.type == "figure" and .daemon == "pool" and .worker == "hello")' >/dev/null
	down
	run -1 vyx status -T 300ms
	[[ "$output" == *'no registry answers'* ]]
}

@test "root: each daemon has its user, as lib/vyx.h says" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	config
	up vyx.yaml
	tr -s '\t' ' ' <"$ROOT/lib/vyx.h" | sed -n 's/^ X(REGD,.*\(vyxreg\)", *\([0-9]*\),.*/regd:\1:\2/p
	    s/^ X(POOLD,.*\(vyxpool\)", *\([0-9]*\),.*/pool:\1:\2/p
	    s/^ X(ROUTE,.*\(vyxnet\)", *\([0-9]*\),.*/route:\1:\2/p' >map
	[ "$(wc -l <map)" = 3 ]
	while IFS=: read -r service user uid; do
		grep -q "$service:$user:$uid" "$ROOT/cmd/vyx/vyx.sh"
		[ "$service" != route ] || service=route.0
		uid=$(id -u "$user" 2>/dev/null || echo "$uid")
		[ "$(stat -c %u "/proc/$(s6-svstat -o pid "$RUN/sv/$service")")" = "$uid" ]
		[ "$(stat -c %u "$RUN/log/$service")" = "$uid" ]
	done <map
	# it says whose user a daemon becomes: read by root, so written by root
	for f in "$RUN"/env/{fdholder,regd,pool,superv,route}{,/*}; do
		[ "$(stat -c %u "$f")" = 0 ]
	done
	[ "$(stat -c %a "$RUN/env/regd")" = 700 ]
	[ "$(stat -c %a "$RUN/state")" = 700 ]
	down
}

@test "root: a run directory that others cannot reach is refused" {
	[ "$(id -u)" = 0 ] || skip 'needs root'
	config
	mkdir -m 700 closed
	run -111 vyx up -f vyx.yaml -d "$WORK/closed/run"
	[[ "$output" == *"$WORK/closed: other users may not pass"* ]]
	run -111 vyx up -f vyx.yaml -d "$RUN" -s "$WORK/closed/state"
	[[ "$output" == *"$WORK/closed: other users may not pass"* ]]
}

@test "an ordinary user: the same, without users" {
	[ "$(id -u)" = 0 ] || skip 'every other test shows it'
	config
	chown -R nobody "$RUN" "$WORK"
	export HOME=$WORK
	start up setpriv --reuid 65534 --regid 65534 --clear-groups vyx up -f vyx.yaml -d "$RUN"
	wait_until up_or_gone
	URL=$(sed 's/ready //' up.out)
	[ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/hello")" = 200 ]
	[ "$(stat -c %u "/proc/$(s6-svstat -o pid "$RUN/sv/regd")")" = 65534 ]
	down
	[ "$(left)" = 'lock log state superv ' ]
}

@test "secrets of the environment reach no daemon and no worker" {
	config
	export JWT_SECRET=xyzzy
	up vyx.yaml
	for p in $(s6-svstat -o pid "$RUN/sv/regd") $(s6-svstat -o pid "$RUN/sv/pool") \
	    $(slot_pid 0) $(vyx-reg -j ls instance | jq -r .pid); do
		[ -r "/proc/$p/environ" ]
		run ! grep -q JWT_SECRET "/proc/$p/environ"
	done
	down
}

@test "VYX_CONFIG is honoured, and ipc.socket_dir" {
	config "ipc: {socket_dir: $RUN/own}"
	unset VYX_RUN
	export XDG_STATE_HOME=$WORK/xdg
	VYX_CONFIG=$WORK/vyx.yaml start up vyx up -s "$WORK/st"
	wait_until up_or_gone
	[ -d "$RUN/own/scan" ]
	[ -e "$WORK/st/regd.db" ]
	down
}

@test "no HOME, no value, a state directory that cannot be: said, and nothing is left" {
	config "ipc: {socket_dir: $RUN/own}"
	local as=()
	[ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	cd "$RUN" # where it would be made without a home
	run -100 env -u VYX_RUN -u HOME -u XDG_STATE_HOME "${as[@]}" vyx up -f "$WORK/vyx.yaml"
	assert_output 'vyx: HOME is not set, so there is no place for the state: give it with -s'
	touch file
	run -111 vyx up -f "$WORK/vyx.yaml" -d "$RUN" -s "$RUN/file/state"
	assert_output --partial "vyx: $RUN/file/state: cannot be made"
	[ "$(left)" = 'file lock log superv ' ]
	for o in -d -f -s; do
		run -100 vyx up $o ''
		assert_output "vyx: $o: its value is empty"
	done
}

@test "vyx NAME runs vyx-NAME; help, version and nonsense" {
	run -0 vyx reg -V
	[[ "$output" == 'vyx-reg '* ]]
	run -0 vyx -V
	[[ "$output" =~ ^vyx\ [0-9.]+$ ]]
	run -0 vyx help
	[[ "$output" == *'hello'*'regd'* ]]
	run -0 vyx -h
	run -100 vyx
	run -100 vyx nosuch
	[[ "$output" == *'there is no vyx-nosuch'* ]]
	run -100 vyx up operand
	run -100 vyx up -z
	run -100 vyx tree -d "$RUN" -w 0
	run -111 vyx reload -d "$RUN/nothing"
	ln -s "$(command -v vyx)" elsewhere
	run -0 ./elsewhere reg -V
}
