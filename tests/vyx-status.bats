#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-status(1): what it adds up over the daemons. Its lines of workers,
# instances, endpoints and daemons, and its exit status, are in vyx.bats.

load lib/vyx

setup() {
	setup_run
	chmod 755 "$WORK"
	[ "$(id -u)" != 0 ] || chown nobody "$WORK"
	URL=http://127.0.0.1:$(free_port)
	cat >vyx.yaml <<-YAML
	project: {name: test}
	listen: ${URL#http://}
	gateway: {routers: 2}
	workers:
	  - id: hello
	    command: vyx-hello {socket}
	    pool: {min_idle: 2, max_size: 4}
	    routes: [{path: /*rest}]
	YAML
}

teardown() {
	teardown_run
}

# pool COLUMN - of the one worker
pool() {
	vyx status -j | jq -r "select(.type == \"pool\") | .$1"
}

is() {
	[ "$(pool "$1")" = "$2" ]
}

@test "pool: connections count once, whoever holds them" {
	up vyx.yaml
	wait_until is idle 2
	is in_use 0
	for _ in 1 2 3 4 5; do curl -sSf "$URL/hello"; done
	[ $(($(pool reuses) + $(pool dials))) -ge 5 ]
	start slow curl -sS "$URL/sleep/60000"
	wait_until is in_use 1
	stop slow || true
	wait_until is in_use 0
	[ "$(vyx status -t | awk -F '\t' '$1 == "pool" { print NF, $2 }')" = \
	    '10 hello' ]
}
