#!/bin/sh
# SPDX-License-Identifier: ISC
# vyx - the front: brings a tree of services up, and finds the other programs.
#
# Everything it does is done with s6's own tools, vyx-conf and vyx-status, so
# all of it can be done by hand too. vyx(1) says what each step is.
set -u
umask 022

usage='usage: vyx up [-f file] [-d dir] [-s state] | down | reload | status | check
       vyx tree [-d dir] [-s state] [-w routers] [scandir] | NAME ...'

# Users of the daemons where no system user of that name exists; lib/vyx.h
# has the list, and tests/vyx.bats compares. fdholder is s6's own program.
users='fdholder:vyxfd:52000 regd:vyxreg:52001 pool:vyxpool:52002 route:vyxnet:52003'
socket_max=107   # bytes of a socket's path

die() {
	status=$1
	shift
	echo "vyx: $*" >&2
	exit "$status"
}

# One of our own programs, whatever PATH says.
bin=$(dirname -- "$(readlink -f -- "$0")")
share=$bin/../share/vyx
export PATH="$bin:$PATH"

help() {
	cat <<-EOF
	vyx - gateway and worker runtime
	$usage
	  up       run a project in the foreground until SIGTERM or SIGINT
	  down     stop the tree that runs in the run directory
	  reload   apply the configuration again (SIGHUP to up does the same)
	  status   workers, instances, figures; exit 0 well, 1 not
	  check    check the configuration
	  tree     write the service directories, for an s6-svscan of your own
	  NAME     run vyx-NAME; there are:
	EOF
	for p in "$bin"/vyx-*; do
		[ ! -x "$p" ] || printf '             %s\n' "${p##*/vyx-}"
	done
	cat <<-EOF
	  -f file   configuration; else \$VYX_CONFIG, else vyx.yaml
	  -d dir    run directory; else \$VYX_RUN, else /tmp/vyx; of up: else
	            ipc.socket_dir of the configuration
	  -s dir    state directory, which outlives the run; else DIR/state where
	            a run directory was given, else /var/lib/vyx as root, else
	            \$XDG_STATE_HOME/vyx
	  -w n      how many vyx-route processes (tree only)
	EOF
}

# options LETTERS ARG... - sets file, run, state, routers, given (whether a run
# directory was named) and shifts (how many words they took).
options() {
	letters=$1
	shift
	file=${VYX_CONFIG:-vyx.yaml} run= state= routers=1 all=
	OPTIND=1
	while getopts "$letters" c; do
		case $c in
		[dfsw]) [ -n "$OPTARG" ] || die 100 "-$c: its value is empty" ;;
		esac
		case $c in
		f) file=$OPTARG ;;
		d) run=$OPTARG ;;
		s) state=$OPTARG ;;
		w) routers=$OPTARG ;;
		a) all=yes ;;
		h) help; exit 0 ;;
		*) echo "$usage" >&2; exit 100 ;;
		esac
	done
	shifts=$((OPTIND - 1))
	run=${run:-${VYX_RUN:-}}
	given=${run:+yes}
}

