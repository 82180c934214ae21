# SPDX-License-Identifier: ISC
# What every bats file shares:
#
#	load lib/vyx
#	setup() { setup_run; }
#	teardown() { teardown_run; }
#
# A test gets a run directory of its own, short enough for socket paths, in
# $RUN and $VYX_RUN, the programs of $VYX_BUILD in PATH, and an empty current
# directory. What `start` began is stopped at its end, and a process that
# outlives that fails the test. Nothing here uses a fixed port or a shared path.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

TESTS=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
export TESTS
export ROOT=${TESTS%/*}
export VYX_BUILD=${VYX_BUILD:-$ROOT/build}
# How long anything is waited for; sanitizers are slow.
export VYX_WAIT=${VYX_WAIT:-20}

setup_run() {
	RUN=$(mktemp -d /tmp/vyx.XXXXXX)
	chmod 755 "$RUN"
	export RUN VYX_RUN=$RUN PATH="$VYX_BUILD/bin:$PATH"
	unset VYX_CONFIG NOTIFY_SOCKET LISTEN_FDS LISTEN_PID
	declare -gA PID=()
	WORK=$(mktemp -d "$RUN.work.XXXXXX")
	cd "$WORK" || return
}

teardown_run() {
	local name pids status=0
	for name in "${!PID[@]}"; do
		stop "$name" >&2 || true
	done
	[ -n "${BATS_TEST_COMPLETED:-}" ] || show_logs
	# the run directory's name is unique: whoever has it is ours
	if ! wait_until no_stragglers "$RUN"; then
		pids=$(pgrep -f -- "$RUN") || true
		echo "left running:"
		ps -o pid,args -p "${pids//$'\n'/,}" || true
		# shellcheck disable=SC2086
		kill -9 $pids 2>/dev/null || true
		status=1
	fi
	cd /
	rm -rf "$RUN" "$WORK"
	return $status
}

no_stragglers() {
	! pgrep -f -- "$1" >/dev/null
}

# start NAME PROG ARG... - in the background; PID[NAME], NAME.out, NAME.err.
start() {
	local name=$1
	shift
	: >"$name.out" # that of the one before may say it is ready still
	"$@" >"$name.out" 2>"$name.err" </dev/null 3>&- &
	PID[$name]=$!
}

# start_ready NAME PROG ARG... - the same with -n, until it says it is ready.
start_ready() {
	local name=$1 prog=$2
	shift 2
	: >"$name.ready" # that of the one before may say so still
	"$prog" -n 7 "$@" >"$name.out" 2>"$name.err" </dev/null 3>&- \
	    7>"$name.ready" &
	PID[$name]=$!
	if ! wait_until ready_or_gone "$name" || [ ! -s "$name.ready" ]; then
		echo "$name did not become ready"
		tail -n 40 "$name.err"
		return 1
	fi
}

ready_or_gone() {
	[ -s "$1.ready" ] || gone "${PID[$1]}"
}

# gone PID - it has ended, waited for or not.
gone() {
	local stat
	read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
	stat=${stat##*) }
	[ "${stat%% *}" = Z ]
}

# stop NAME [SIGNAL] - end it and return its exit status; 137 when it had to
# be killed.
stop() {
	local pid=${PID[$1]}
	unset "PID[$1]"
	kill -"${2:-TERM}" "$pid" 2>/dev/null || true
	if ! wait_until gone "$pid"; then
		echo "$1 did not end by ${2:-TERM}"
		kill -9 "$pid"
	fi
	wait "$pid"
}

# wait_until COMMAND ARG... - until it succeeds, for $VYX_WAIT seconds at most.
wait_until() {
	local end=$((SECONDS + VYX_WAIT))
	until "$@"; do
		[ $SECONDS -le $end ] || return 1
		sleep 0.02
	done
}

# wait_for FILE LINE - until FILE has LINE.
wait_for() {
	wait_until has_line "$@" && return
	echo "no line '$2' in $1:"
	tail -n 20 "$1"
	return 1
}

has_line() {
	[ -e "$1" ] && grep -qxF -- "$2" "$1"
}

# free_port - print a TCP port that nobody listens on, outside the range that
# the kernel takes for clients.
free_port() {
	local port
	while :; do
		port=$((10000 + RANDOM % 20000))
		[ -n "$(ss -Hltn "sport = :$port")" ] || break
	done
	echo $port
}

# ask SOCKET PATH CURL-ARG... - one request to a worker's own socket.
ask() {
	local socket=$1 path=$2
	shift 2
	curl -sS -m "$VYX_WAIT" --unix-socket "$socket" "$@" "http://w$path"
}

# raw SOCKET - standard input to it as it is, what comes back to stdout.
raw() {
	timeout -k 1 "$VYX_WAIT" socat -t 2 - "UNIX-CONNECT:$1"
}

# up VYX.YAML ARG... - `vyx up` on $RUN until it is ready; sets $URL.
up() {
	local file=$1
	shift
	start up vyx up -f "$file" -d "$RUN" "$@"
	if ! wait_until up_or_gone; then
		echo "vyx up is not ready"
		return 1
	fi
	URL=$(sed -n 's/^ready \(http[^ ]*\)$/\1/p' up.out)
	[ -n "$URL" ] || return 1
}

up_or_gone() {
	grep -q '^ready ' up.out || gone "${PID[up]}"
}

# down - end `vyx up`, which must say 0.
down() {
	stop up
}

# show_logs - the ends of all logs, for a test that failed.
show_logs() {
	local f
	for f in *.err "$RUN"/log/*/current; do
		[ -s "$f" ] || continue
		echo "--- $f"
		tail -n 25 "$f"
	done
}
