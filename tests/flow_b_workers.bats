#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The whole path on workers that nobody here wrote: one tree with two routers
# and the default pool, a worker for each host.
#
# Not tested here: what is done to the tree; see flow_c_*.

load lib/vyx
load lib/flow

setup_file() {
	local py
	py=$TESTS/workers
	setup_flow
	export RUN WORK
	GO111MODULE=off go build -o go-worker "$TESTS/workers/main.go"
	project 'gateway: {routers: 2}'
	worker sync "gunicorn --chdir $py --bind unix:{socket} app:application"
	worker sync2 "gunicorn --chdir $py -w 2 -b unix:{socket} app:application"
	worker gthread "gunicorn --chdir $py --threads 4 -b unix:{socket} app:application"
	# gunicorn would take the descriptor of LISTEN_FDS once more
	worker syncfd "env -u LISTEN_FDS gunicorn --chdir $py --bind fd://{fd} app:application"
	worker node "node $py/node.js {socket}"
	worker nodefd "node $py/node.js {fd}"
	worker go "$WORK/go-worker {socket}"
	worker gofd "$WORK/go-worker {fd}"
	worker single "/usr/bin/python3 $py/single.py {socket}"
	worker closes "/usr/bin/python3 $py/single.py {socket} 1.0"
	worker slow "/usr/bin/python3 $py/slow.py {socket} 20" \
	    'pool: {max_size: 64}'
	VYX_WAIT=40 up vyx.yaml
	export URL UP_PID=${PID[up]}
}

teardown_file() {
	[ -z "${UP_PID:-}" ] || down
	teardown_flow
}

setup() {
	cd "$WORK" || return
}

# serves ID WORD - /hello has WORD; 300 requests, with bodies and without, by
# more clients than there are warm connections, each get their own answer, and
# none waits as it would on a connection that the worker does not look at.
serves() {
	local kind
	run -0 get "$1" /hello
	assert_output "hello from $2"
	for kind in head:/headers echo:/echo; do
		load_ "$1" -c 8 -n 150 -k "${kind%:*}" -w 4 "${kind#*:}"
	done
	# what became idle is as good as new
	sleep 0.5
	load_ "$1" -c 4 -n 20 -1 -k head -w 4 /headers
}

@test "gunicorn, as it comes: one synchronous worker" { serves sync gunicorn; }
@test "gunicorn -w 2" { serves sync2 gunicorn; }
@test "gunicorn --threads 4" { serves gthread gunicorn; }
@test "gunicorn on an inherited socket" { serves syncfd gunicorn; }
@test "a Node server" { serves node node; }
@test "a Node server on an inherited socket" { serves nodefd node; }
@test "a Go server" { serves go go; }
@test "a Go server on an inherited socket" { serves gofd go; }
@test "Python's single-threaded server" { serves single python; }
@test "a server that closes after each answer" { serves closes python; }

@test "64 clients, 10,000 answers in any order: none reaches another client" {
	run load_ slow -c 64 -n 10000 -k echo -t 50 /any
	assert_success
	assert_line $'200\t10000'
}

@test "what the pool holds is what the kernel has" {
	local id
	for id in sync sync2 gthread node go; do
		[ "$(connections "$id")" -le 16 ]
	done
	[ "$(connections node)" -ge 2 ]
}
