# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2119,SC2120
#
# vyx-regd spoken to by hand, for tests:
#
#	load lib/vyx
#	load lib/regd

regd() {
	start_ready regd vyx-regd -d "$RUN" "$@"
}

# r VERB FIELD=VALUE... - one record.
r() {
	printf '%s\n' "$@" ''
}

# say EDGE - records from stdin, what comes back to stdout.
say() {
	timeout -k 1 "$VYX_WAIT" socat -t "$VYX_WAIT" - "UNIX-CONNECT:$RUN/regd/$1"
}

# dial NAME EDGE - a connection that stays; NAME.got is what came, and
# `r ... >&$NAME` says something.
dial() {
	mkfifo "$1.in"
	eval "exec {$1}<>$1.in"
	socat - "UNIX-CONNECT:$RUN/regd/$2" <"$1.in" >"$1.got" 2>"$1.err" 3>&- &
	PID[$1]=$!
}

# answers FILE N - there are N whole records in it.
answers() {
	[ "$(grep -c '^$' "$1")" -ge "$2" ]
}

# flat - records as lines: verb, then the fields, but for ids.
flat() {
	awk -v RS= -F '\n' '{ s = $1; for (i = 2; i <= NF; i++)
	    if ($i !~ /^id=/) s = s " " $i; print s }'
}

# figure NAME - of regd's own socket.
figure() {
	r stat | say ctl | flat | sed -n "s/^figure name=$1 value=//p"
}

figure_is() {
	[ "$(figure "$1")" = "$2" ]
}

role() {
	r hello proto=1 "role=$1" name=t
}

# kill -9 at any time: what was acknowledged is there. N rounds of 3 writers.
rounds() {
	local n=$1 i w
	: >acked
	for ((i = 0; i < n; i++)); do
		regd
		for w in 1 2 3; do
			start "w$w" bash -c 'for ((k = 0; k < 10000; k++)); do
				vyx-reg -T 1s put setting '"r$i.$w"'.$k value=v >/dev/null || exit 0
				echo '"r$i.$w"'.$k; done'
		done
		sleep "0.$((RANDOM % 4 + 2))"
		stop regd KILL || true
		for w in 1 2 3; do
			stop "w$w" KILL || true
			cat "w$w.out" >>acked
		done
	done
	regd
	vyx-reg -t ls setting | cut -f 1 | sort >there
	sort acked >want
	[ "$(wc -l <want)" -gt $((n * 5)) ]
	[ -z "$(comm -23 want there)" ]
}
