# SPDX-License-Identifier: ISC
# What the flow_* files share beside lib/vyx: a project of several workers,
# load on it, and what the kernel and s6 say of the tree.

HELLO=$VYX_BUILD/bin/vyx-hello

# setup_flow - as setup_run; under root the workers have a user of their own,
# who owns the project.
setup_flow() {
	setup_run
	chmod 755 "$WORK"
	[ "$(id -u)" != 0 ] || chown 64998:64998 "$WORK"
}

# teardown_flow - as teardown_run; what a sanitizer said in a log is a failure.
teardown_flow() {
	local status=0
	if grep -sl 'Sanitizer\|runtime error' "$RUN"/log/*/current; then
		grep -h -A 20 'Sanitizer\|runtime error' "$RUN"/log/*/current
		status=1
	fi
	teardown_run || status=1
	return $status
}

# project [LINE...] - vyx.yaml here, with a free port, without a worker yet.
project() {
	printf '%s\n' 'project: {name: flow}' "listen: 127.0.0.1:$(free_port)" \
	    "$@" 'workers:' >vyx.yaml
}

# worker ID COMMAND [LINE...] - one more, for every path of the host ID.
worker() {
	local id=$1 command=$2
	shift 2
	printf '  %s\n' "- id: $id" "  command: $command" \
	    "  routes: [{path: /*rest, host: $id}]" >>vyx.yaml
	[ $# = 0 ] || printf '    %s\n' "$@" >>vyx.yaml
}

# get ID PATH [CURL-ARG...] - one request to the worker ID through the gateway.
get() {
	local id=$1 path=$2
	shift 2
	curl -sS -m "$VYX_WAIT" -H "Host: $id" "$@" "$URL$path"
}

# load_ ID ARG... PATH - the client of tests/load at the worker ID.
load_() {
	local id=$1
	shift
	"$TESTS/load/load" -H "$id" "${@:1:$#-1}" "$URL${*: -1}"
}

# load_begin NAME ID ARG... PATH - the same in the background, once it has
# answers.
load_begin() {
	local name=$1 id=$2
	shift 2
	start "$name" "$TESTS/load/load" -t 50 -p "$name.told" \
	    -H "$id" "${@:1:$#-1}" "$URL${*: -1}"
	wait_until told "$name" 20 || {
		echo "load $name gets no answers"
		return 1
	}
}

# told NAME N - it has had that many answers.
told() {
	[ "$(tail -n 1 "$1.told" 2>&-)" -ge "$2" ] 2>&-
}

# load_goes_on NAME - it has had 50 answers more than now.
load_goes_on() {
	wait_until told "$1" $(($(tail -n 1 "$1.told") + 50)) || {
		echo "load $1 stands still"
		return 1
	}
}

# load_end NAME - stop it and print its report, and what failed; fails when an
# answer was not what it should be. Not for `run`, which would not wait for it.
load_end() {
	local status=0
	stop "$1" || status=$?
	cat "$1.out" "$1.err"
	return $status
}

# outcome NAME WORD... - how often those are in the report of the load NAME.
outcome() {
	local file=$1.out
	shift
	awk -F '\t' -v words=" $* " 'index(words, " " $1 " ") { sum += $2 }
	    END { print sum + 0 }' "$file"
}

# pid_of SERVICE - its process; empty when it is down.
pid_of() {
	local pid
	pid=$(s6-svstat -o pid "$RUN/scan/$1" 2>&-) && [ "$pid" -gt 0 ] &&
	    echo "$pid"
}

# is_new SERVICE PID - another process than PID, and ready.
is_new() {
	[ "$(s6-svstat -o pid,ready "$RUN/scan/$1" 2>&-)" != "$2 true" ] &&
	    [[ $(s6-svstat -o pid,ready "$RUN/scan/$1" 2>&-) == [1-9]*true ]] &&
	    [ "$(pid_of "$1")" != "$2" ]
}

# connections WORKER - how many there are to its sockets, by the kernel,
# taken by it or not.
connections() {
	awk -v dir="$RUN/w/$1" 'index($8, dir) == 1 && $4 != "00010000" &&
	    substr($8, length(dir) + 1) ~ /^(-[0-9]+)?@[0-9]+\/s$/ { n++ }
	    END { print n + 0 }' /proc/net/unix
}

# field TABLE KEY COLUMN - of the rows whose key begins so.
field() {
	vyx-reg -d "$RUN" -j ls "$1" | jq -r --arg k "$2" --arg c "$3" \
	    'select(.key | startswith($k)) | .[$c]'
}

is_field() { [ "$(field "$1" "$2" "$3")" = "$4" ]; }

# instance_pid WORKER N - of its Nth instance that is ready.
instance_pid() {
	vyx-reg -d "$RUN" -j ls instance |
	    jq -r "select(.worker == \"$1\" and .state == \"ready\") | .pid" |
	    sed -n "$2p"
}

# fresh WORKER N PID - N instances of it are ready, and none is PID.
fresh() {
	vyx-reg -d "$RUN" -j ls instance | jq -se --arg w "$1" \
	    --argjson n "$2" --arg pid "$3" '[.[] | select(.worker == $w and
	    .state == "ready" and "\(.pid)" != $pid)] | length == $n' >/dev/null
}

# stat_of DAEMON NAMES [WORKER] - the sum of the figures called so, asked on
# its socket; NAMES is an extended regular expression.
stat_of() {
	timeout 5 socat -t 5 - "UNIX-CONNECT:$RUN/$1/ctl" <<<$'stat\n' |
	    awk -F= -v names="^($2)\$" -v w="${3:-}" '
		{ field[$1] = $2 }
		$0 == "" {
			if (field["name"] ~ names && (w == "" || field["w"] == w))
				sum += field["value"]
			delete field
		}
		$0 == "end" { print sum + 0; exit }'
}

# pooled WORKER - how many connections to it vyx-poold has in its table.
pooled() {
	stat_of pool 'idle-here|on-loan|lingering|tunnels' "$1"
}

# follows [N] - every watcher is at the head: a worker that is wanted from now on
# is started, dialled and routed to, by each router, all that within the wait.
follows() {
	worker "new$1" "$HELLO {socket}"
	run -0 vyx reload -f vyx.yaml -d "$RUN"
	wait_until routed "new$1"
}

# routed WORKER - 20 connections in a row reach it, over all routers.
routed() {
	load_ "$1" -1 -c 1 -n 20 -w 2 /hello >/dev/null
}

# settled WORKER... - `vyx status` finds all well, and the pool counts for each
# worker just the connections that the kernel has.
settled() {
	local id
	vyx status -d "$RUN" >/dev/null || return
	for id; do
		[ "$(pooled "$id")" = "$(connections "$id")" ] || return
	done
}

# tree PID - it and all below it.
tree() {
	local pid
	echo "$1"
	for pid in $(pgrep -P "$1"); do tree "$pid"; done
}