no_operand() {
	[ $# = 0 ] || die 100 "$word takes no operand, got '$1'"
}

absolute() {
	case $1 in
	/*) echo "$1" ;;
	*) echo "$(pwd -P)/$1" ;;
	esac
}

# Names of files go into scripts of s6 and sockets' paths as they are.
plain_run() {
	run=$(absolute "${run%/}")
	case $run in
	*[!A-Za-z0-9/._+,:@%=-]*)
		die 100 "$run: a run directory's name has only letters, digits and . _ + , : @ % = - /" ;;
	esac
	longest=$run/route.63/ctl
	[ ${#longest} -le $socket_max ] ||
		die 100 "$longest: ${#longest} bytes are too many for a socket's path, $socket_max are allowed: choose a shorter run directory (-d)"
}

default_run() {
	run=${run:-/tmp/vyx}
	plain_run
}

root() {
	[ "$(id -u)" = 0 ]
}

# uid of the daemon $1 and gid, as "uid gid"; empty for an ordinary user
who() {
	root || return 0
	for u in $users; do
		[ "${u%%:*}" = "$1" ] || continue
		u=${u#*:}
		if id -u "${u%:*}" >/dev/null 2>&1; then
			echo "$(id -u "${u%:*}") $(id -g "${u%:*}")"
		else
			echo "${u#*:} ${u#*:}"
		fi
	done
}

# Directory $1 of mode $2, owned by the daemon $3 where there are users.
place() {
	{ mkdir -p -- "$1" && chmod "$2" "$1"; } || die 111 "$1: cannot be made"
	set -- "$1" "$3" $(who "$3")
	[ $# -lt 4 ] || chown "$3:$4" "$1" || exit 111
}

# Under root daemons have other users: each part of the path must let them by.
reachable() {
	root || return 0
	p=$1
	while [ "$p" != / ]; do
		[ ! -d "$p" ] || case $(stat -c %A -- "$p") in
		?????????[xt]) ;;
		*) die 111 "$p: other users may not pass, so the daemons would not reach $1: chmod o+x it, or choose another place" ;;
		esac
		p=$(dirname -- "$p")
	done
}

# Whoever else may write there could turn what we do there against us.
own() {
	mkdir -p -- "$run" || die 111 "$run: cannot be made"
	[ -O "$run" ] ||
		die 111 "$run: belongs to another user: choose another directory (-d)"
	case $(stat -c %A -- "$run/") in
	?????w???? | ????????w?)
		die 111 "$run: other users may write there: choose another directory (-d), or chmod go-w it" ;;
	esac
}

allowed() {
	[ ! -d "$run" ] || [ -O "$run" ] || root ||
		die 111 "$run: belongs to another user"
}

env_put() {
	printf %s "$3" >"$run/env/$1/$2" || exit 111
}

# The environment of daemon $1: a directory for s6-envdir, which reads it as
# we are, and the user and the PATH in it; so it is not the daemon's to change.
env_of() {
	mkdir -p "$run/env" && chmod 711 "$run/env"
	place "$run/env/$1" 700 ''
	env_put "$1" VYX_RUN "$run"
	env_put "$1" PATH "$PATH:/usr/lib/execline/bin"
	set -- "$1" $(who "$1")
	if [ $# = 3 ]; then
		env_put "$1" UID "$2"
		env_put "$1" GID "$3"
		env_put "$1" GIDLIST "$3"
		env_put "$1" VYX_UIDS map
	fi
}

# The service directory $2 out of sv/$1, whole or not at all.
service() {
	place "$run/log/$2" 750 "$1"
	[ ! -e "$run/sv/$2" ] || return 0
	new=$run/sv/.new.$2
	rm -rf "$new"
	cp -R "$share/sv/$1" "$new" || exit 111
	find "$new" -name run | while read -r f; do
		sed -e "s|@SLOT@|${2##*.}|g" -e "s|@NAME@|$2|g" \
		    -e "$(root || echo '/^s6-applyuidgid -U$/d')" "$share/sv/$1${f#"$new"}" >"$f"
	done
	mv "$new" "$run/sv/$2" || exit 111
}

# What the configuration says of the key $1, a file beside it or elsewhere.
named_file() {
	f=$(vyx-conf -f "$file" get "$1" 2>/dev/null)
	case $f in
	'' | /*) echo "$f" ;;
	*) echo "$(dirname -- "$file")/$f" ;;
	esac
}

# The key of tokens, put where vyx-route may read it: its user may not read
# the file, and its environment is not ours. It is made in a place of our own,
# and renamed: what that user may have put into his place is not followed. The
# key of before is env/key.old. One from the environment stays at a reload from
# elsewhere.
key() {
	old=$(cat "$run/env/key" 2>/dev/null)
	from= secret=
	new=$run/env/key.new
	rm -f "$new" "$run/env/key.old"
	[ ! -e "$run/route/key" ] || ln -P "$run/route/key" "$run/env/key.old" || exit 111
	for k in jwt.secret_file jwt.public_key_file jwt.jwks_file; do
		from=$from$(named_file $k)
	done
	path=$from
	if [ -z "$from" ]; then
		name=$(vyx-conf -f "$file" get security.jwt_secret_env 2>/dev/null)
		from="\$$name"
		secret=$(printenv -- "$name")
		[ -n "$secret" ] || [ "$from" != "$old" ] || return 0
	fi
	(
		umask 077
		if [ -n "$secret" ]; then
			printf %s "$secret"
		elif [ -n "$path" ]; then
			cat -- "$path" 2>/dev/null
		fi >"$new"
	) || rm -f "$new"
	[ -s "$new" ] || {
		rm -f "$new"
		! vyx-conf -f "$file" json 2>/dev/null | grep -q '"roles": \[$' ||
			echo "vyx: $from: no key for tokens there: every token is refused" >&2
	}
	if [ -e "$new" ]; then
		set -- $(who route)
		[ $# != 2 ] || chown "$1:$2" "$new" || exit 111
		mv -fT "$new" "$run/route/key" || exit 111
	else
		rm -f "$run/route/key"
	fi
	env_put route VYX_JWT_KEY "$run/route/key"
	echo "$from" >"$run/env/key"
}

# That of before holds again.
key_back() {
	rm -f "$run/route/key"
	[ ! -e "$run/env/key.old" ] || mv -fT "$run/env/key.old" "$run/route/key"
	echo "$old" >"$run/env/key"
}

# Slots are numbered from 0; there is one more than routers, down.
slots() {
	# what they share: the counts of rates, the key of tokens
	place "$run/route" 700 route
	i=0
	while [ $i -le "$routers" ]; do
		place "$run/route.$i" 711 route
		if [ ! -e "$run/sv/route.$i" ]; then
			service route "route.$i"
			: >"$run/sv/route.$i/down"
			[ $i = "$routers" ] || [ -n "${running:-}" ] || rm "$run/sv/route.$i/down"
		fi
		i=$((i + 1))
	done
	env_put route VYX_SLOTS "$((routers + 1))"
}

# Write all there is under the run directory. Services that are there stay.
tree() {
	case $routers in
	'' | *[!0-9]* | 0*) die 100 "-w $routers: a number from 1 to 64 is needed" ;;
	esac
	[ "$routers" -le 64 ] || die 100 "-w $routers: a number from 1 to 64 is needed"
	[ -d "$share/sv" ] || die 111 "$share/sv: not found: is the installation whole?"
	own
	for d in "$run" "$(dirname -- "$state")" "$bin"; do
		reachable "$d"
	done
	mkdir -p "$run/scan/.s6-svscan" "$run/sv" "$run/log" || exit 111
	place "$run/fdholder" 700 fdholder
	place "$run/regd" 711 regd
	place "$run/pool" 711 pool
	# routers may connect to its socket by the group that the directory hands on
	! root || { set -- $(who route) && chgrp "$2" "$run/pool" && chmod 2711 "$run/pool"; } || exit 111
	place "$run/superv" 755 superv
	place "$state" 700 regd
	for s in fdholder regd pool superv route; do
		env_of $s
	done
	env_put regd VYX_STATE "$state"
	env_put superv VYX_SCAN "$scan"
	for s in fdholder regd pool superv; do
		service $s $s
	done
	slots
	for s in SIGTERM SIGINT SIGHUP; do
		printf "#!/bin/sh\nexec '%s/vyx' %s -d %s\n" \
		    "$(echo "$bin" | sed "s/'/'\\\\''/g")" \
		    "$([ $s = SIGHUP ] && echo reload || echo down)" "$run" \
		    >"$run/scan/.s6-svscan/$s"
		chmod 755 "$run/scan/.s6-svscan/$s"
	done
}

default_state() {
	if [ -n "$given" ]; then
		echo "$run/state"
	elif root; then
		echo /var/lib/vyx
	elif [ -n "${XDG_STATE_HOME:-}" ]; then
		echo "$XDG_STATE_HOME/vyx"
	elif [ -n "${HOME:-}" ]; then
		echo "$HOME/.local/state/vyx"
	else
		die 100 "HOME is not set, so there is no place for the state: give it with -s"
	fi
}

choose_state() {
	[ -n "$state" ] || state=$(default_state) || exit $?
	state=$(absolute "$state")
}

link() {
	for s in "$@"; do
		ln -sfn "../sv/$s" "$run/scan/$s" || exit 111
	done
	s6-svscanctl -a "$run/scan"
}

names() {
	for d in "$run"/sv/$1; do
		[ ! -d "$d" ] || echo "${d##*/}"
	done
}

