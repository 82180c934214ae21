#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx reload under load: what changed is rolled, started and stopped, and
# nothing else; a bad file changes nothing.

load lib/vyx
load lib/flow

setup() { setup_flow; }
teardown() { teardown_flow; }

# instances WORKER - of it, with their pids.
instances() {
	vyx-reg -d "$RUN" -j ls instance |
	    jq -r "select(.worker == \"$1\") | \"\\(.key) \\(.pid) \\(.state)\"" | sort
}

many() { [ "$(instances "$1" | grep -c ' ready$')" = "$2" ]; }
only() { [ "$(instances "$1" | wc -l)" = "$2" ] && many "$@"; }
changed() { ! instances "$1" | grep -qF "$2" && only "$1" 2; }

@test "a changed command rolls under load: no failure, the rest untouched" {
	local before other
	project 'gateway: {routers: 2}'
	worker hello "$HELLO {socket}" 'replicas: 2'
	worker fd "$HELLO {fd}" 'replicas: 2'
	worker other "$HELLO {socket}"
	up vyx.yaml
	before=$(instances hello | head -n 1)
	other=$(instances other)
	load_begin one hello -c 8 -k echo /echo
	load_begin two fd -c 8 -k echo /echo
	sed -i 's/-hello {\(socket\|fd\)}$/-hello {\1} jitter=2ms/' vyx.yaml
	sed -i '/id: other/,$s/ jitter=2ms//' vyx.yaml
	run -0 vyx reload -f vyx.yaml -d "$RUN"
	VYX_WAIT=30 wait_until changed hello "${before% *}"
	load_goes_on one
	load_goes_on two
	load_end one
	load_end two
	assert_equal "$(instances other)" "$other"
	wait_until settled hello fd other
}

@test "a worker more, a worker less, other replicas; SIGHUP does it too" {
	local first
	project
	worker hello "$HELLO {socket}"
	worker old "$HELLO {socket}"
	up vyx.yaml
	first=$(instances hello)
	load_begin one hello -c 4 -k echo /echo
	sed -i '/id: old/,$d' vyx.yaml
	worker new "$HELLO {socket}" 'replicas: 3'
	run -0 vyx reload -f vyx.yaml -d "$RUN"
	wait_until only new 3
	wait_until only old 0
	run -0 get new /hello
	assert_output hello
	run -0 get old /hello -o /dev/null -w '%{http_code}'
	assert_output 404
	assert_equal "$(instances hello)" "$first"
	sed -i 's/replicas: 3/replicas: 1/' vyx.yaml
	kill -HUP "${PID[up]}"
	wait_until only new 1
	run -0 get new /hello
	assert_output hello
	load_goes_on one
	load_end one
	wait_until settled hello new
}

@test "a bad file: refused with file:line, and nothing changes" {
	local before
	project
	worker hello "$HELLO {socket}"
	up vyx.yaml
	before=$(instances hello)
	printf '    replicas: lots\n' >>vyx.yaml
	run ! vyx reload -f vyx.yaml -d "$RUN"
	assert_output --regexp "vyx.yaml:$(wc -l <vyx.yaml): "
	assert_equal "$(instances hello)" "$before"
	run -0 get hello /hello
	assert_output hello
}