# stopped TIME NAME... - bring them down, all at once, and wait so long; then
# kill what is left.
stopped() {
	t=$1
	shift
	for s in "$@"; do
		shift
		[ ! -d "$run/sv/$s" ] || ! s6-svok "$run/sv/$s" ||
			set -- "$@" "$run/sv/$s"
	done
	[ $# != 0 ] || return 0
	for s in "$@"; do
		s6-svc -d "$s"
	done
	s6-svwait -D -a -t "$t" "$@" 2>/dev/null && return
	[ -n "$all" ] || echo "vyx: not down in time, killed:" "$@" >&2
	for s in "$@"; do
		s6-svc -k "$s"
	done
	s6-svwait -D -a -t 5000 "$@"
}

# Order down: who starts workers, who takes requests, who connects the two, who
# serves them, who knows of all. Workers come behind vyx-poold, for some wait
# for the end of every connection. -a: in no order, at once.
down() {
	scan=$(cat "$run/env/superv/VYX_SCAN" 2>/dev/null) || return 0
	if [ -n "$all" ]; then
		stopped 1 $(names '*')
	else
		stopped 10000 superv
		stopped 610000 $(names 'route.*')
		stopped 10000 pool
		stopped 10000 $(names '*@*')
		stopped 10000 regd
		stopped 5000 fdholder
	fi
	if [ "$scan" = "$run/scan" ]; then
		: >"$scan/.s6-svscan/stopped"
		s6-svscanctl -t "$scan" 2>/dev/null
	else
		for s in $(names '*'); do
			rm -f "$scan/$s"
		done
		s6-svscanctl -an "$scan"
	fi
}

# Whether s6-svscan reads the scan directory.
scanned() {
	[ -p "$run/scan/.s6-svscan/control" ] &&
		s6-svscanctl -z "$run/scan" 2>/dev/null
}

# The process that the status file of $1 names, if it is ours still: the pid
# may have gone to somebody else, who would not mention our directory.
recorded() {
	pid=$(od -An -j24 -N8 -tu8 --endian=big "$1/supervise/status" 2>/dev/null) || return
	pid=${pid##* }
	[ "${pid:-0}" -gt 1 ] && [ -d "/proc/$pid" ] || return
	case $(readlink "/proc/$pid/cwd") in
	"$run"/*) return 0 ;;
	esac
	cat "/proc/$pid/cmdline" "/proc/$pid/environ" 2>/dev/null |
		tr '\0' '\n' | grep -qF -- "$run/"
}

# Clean up after an `up` that was killed: what it left running is ended.
clean() {
	if scanned; then
		echo "vyx: $run: an earlier tree still runs here: stopping it" >&2
		all=yes
		down
		i=0
		while scanned && [ $((i = i + 1)) -lt 200 ]; do sleep 0.05; done
	fi
	for d in "$run"/sv/*/ "$run"/sv/*/log/; do
		[ -d "$d" ] && s6-svok "$d" && s6-svc -dxk "$d"
	done
	for d in "$run"/sv/*/ "$run"/sv/*/log/; do
		[ -d "$d" ] || continue
		i=0
		while s6-svok "$d" && [ $((i = i + 1)) -lt 100 ]; do sleep 0.05; done
		if recorded "$d"; then
			echo "vyx: $d: process $pid of an earlier run is left: killed" >&2
			kill -KILL "-$pid" 2>/dev/null || kill -KILL "$pid"
		fi
	done
	wipe
}

# Socket files of `unix:` listeners, which vyx-bind made, among the lines on
# standard input. One that takes connections is another tree's.
unlisten() {
	sed -n 's/^unix://p' | while IFS= read -r l; do
		[ ! -S "$l" ] || vyx-probe -T 200ms "$l" 2>/dev/null || rm -f -- "$l"
	done
}

# Logs and state stay, and what keeps names and uids from being used again.
wipe() {
	[ ! -e "$run/env/listen" ] || unlisten <"$run/env/listen"
	rm -rf "$run/scan" "$run/sv" "$run/env" "$run/w" "$run/regd" \
	    "$run/pool" "$run/fdholder" "$run/route" "$run"/route.* \
	    "$run/bind.lock" "$run/superv/ctl"
}

# The end of what the service $1 said.
said() {
	tail -n 10 "$run/log/$1/current" 2>/dev/null | sed "s|^|  $1: |" >&2
}

finish() {
	downer=   # a second signal may come at once: timeout(1) sends two
	trap '[ -z "$downer" ] || kill -9 "$downer" 2>/dev/null; "$bin/vyx" down -a -d "$run" & wait $!' TERM INT
	trap '' HUP
	svscan=${svscan:-${!:-}}   # the signal may have come between the two
	i=0
	while [ -n "$svscan" ] && kill -0 "$svscan" 2>/dev/null && ! scanned &&
	    [ $((i = i + 1)) -lt 40 ]; do sleep 0.05; done
	if scanned; then
		"$bin/vyx" down -d "$run" &
		downer=$!
		wait "$downer"
		kill -0 "$downer" 2>/dev/null && wait "$downer"
	fi
	if [ -n "$svscan" ]; then
		i=0
		while kill -0 "$svscan" 2>/dev/null && [ $((i = i + 1)) -lt 200 ]; do sleep 0.05; done
	fi
	clean 2>/dev/null
	exit "$1"
}

# until_so COMMAND... - poll until it succeeds; end when the tree has.
until_so() {
	until "$@"; do
		kill -0 "$svscan" 2>/dev/null || {
			echo 'vyx: s6-svscan has ended' >&2
			finish 111
		}
		sleep 0.05
	done
}

ready() {
	[ "$(s6-svstat -o ready "$run/sv/$1" 2>/dev/null)" = true ]
}

# All slots up, or one that cannot be: its port is taken, say.
routers_ready() {
	for s in $(names 'route.*'); do
		[ ! -e "$run/sv/$s/down" ] || continue
		if grep '^vyx-bind: cannot' "$run/log/$s/current" >&2 2>/dev/null; then
			finish 111
		fi
		ready "$s" || return 1
	done
}

daemon_ready() {
	if [ "$(s6-svdt "$run/sv/$1" 2>/dev/null | wc -l)" -ge 3 ]; then
		echo "vyx: $1 does not stay up:" >&2
		said "$1"
		finish 111
	fi
	ready "$1"
}

# Every wanted instance is ready, or has failed to be so once.
settled() {
	vyx-status -d "$run" -t 2>/dev/null | awk -F '\t' '
	    $1 == "worker" { n++; if ($4 + $5 < $3) open = 1 }
	    END { exit !(n >= want && !open) }' want="$workers"
}

tell_failed() {
	vyx-status -d "$run" -t 2>/dev/null | awk -F '\t' '
	    $1 == "instance" && $4 ~ /^(failed|crashed|backoff)$/ {
		print $2 ": " $4 ($8 != "" ? ": " $8 : ", last end " $6) }' |
	while read -r line; do
		echo "vyx: worker instance $line" >&2
		said "$(echo "${line%%: *}" | sed 's/^\./+./; s/#/@/')"
	done
}

url() {
	l=$(vyx-conf -f "$file" get listen 2>/dev/null | head -n 1)
	case $l in
	unix:*) echo "$l" ;;
	*) echo "http://$l" ;;
	esac
}

# Ids and replicas as vyx-conf prints them, for the longest socket's path.
check_paths() {
	vyx-conf -f "$file" json 2>/dev/null | sed -n \
	    's/^      "id": "\(.*\)",$/\1/p' | while read -r id; do
		p=$run/w/$id-999@9999999/s
		[ ${#p} -le $socket_max ] || {
			echo "vyx: $p: ${#p} bytes are too many for a socket's path, $socket_max are allowed: choose a shorter run directory (-d) or worker id" >&2
			exit 100
		}
	done || exit $?
}

up() {
	trap 'exit 0' TERM INT   # nothing runs yet
	options f:d:s:h "$@"
	shift $shifts
	no_operand "$@"
	file=$(absolute "$file")
	vyx-conf -f "$file" check || exit $?
	run=${run:-$(vyx-conf -f "$file" get ipc.socket_dir 2>/dev/null)} || exit 102
	plain_run
	choose_state
	check_paths
	routers=$(vyx-conf -f "$file" get gateway.routers 2>/dev/null)
	workers=$(vyx-conf -f "$file" json 2>/dev/null | grep -c '^      "id": ')

	own
	exec 9>>"$run/lock" || die 111 "$run/lock: cannot be opened"
	flock -n 9 || die 111 "$run: a vyx up runs here already: stop it, or choose another directory (-d)"
	svscan=
	trap 'finish 0' TERM INT
	trap '' HUP
	scan=$(cat "$run/env/superv/VYX_SCAN" 2>/dev/null)
	[ "${scan:-$run/scan}" = "$run/scan" ] || ! s6-svok "$run/sv/regd" ||
		die 111 "$run: its services run under the s6-svscan of $scan: stop them (vyx down), or choose another directory (-d)"
	clean
	scan=$run/scan
	trap wipe EXIT   # whole or not at all
	tree
	key
	trap - EXIT
	export VYX_RUN="$run"
	s6-setsid s6-svscan -c 10000 "$scan" 9>&- &
	svscan=$!
	until_so scanned
	link fdholder regd
	until_so daemon_ready regd
	# its warnings were said by check
	said=$(vyx-conf -f "$file" -d "$run" -T 20s apply 2>&1 >/dev/null) || {
		status=$?
		printf '%s\n' "$said" >&2
		finish $status
	}
	printf '%s\n' "$file" >"$run/env/file"
	listens >"$run/env/listen"
	# shellcheck disable=SC2046 # names of services have no blanks
	link superv pool $(names 'route.*')
	until_so daemon_ready superv
	until_so daemon_ready pool
	until_so routers_ready
	until_so settled
	tell_failed
	echo "ready $(url)"
	trap 'reload' HUP
	while kill -0 "$svscan" 2>/dev/null; do
		wait "$svscan"
	done
	[ -e "$scan/.s6-svscan/stopped" ] || {
		echo 'vyx: s6-svscan was killed' >&2
		finish 111
	}
	finish 0
}

# What only new routers can take up: where they listen, and how many there are.
listens() {
	vyx-conf -f "$file" get listen 2>/dev/null
	vyx-conf -f "$file" get gateway.routers 2>/dev/null
}

is_up() {
	[ "$(s6-svstat -o wantedup "$run/sv/$1" 2>/dev/null)" = true ]
}

slot_up() {
	rm -f "$run/sv/$1/down"
	s6-svwait -d -t 5000 "$run/sv/$1" 2>/dev/null   # supervised now
	s6-svc -u "$run/sv/$1"
	if ! s6-svwait -U -t 10000 "$run/sv/$1" 2>/dev/null; then
		: >"$run/sv/$1/down"
		s6-svc -d "$run/sv/$1"
		echo "vyx: $1 does not become ready, the others go on as they were:" >&2
		said "$1"
		exit 111
	fi
}

slot_down() {
	: >"$run/sv/$1/down"
	stopped 610000 "$1"
}

# Each router by a successor in a free slot, which is ready before it drains.
rotate() {
	routers=$(vyx-conf -f "$file" get gateway.routers 2>/dev/null)
	running=
	for s in $(names 'route.*'); do
		! is_up "$s" || running="$running $s"
	done
	env_of route
	slots
	# shellcheck disable=SC2046 # names of services have no blanks
	[ "$(cat "$run/env/superv/VYX_SCAN")" != "$run/scan" ] || link $(names 'route.*')
	i=0
	while [ $i -lt "$routers" ]; do
		free=
		for s in $(names 'route.*'); do
			[ "${s#route.}" -gt "$routers" ] || is_up "$s" || free=${free:-$s}
		done
		if [ -z "$free" ]; then   # there are to be fewer
			free=route.$routers
			slot_down "$free"
			running=$(echo "$running " | sed "s/ $free / /")
		fi
		slot_up "$free"
		# shellcheck disable=SC2086 # a list
		set -- $running
		[ $# = 0 ] || slot_down "$1"
		running=${running#*"${1:-}"}
		i=$((i + 1))
	done
	for s in $running; do
		slot_down "$s"
	done
	for s in $(names 'route.*'); do
		[ "${s#route.}" -gt "$routers" ] || continue
		scan=$(cat "$run/env/superv/VYX_SCAN")
		rm -f "$scan/$s"
		s6-svscanctl -an "$scan"
		i=0
		while { s6-svok "$run/sv/$s" || s6-svok "$run/sv/$s/log"; } &&
		    [ $((i = i + 1)) -lt 100 ]; do sleep 0.05; done
		rm -rf "${run:?}/sv/$s" "${run:?}/$s"
	done
}

# Routers read the key again.
key_anew() {
	for s in $(names 'route.*'); do
		! is_up "$s" || s6-svc -h "$run/sv/$s"
	done
}

reload() (
	[ -d "$run/env/superv" ] || die 111 "$run: nothing runs here"
	key
	vyx-conf -f "$file" -d "$run" -T 20s apply >/dev/null || {
		status=$?
		key_back
		key_anew # one may have started in between
		exit $status
	}
	key_anew
	rm -f "$run/env/key.old"
	listens >"$run/env/listen.new"
	cmp -s "$run/env/listen.new" "$run/env/listen" || rotate
	[ ! -e "$run/env/listen" ] ||
		grep -vxFf "$run/env/listen.new" "$run/env/listen" | unlisten
	mv "$run/env/listen.new" "$run/env/listen"
	printf '%s\n' "$file" >"$run/env/file"
)

[ $# != 0 ] || { echo "$usage" >&2; exit 100; }
word=$1
shift
case $word in
-h | --help | help)
	help
	;;
-V | --version)
	echo "vyx @VERSION@"
	;;
up)
	up "$@"
	;;
down)
	options ad:h "$@"
	shift $shifts
	no_operand "$@"
	default_run
	allowed
	down
	;;
reload)
	options f:d:h "$@"
	case " $* " in
	*' -f'*) named=yes ;;
	*) named= ;;
	esac
	shift $shifts
	no_operand "$@"
	default_run
	allowed
	[ -n "$named" ] || file=$(cat "$run/env/file" 2>/dev/null || echo "$file")
	file=$(absolute "$file")
	reload
	;;
check)
	exec "$bin/vyx-conf" check "$@"
	;;
tree)
	options d:s:w:h "$@"
	shift $shifts
	default_run
	choose_state
	scan=$(absolute "${1:-$run/scan}")
	tree
	;;
[a-z]*)
	[ -x "$bin/vyx-$word" ] || die 100 "there is no vyx-$word: vyx help lists what there is"
	exec "$bin/vyx-$word" "$@"
	;;
*)
	echo "$usage" >&2
	exit 100
	;;
esac
