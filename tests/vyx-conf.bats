#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-conf(8), vyx.yaml(5): what is read, what is refused and with which words,
# and that a bad file reaches nobody.
#
# Not tested here: running out of memory, files over 1 MiB that are sound.

load lib/vyx

setup() {
	setup_run
	mkdir schemas
}

teardown() {
	teardown_run
}

# yaml [LINE...] - vyx.yaml with a name and these lines, from line 2 on.
yaml() {
	printf '%s\n' 'project: {name: p}' "$@" >vyx.yaml
}

# worker [LINE...] - vyx.yaml with the worker `w` in line 3, and more keys of
# it from line 5 on.
worker() {
	printf '%s\n' 'project: {name: p}' 'workers:' '  - id: w' \
	    '    command: x {socket}' >vyx.yaml
	[ $# = 0 ] || printf '    %s\n' "$@" >>vyx.yaml
}

# map ROUTE... - route_map.json, a route a line from line 2 on.
map() {
	local IFS=$'\n'
	{
		echo '{"routes":['
		echo "${*/%/,}" | sed '$s/,$//'
		echo ']}'
	} >route_map.json
}

# good [LINE...] - check passes, with exactly these lines on stderr.
good() {
	run -0 --separate-stderr vyx-conf check
	[ -z "$output" ]
	[ "$stderr" = "$(IFS=$'\n'; echo "$*")" ] ||
	    fail "stderr is: $stderr"
}

# bad LINE... - check refuses: 102, and exactly these lines on stderr; the line
# about a missing route map aside.
bad() {
	run -102 --separate-stderr vyx-conf check
	[ -z "$output" ]
	stderr=$(grep -v 'warning: build.route_map_output: there is' \
	    <<<"$stderr")
	[ "$stderr" = "$(IFS=$'\n'; echo "$*")" ] ||
	    fail "stderr is: $stderr"
}

# effective FILTER - what jq makes of the effective configuration.
effective() {
	vyx-conf json 2>err | jq -c "$1"
}

# regd [MODE] - a registry that does what MODE says.
regd() {
	start regd python3 "$TESTS/lib/regd.py" "$RUN" "$@"
	wait_until test -S "$RUN/regd/ops"
}

# brief - a difference without the columns of routes.
brief() {
	sed 's/\(route [^ ]*\) .*/\1/'
}

# Files and options.

@test "-f wins over VYX_CONFIG, and that over ./vyx.yaml" {
	for n in a b c; do
		echo "project: {name: $n}" >$n.yaml
	done
	mv a.yaml vyx.yaml
	[ "$(vyx-conf get project.name 2>&-)" = a ]
	export VYX_CONFIG=b.yaml
	[ "$(vyx-conf get project.name 2>&-)" = b ]
	[ "$(vyx-conf get -f c.yaml project.name 2>&-)" = c ]
	[ "$(vyx-conf -f c.yaml get project.name 2>&-)" = c ]
	VYX_CONFIG='' run -0 vyx-conf get project.name
	assert_line a
}

@test "a file that cannot be read: 102, and how to name another" {
	run -102 vyx-conf check
	assert_output "vyx-conf: cannot read vyx.yaml (name it by -f or VYX_CONFIG): No such file or directory"
	run -102 vyx-conf check -f schemas
	assert_output "vyx-conf: cannot read schemas: Is a directory"
	mkfifo pipe
	run -102 timeout 5 vyx-conf check -f pipe
	assert_output "vyx-conf: cannot read pipe: it is no plain file"
	# what could not be read is no reason to miss routes
	head -c 100 /dev/urandom >vyx.yaml
	run -102 vyx-conf check
	refute_output --partial route_map
}

@test "wrong usage is 100, and nothing on stdout" {
	yaml
	for args in '' 'bogus' 'check x' 'get' 'get a b' 'check -z' 'keys x'; do
		# shellcheck disable=SC2086
		run -100 --separate-stderr vyx-conf $args
		[ -z "$output" ]
		[ -n "$stderr" ]
	done
	run -100 vyx-conf get nosuch.key
	assert_line 'vyx-conf: nosuch.key is no key: vyx-conf keys lists them'
	run -100 vyx-conf diff -T 5
	assert_line 'vyx-conf: -T 5: write a duration, such as 5s'
}

@test "a file over 1 MiB is refused, one of 1 MiB is not" {
	yaml
	head -c 1048576 /dev/zero | tr '\0' '\n' >big
	cat vyx.yaml big | head -c 1048576 >1.yaml
	run -0 vyx-conf check -f 1.yaml
	cat vyx.yaml big >2.yaml
	run -102 vyx-conf check -f 2.yaml
	assert_line '2.yaml:1: larger than 1048576 bytes'
}

# YAML.

@test "what is no YAML is refused with its line" {
	printf 'project:\n  name: p\n\tx: y\n' >vyx.yaml
	bad 'vyx.yaml:3: not YAML: found a tab character that violates indentation while scanning a plain scalar'
	printf 'project: {name: "p\n' >vyx.yaml
	run -102 vyx-conf check
	assert_line --regexp '^vyx.yaml:[0-9]+: not YAML: '
	printf 'project: {name: "\377"}\n' >vyx.yaml
	run -102 vyx-conf check
	assert_line --regexp '^vyx.yaml:[0-9]+: not YAML: '
}

@test "an empty file, a list and a text are no configuration" {
	: >vyx.yaml
	bad 'vyx.yaml:1: project.name is required: add project: with name: below it'
	echo '- a' >vyx.yaml
	bad 'vyx.yaml:1: must be a mapping of keys, not a list'
	echo 'hello' >vyx.yaml
	bad 'vyx.yaml:1: must be a mapping of keys, not a text'
}

@test "a key that stands twice is refused, and the rest is still checked" {
	yaml 'listen: 127.0.0.1:1' 'listen: 127.0.0.1:2' 'gateway: {routers: 0}'
	bad 'vyx.yaml:3: key "listen" stands twice, first in line 2: keep one' \
	    'vyx.yaml:4: gateway.routers must be >= 1'
}

@test "a second document is refused" {
	yaml --- 'project: {name: q}'
	bad 'vyx.yaml:2: a second document starts here: one file is one document, remove the line ---'
	printf -- '---\nproject: {name: p}\n...\n' >vyx.yaml
	run -0 vyx-conf check
}

@test "anchors serve merges, own keys first; nothing else" {
	yaml 'ipc: {pool: &a {min_idle: 5, max_size: 50}}' 'workers:' \
	    '- &b {id: a, command: "x {fd}", replicas: 3, pool: {<<: *a, max_size: 7}}' \
	    '- {<<: *b, id: b}' '- {id: c, <<: [*b, *a]}'
	run -0 effective '[.workers[] | .id, .replicas, .pool.min_idle, .pool.max_size]'
	assert_output '["a",3,5,7,"b",3,5,7,"c",3,5,7]'
	yaml 'listen: &a 127.0.0.1:1' 'x: *a'
	bad 'vyx.yaml:3: alias *a: aliases serve merges (<<: *name) alone: write the value out'
	yaml 'gateway: &a {<<: *a}'
	bad 'vyx.yaml:2: <<: *a is no mapping that ends above this line'
	yaml 'gateway: {<<: {routers: 2}}'
	bad 'vyx.yaml:2: <<: merges up to 16 mappings, each as an alias: <<: *name, or <<: [*one, *two]'
}

@test "depth, numbers of keys and of anchors have limits" {
	yaml 'a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]'
	bad 'vyx.yaml:2: nested more than 16 deep'
	yaml "$(seq -f 'k%g: 1' 256)"
	run -102 vyx-conf check
	assert_line 'vyx.yaml:257: too many keys: a mapping may have 256'
	yaml "x: [$(seq -s , -f '&k%g 1' 257)]"
	run -102 vyx-conf check
	assert_line 'vyx.yaml:2: too many anchors: 256 at most'
	yaml "x: [$(printf '1,%.0s' {1..200001})]"
	run -102 vyx-conf check
	assert_line 'vyx.yaml:2: too much: a file may hold 200000 things at most'
}

@test "tags other than !!str are refused" {
	yaml 'gateway: {routers: !!int 2}' 'security: {anonymous_role: !!str 7}' \
	    'ipc: !x {}'
	bad 'vyx.yaml:2: tag "tag:yaml.org,2002:int": tags other than !!str are not read here: take it out' \
	    'vyx.yaml:2: gateway.routers: "2" is not a whole number: write digits, without quotes' \
	    'vyx.yaml:4: tag "!x": tags other than !!str are not read here: take it out'
}

@test "a key that is no word is refused" {
	yaml '? [a]' ': b'
	bad 'vyx.yaml:2: a key must be a plain word'
}

# Keys.

@test "unknown keys are passed over with a warning at every level" {
	worker 'colour: red' 'pool: {size: 3}' 'routes:' \
	    '  - {path: /, verb: GET}'
	printf '%s\n' 'port: 1' 'ipc.socket_dir: /x' 'workers[].id: x' \
	    'security: {jwt: {a: 1}}' $'"a\\nb": 1' >>vyx.yaml
	good 'vyx.yaml:5: warning: workers[0].colour: unknown key, ignored' \
	    'vyx.yaml:6: warning: workers[0].pool.size: unknown key, ignored' \
	    'vyx.yaml:8: warning: workers[0].routes[0].verb: unknown key, ignored' \
	    'vyx.yaml:9: warning: port: unknown key, ignored' \
	    'vyx.yaml:10: warning: ipc.socket_dir: unknown key, ignored' \
	    'vyx.yaml:11: warning: workers[].id: unknown key, ignored' \
	    'vyx.yaml:12: warning: security.jwt: unknown key, ignored' \
	    'vyx.yaml:13: warning: a?b: unknown key, ignored'
}

@test "null and empty sections keep their defaults" {
	yaml 'listen:' 'gateway: ~' 'security: null' 'ipc: {pool: }' 'workers:' \
	    'build: {schemas_dir: }'
	run -0 effective '[.listen[0], .gateway.routers, .security.global_timeout,
	    .ipc.pool.max_size, .workers, .build.schemas_dir]'
	assert_output '["127.0.0.1:8080",1,"30s",16,[],"./schemas"]'
}

@test "a section must be a mapping, a value must be one" {
	yaml 'gateway: 3' 'ipc: [a]' 'security: {global_timeout: [1s], circuit_breaker: x}' \
	    'build: {schemas_dir: {a: b}}' 'workers: {id: w}'
	bad 'vyx.yaml:2: gateway: must be a mapping of keys, not a whole number' \
	    'vyx.yaml:3: ipc: must be a mapping of keys, not a list' \
	    'vyx.yaml:4: security.global_timeout: must be a single value, not a list' \
	    'vyx.yaml:4: security.circuit_breaker: must be a mapping of keys or the word off, not a text' \
	    'vyx.yaml:5: build.schemas_dir: must be a text, not a mapping' \
	    'vyx.yaml:6: workers: must be a list of up to 1000 workers, each with - id: and command:'
}

@test "durations are Go's: no bare numbers, no days" {
	yaml 'security: {global_timeout: 1m30s}' 'gateway: {header_timeout: 1.5s}'
	run -0 effective '[.security.global_timeout, .gateway.header_timeout]'
	assert_output '["1m30s","1s500ms"]'
	for bad in 30 0 '"30"' 1d 1.5 '5 s' true; do
		yaml "security: {global_timeout: $bad}"
		bad "vyx.yaml:2: security.global_timeout: \"${bad//\"/}\" is not a duration: write numbers with units, such as 300ms, 30s or 1m30s"
	done
	yaml 'security: {global_timeout: 0s, circuit_breaker: {cooldown: -1s}}' \
	    'gateway: {idle_timeout: 600h}'
	bad 'vyx.yaml:2: security.global_timeout must be >= 1ms' \
	    'vyx.yaml:2: security.circuit_breaker.cooldown must be >= 0' \
	    'vyx.yaml:3: gateway.idle_timeout must be <= 596h'
}

@test "whole numbers: 2.0 is one, \"2\" and 2.5 are not" {
	yaml 'gateway: {routers: 2.0}'
	[ "$(effective .gateway.routers)" = 2 ]
	yaml 'gateway: {routers: "2"}'
	bad 'vyx.yaml:2: gateway.routers: "2" is not a whole number: write digits, without quotes'
	yaml 'gateway: {routers: 2.5, max_connections_per_client: 99999999999999999999}'
	bad 'vyx.yaml:2: gateway.routers: "2.5" is not a whole number' \
	    'vyx.yaml:2: gateway.max_connections_per_client: "99999999999999999999" is not a whole number'
	yaml 'gateway: {routers: 65}'
	bad 'vyx.yaml:2: gateway.routers must be <= 64'
}

@test "sizes: b, kb, mb, gb in either case, 1024 each" {
	yaml 'security: {payload_max_size: 3MB}' 'ipc: {arrow_threshold: 700}' \
	    'gateway: {max_head: 32k}'
	run -0 effective '[.security.payload_max_size, .ipc.arrow_threshold, .gateway.max_head]'
	assert_output '["3mb","700b","32kb"]'
	yaml 'security: {payload_max_size: banana}' 'ipc: {arrow_threshold: 1 mb}' \
	    'gateway: {max_head: 65kb}'
	bad 'vyx.yaml:2: security.payload_max_size: "banana" is not a size: write a number with b, kb, mb or gb, such as 512kb' \
	    'vyx.yaml:3: ipc.arrow_threshold: "1 mb" is not a size: write a number with b, kb, mb or gb, such as 512kb' \
	    'vyx.yaml:4: gateway.max_head must be <= 64kb'
}

@test "texts: numbers will do, control bytes and 4 KiB will not" {
	yaml 'security: {anonymous_role: 7}'
	[ "$(effective .security.anonymous_role)" = '"7"' ]
	yaml 'security: {anonymous_role: "a\nb"}'
	bad 'vyx.yaml:2: security.anonymous_role: "a\x0ab" holds a control byte: take it out'
	yaml "security: {anonymous_role: $(printf 'a%.0s' {1..4097})}"
	bad 'vyx.yaml:2: security.anonymous_role: 4097 bytes are too many: 4096 at most'
}

@test "listen: addresses, IPv6 and paths, one or many, each once" {
	yaml 'listen: ["0.0.0.0:80", "[0:0::1]:8080", "unix:/run/x"]'
	[ "$(effective .listen)" = '["0.0.0.0:80","[::1]:8080","unix:/run/x"]' ]
	help='write ADDRESS:PORT, such as 127.0.0.1:8080, 0.0.0.0:8080 for every IPv4 address, [::1]:8080, or unix:/PATH'
	for bad in localhost:80 8080 :8080 '*:80' 1.2.3:80 '[::1' '::1:80'; do
		yaml "listen: \"$bad\""
		bad "vyx.yaml:2: listen: \"$bad\" is no address: $help"
	done
	for bad in 0 65536 http ''; do
		yaml "listen: \"127.0.0.1:$bad\""
		bad "vyx.yaml:2: listen: \"127.0.0.1:$bad\" is no address: the port must be 1 to 65535"
	done
	help='unix: needs an absolute path of 107 bytes at most, no blank in it: unix:/run/vyx/http'
	for bad in unix:x unix: "unix:/$(printf 'a%.0s' {1..107})" 'unix:/a b'; do
		yaml "listen: \"$bad\""
		run -102 vyx-conf check
		assert_line --partial "is no address: $help"
	done
	yaml 'listen: [127.0.0.1:1, 127.0.0.1:1]'
	bad 'vyx.yaml:2: listen: "127.0.0.1:1" stands twice: keep one'
	yaml 'listen: []'
	bad 'vyx.yaml:2: listen: 1 to 64 addresses are needed'
	yaml 'listen: {a: b}'
	bad 'vyx.yaml:2: listen: must be a text or a list, not a mapping'
}

@test "rate_limit: no block, no limit; less than 0 is 0" {
	yaml
	[ "$(effective .security.rate_limit)" = null ]
	yaml 'security: {rate_limit: {per_ip: -3}}'
	[ "$(effective .security.rate_limit)" = '{"per_ip":0,"per_token":500}' ]
}

@test "a circuit breaker's zeros mean its defaults" {
	yaml 'security: {circuit_breaker: {failures: 0, cooldown: 0s, half_open_max: 0}}'
	[ "$(effective .security.circuit_breaker)" = \
	    '{"failures":5,"cooldown":"30s","half_open_max":1}' ]
}

@test "ipc.socket_dir must be absolute" {
	yaml 'ipc: {socket_dir: run}'
	bad 'vyx.yaml:2: ipc.socket_dir: "run" must be an absolute path, such as /tmp/vyx'
}

# Workers.

@test "what a project must have: the contract's words, all in one run" {
	cat >vyx.yaml <<-'YAML'
	project: {version: 1}
	workers:
	  - command: x {fd}
	  - id: a
	  - id: b
	    command: x {fd}
	    replicas: -1
	    strategy: random
	    pool_size: -1
	    shutdown_timeout: -1s
	  - hello
	YAML
	bad 'vyx.yaml:1: project.name is required: add project: with name: below it' \
	    'vyx.yaml:3: workers[0].id is required' \
	    'vyx.yaml:4: workers[1].command is required (id: "a")' \
	    'vyx.yaml:7: workers[2].replicas must be >= 0 (id: "b")' \
	    'vyx.yaml:8: workers[2].strategy must be "round-robin" or "least-loaded" (id: "b")' \
	    'vyx.yaml:9: workers[2].pool_size must be >= 0 (id: "b")' \
	    'vyx.yaml:10: workers[2].shutdown_timeout must be >= 0 (id: "b")' \
	    'vyx.yaml:11: workers[3] must be a mapping with id and command, not a text'
}

@test "worker ids: the bytes allowed, 64 of them, each once" {
	a64=$(printf 'a%.0s' {1..64})
	yaml 'workers:' '- {id: "go:api.v_1-x", command: "x {fd}"}' \
	    "- {id: $a64, command: 'x {fd}'}" "- {id: ${a64}a, command: 'x {fd}'}" \
	    '- {id: a/b, command: "x {fd}"}' '- {id: "go:api.v_1-x", command: "x {fd}"}'
	bad "vyx.yaml:5: workers[2].id \"${a64:0:60}...\" must be letters, digits, . _ : and -, 64 bytes at most" \
	    'vyx.yaml:6: workers[3].id "a/b" must be letters, digits, . _ : and -, 64 bytes at most' \
	    'vyx.yaml:7: workers[4].id "go:api.v_1-x" is taken by workers[0] in line 3: choose another'
}

@test "a worker cannot be called as another's replica" {
	yaml 'workers:' '- {id: a, command: "x {fd}", replicas: 2}' \
	    '- {id: a-1, command: "x {fd}"}' '- {id: a-2, command: "x {fd}"}' \
	    '- {id: b, command: "x {fd}"}' '- {id: b-0, command: "x {fd}"}'
	bad 'vyx.yaml:4: workers[1].id "a-1" is also the name of a replica of workers[0]: choose another'
}

@test "replicas 0 means 1, times of 0 what the contract says" {
	worker 'replicas: 0' 'shutdown_timeout: 0s' 'startup_timeout: -5s' \
	    'strategy: ""'
	run -0 effective '.workers[0] | [.replicas, .shutdown_timeout, .startup_timeout, .strategy]'
	assert_output '[1,"30s","0s","round-robin"]'
	worker 'replicas: 1001'
	bad 'vyx.yaml:5: workers[0].replicas must be <= 1000 (id: "w")'
}

@test "{socket} or {fd} make it http; without it is native, with a warning" {
	worker
	[ "$(effective '.workers[0].protocol')" = '"http"' ]
	yaml 'workers:' '- {id: a, command: "  x   {fd} y "}' \
	    '- {id: b, command: x, protocol: http}' '- {id: c, command: x}' \
	    '- {id: d, command: x, protocol: vyx, routes: [{path: /d}]}'
	run -0 effective '[.workers[] | .command, .protocol]'
	assert_output '["x {fd} y","http","x","http","x","vyx","x","vyx"]'
	native='which a later release will run: it is not started, its routes answer 503. An HTTP server has {socket} or {fd} in its command'
	good "vyx.yaml:5: warning: workers[2] is a native vyx worker (id: \"c\"), $native" \
	    "vyx.yaml:6: warning: workers[3] is a native vyx worker (id: \"d\"), $native"
	yaml 'workers:' '- {id: a, command: "x {fd} {socket}"}' \
	    '- {id: b, command: "x {fd}", protocol: vyx}' \
	    '- {id: c, command: "x {fd}", protocol: fcgi}'
	bad 'vyx.yaml:3: workers[0].command has {socket} and {fd} (id: "a"): keep one' \
	    'vyx.yaml:4: workers[1].protocol is vyx, but its command has {fd} (id: "b"): take out one of the two' \
	    'vyx.yaml:5: workers[2].protocol must be "http" or "vyx" (id: "c")'
}

@test "pools: a worker's over ipc.pool's over the default; pool_size is max_size" {
	yaml 'ipc: {pool: {max_size: 8, wait_timeout: 2s}}' 'workers:' \
	    '- {id: a, command: "x {fd}"}' \
	    '- {id: b, command: "x {fd}", pool_size: 4}' \
	    '- {id: c, command: "x {fd}", pool: {max_size: 1, wait_timeout: 1s}}' \
	    '- {id: d, command: "x {fd}", pool_size: 5, pool: {max_size: 5}}'
	run -0 effective '[.workers[].pool | .min_idle, .max_size, .wait_timeout]'
	assert_output '[2,8,"2s",2,4,"2s",1,1,"1s",2,5,"2s"]'
	worker 'pool: {min_idle: 9, max_size: 3}' 'routes: [{path: /}]'
	good 'vyx.yaml:5: warning: workers[0].pool.min_idle is more than max_size: 3 is used'
	worker 'pool: {max_size: 0, min_idle: 65536}'
	bad 'vyx.yaml:5: workers[0].pool.max_size must be >= 1 (id: "w")' \
	    'vyx.yaml:5: workers[0].pool.min_idle must be <= 65535 (id: "w")'
	worker 'pool: {max_size: 6}' 'pool_size: 5'
	bad 'vyx.yaml:6: workers[0].pool_size is 5, pool.max_size 6: they mean the same, keep one'
}

@test "env: values to set, names to inherit; a secret's value is warned of" {
	worker 'env: {A: 1, B: "x=y z", C: , JWT_SECRET: }' 'routes: [{path: /}]'
	[ "$(effective '.workers[0].env')" = \
	    '{"A":"1","B":"x=y z","C":null,"JWT_SECRET":null}' ]
	good
	worker 'env: [A, JWT_SECRET]' 'routes: [{path: /}]'
	[ "$(effective '.workers[0].env')" = '{"A":null,"JWT_SECRET":null}' ]
	worker 'env: {JWT_SECRET: hush}' 'routes: [{path: /}]'
	good 'vyx.yaml:5: warning: workers[0].env: "JWT_SECRET" is a secret, and its value would stand in the registry: leave the value out to inherit it'
	worker 'env: {1A: x, B: [c], C: "a\0b"}'
	bad 'vyx.yaml:5: workers[0].env: "1A" is no name of a variable: write NAME: value, or a list of names to inherit' \
	    'vyx.yaml:5: workers[0].env: the value of "B" must be a text' \
	    'vyx.yaml:5: workers[0].env: the value of "C" holds a NUL byte'
	worker 'env: [A=b]'
	bad 'vyx.yaml:5: workers[0].env: "A=b" is no name of a variable: write NAME: value, or a list of names to inherit'
	worker 'env: A'
	bad 'vyx.yaml:5: workers[0].env: must be a mapping NAME: value or a list of names, with 32 entries at most'
	worker "env: [$(seq -s , -f A%g 33)]"
	bad 'vyx.yaml:5: workers[0].env: must be a mapping NAME: value or a list of names, with 32 entries at most'
	worker "env: {A: $(printf 'a%.0s' {1..32767})}"
	bad 'vyx.yaml:5: workers[0].env: 32769 bytes are too many: 32768 at most'
}

@test "health is a path, user a name, a number or auto" {
	worker 'health: /h?a=b' 'user: auto'
	[ "$(effective '.workers[0] | [.health, .user]')" = '["/h?a=b","auto"]' ]
	worker 'health: health' 'user: 1 2'
	bad 'vyx.yaml:5: workers[0].health "health" must be a path, such as /health' \
	    'vyx.yaml:6: workers[0].user "1 2" is no user number' \
	    'vyx.yaml:6: workers[0].user "1 2" must be a name, a number or auto'
	worker 'user: 4294967295'
	bad 'vyx.yaml:5: workers[0].user "4294967295" is no user number'
}

@test "working_dir is looked for beside vyx.yaml; a missing one is a warning" {
	mkdir -p sub/web
	worker 'working_dir: ./web' 'routes: [{path: /}]'
	mv vyx.yaml sub
	run -0 vyx-conf check -f sub/vyx.yaml
	assert_output ''
	worker 'working_dir: gone' 'routes: [{path: /}]'
	good "vyx.yaml:5: warning: workers[0].working_dir: $PWD/gone: No such file or directory: the worker cannot start"
	worker 'working_dir: vyx.yaml' 'routes: [{path: /}]'
	good "vyx.yaml:5: warning: workers[0].working_dir: $PWD/vyx.yaml: Not a directory: the worker cannot start"
}

# Routes.

@test "routes of vyx.yaml: one method, a list, or every one" {
	worker 'routes:' '  - {path: //a//b/, method: get}' \
	    '  - {path: "/u/:id/*rest", method: [POST, ws, post], host: "*.Example.org", roles: [a, b], type: page}' \
	    '  - {path: /, auth_roles: admin}'
	run -0 effective '.workers[0].routes[] | [.path, .method, .host, .roles, .type]'
	assert_line --index 0 '["/a/b",["GET"],"",[],"api"]'
	assert_line --index 1 '["/u/:id/*rest",["POST","WS"],"*.example.org",["a","b"],"page"]'
	assert_line --index 2 '["/",["*"],"",["admin"],"api"]'
}

@test "routes that cannot be are refused, each with its line" {
	worker 'routes:' '  - {method: GET}' '  - {path: /*r/x}' '  - {path: "/:"}' \
	    '  - {path: /a%2fb}' '  - {path: /a;b}' '  - {path: /x, method: "G T"}' \
	    '  - {path: /x, method: []}' '  - {path: /x, host: "a:80"}' \
	    '  - {path: /x, roles: ["a b"]}' '  - {path: /x, type: file}' \
	    '  - {path: /x, validate: ../x}' '  - hello' '  - {path: /a/../b}' \
	    "  - {path: /$(printf 'a%.0s' {1..1024})}" \
	    "  - {path: /y, roles: [$(seq -s , 33)]}" \
	    "  - {path: /z, method: [$(seq -s , -f M%g 17)]}"
	seg='cannot be a segment: a text, :name, or *name at the end, the name of letters, digits, _ - and .; no ; \ %2f and the like'
	bad 'vyx.yaml:6: workers[0].routes[0].path is required' \
	    'vyx.yaml:7: workers[0].routes[1].path: "*r" takes all that is left, so it must be the last segment' \
	    "vyx.yaml:8: workers[0].routes[2].path: \":\" $seg" \
	    "vyx.yaml:9: workers[0].routes[3].path: \"a%2fb\" $seg" \
	    "vyx.yaml:10: workers[0].routes[4].path: \"a;b\" $seg" \
	    'vyx.yaml:11: workers[0].routes[5].method: "G T" is no method: write one such as GET, or * for every one' \
	    'vyx.yaml:12: workers[0].routes[6].method: 1 to 16 methods are needed' \
	    'vyx.yaml:13: workers[0].routes[7].host: "a:80" is no host: write a name such as api.example.org or *.example.org, without a port' \
	    'vyx.yaml:14: workers[0].routes[8].roles: "a b" is no role: a word of 64 bytes at most is needed' \
	    'vyx.yaml:15: workers[0].routes[9].type must be "api" or "page" (id: "w")' \
	    'vyx.yaml:16: workers[0].routes[10].validate: "../x" is no name of a schema: letters, digits, . _ and -, for the file NAME.json in build.schemas_dir' \
	    'vyx.yaml:17: workers[0].routes[11] must be a mapping with path, not a text' \
	    "vyx.yaml:18: workers[0].routes[12].path: \"..\" $seg" \
	    'vyx.yaml:19: workers[0].routes[13].path: more than 1024 bytes: shorten it' \
	    'vyx.yaml:20: workers[0].routes[14].roles: 33 roles are too many: 32 at most' \
	    'vyx.yaml:21: workers[0].routes[15].method: 1 to 16 methods are needed'
	worker 'routes:' '  - {path: "/:a b"}' \
	    "  - {path: /$(printf 'a%.0s' {1..1020}), method: GET}"
	bad "vyx.yaml:6: workers[0].routes[0].path: \":a b\" $seg" \
	    'vyx.yaml:7: workers[0].routes[1].path: methods, host and path have more than 1024 bytes together: shorten them'
	worker 'routes: {path: /}'
	bad 'vyx.yaml:5: workers[0].routes must be a list, not a mapping'
}

@test "patterns take the one form of paths" {
	worker 'routes:' "  - {path: '/a b/é/%7Eu/%41/:x/*z'}"
	[ "$(effective '.workers[0].routes[0].path')" = '"/a%20b/%C3%A9/~u/A/:x/*z"' ]
}

@test "what the router cannot compile is refused" {
	worker 'routes:' "  - {path: '$(printf '/:p%s' {1..17})'}" \
	    "  - {path: '$(printf '/a%.0s' {1..65})'}" '  - {path: /b}'
	bad 'vyx.yaml:6: workers[0].routes[0]: too many parameters' \
	    'vyx.yaml:7: workers[0].routes[1]: too many segments'
}

@test "of two routes with one method, host and path the later is used" {
	worker 'routes:' '  - {path: "/x/:id", method: [GET, POST]}' \
	    '  - {path: "/x/:name/", method: GET, host: a}' \
	    '  - {path: "/x/:name/", method: GET, type: page}'
	good 'vyx.yaml:8: warning: workers[0].routes[2]: GET of the same host and path is routed in vyx.yaml:6 too: this one is used'
	run -0 effective '[.workers[0].routes[] | .method[], .type]'
	assert_output '["POST","api","GET","api","GET","page"]'
}

@test "route_map.json: names in any case, nulls, unknown members" {
	worker
	map '{"PATH":"/a","Method":"get","worker_id":"w","auth_roles":null,"validate":null,"source":{"x":1}}' \
	    '{"path":"/b/","method":"POST","worker_id":"w","auth_roles":["user"],"type":"page"}' \
	    '{"path":"/c","worker_id":"w"}'
	good 'route_map.json:4: warning: routes[2].method is missing: no request can match, ignored'
	run -0 effective '[.workers[0].routes[] | .path, .method[], .roles, .type]'
	assert_output '["/a","GET",[],"","/b","POST",["user"],"page"]'
	map '{"path":"/a","worker_id":"w","auth_roles":["admin"],"type":"page"}' \
	    '{"path":"/b","method":"GET","worker_id":"w"}'
	run -0 effective '[.workers[0].routes[] | .path, .roles, .type]'
	assert_output '["/b",[],""]' # nothing of the one passed over
	for empty in '{}' '{"routes":null}' '{"routes":[]}'; do
		echo "$empty" >route_map.json
		good
	done
}

@test "route_map.json: what is wrong is told with its line" {
	worker
	map '{"path":"/a","method":"GET","worker_id":"x"}' \
	    '{"path":"/a","method":"GET"}' \
	    '{"path":7,"method":"GET","worker_id":"w"}' \
	    '{"path":"/b","method":"GET","worker_id":"w","validate":{"model":"x"}}' \
	    '{"path":"/c","method":"GET","worker_id":"w","auth_roles":"user"}' \
	    '{"path":"/d","method":"GET","worker_id":"w","auth_roles":[1]}' \
	    '[]' '{"path":"/e%2f","method":"GET","worker_id":"w"}' \
	    '{"path":"/f","method":"GET","worker_id":"w","type":"12345678901234567"}'
	bad 'route_map.json:2: routes[0].worker_id: "x" is no worker of vyx.yaml: there are "w"' \
	    'route_map.json:3: routes[1].worker_id is required' \
	    'route_map.json:4: routes[2].path: must be a text, not a whole number' \
	    'route_map.json:5: routes[3].validate: must be a text, not a mapping' \
	    'route_map.json:6: routes[4].auth_roles: must be a list of texts, not a text' \
	    'route_map.json:7: routes[5].auth_roles: must be a list of texts, not a whole number' \
	    'route_map.json:8: routes[6]: must be an object, not a list' \
	    'route_map.json:9: routes[7].path: "e%2f" cannot be a segment: a text, :name, or *name at the end, the name of letters, digits, _ - and .; no ; \ %2f and the like' \
	    'route_map.json:10: routes[8].type: must be api or page'
	cat >route_map.json <<-'JSON'
	{"routes":[{"note":"\"","more":["a\\","{\"",-1.5e3,[],{},""],
	"path":"/a","method":"GET","worker_id":"w"},

	{"path":"/b","method":"GET","worker_id":"v"}]}
	JSON
	bad 'route_map.json:4: routes[1].worker_id: "v" is no worker of vyx.yaml: there are "w"'
	echo '[]' >route_map.json
	bad 'route_map.json:1: must be an object {"routes": [...]}, not a list'
	echo '{"routes": 1}' >route_map.json
	bad 'route_map.json:1: routes: must be a list, not a whole number'
	printf '{"routes": [\n{"path": }]}' >route_map.json
	bad "route_map.json:2: not JSON: unexpected token near '}'"
	printf '{"routes": [],\n"routes": []}' >route_map.json
	bad "route_map.json:2: not JSON: duplicate object key near '\"routes\"'"
	: >route_map.json
	bad 'route_map.json:1: not JSON: unexpected token near end of file'
	head -c 1048577 /dev/zero | tr '\0' ' ' >route_map.json
	bad 'route_map.json:1: larger than 1048576 bytes'
	rm route_map.json
	mkdir route_map.json
	bad 'vyx.yaml:1: build.route_map_output: cannot read route_map.json: Is a directory'
}

@test "route_map.json: deep nesting is refused" {
	worker
	echo '{"x": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}' >route_map.json
	bad 'route_map.json:1: nested more than 16 deep'
}

@test "a missing route map is a warning, but not beside routes in vyx.yaml" {
	worker
	good 'vyx.yaml:1: warning: build.route_map_output: there is no route_map.json: no routes from it'
	worker 'routes: [{path: /}]'
	good
	printf 'build: {route_map_output: gen/r.json}\n' >>vyx.yaml
	good 'vyx.yaml:6: warning: build.route_map_output: there is no gen/r.json: no routes from it'
	mkdir gen
	echo '{}' >gen/r.json
	good
	cd gen
	run -0 vyx-conf check -f ../vyx.yaml
	assert_output ''
}

@test "routes of vyx.yaml come after those of the map" {
	worker 'routes: [{path: /a, type: page}]'
	map '{"path":"/a","method":"*","worker_id":"w"}'
	good 'vyx.yaml:5: warning: workers[0].routes[0]: * of the same host and path is routed in route_map.json:2 too: this one is used'
	run -0 effective '[.workers[0].routes[].type]'
	assert_output '["page"]'
}

@test "validate: spellings of scanners; zod and pydantic are the worker's" {
	worker
	echo '{"type":"object"}' >schemas/greet.json
	map '{"path":"/a","method":"POST","worker_id":"w","validate":"JsonSchema: \"greet\""}' \
	    '{"path":"/b","method":"POST","worker_id":"w","validate":"zod"}' \
	    '{"path":"/c","method":"POST","worker_id":"w","validate":"pydantic"}' \
	    '{"path":"/d","method":"POST","worker_id":"w","validate":"greet"}'
	good
	run -0 effective '[.workers[0].routes[].validate]'
	assert_output '["greet","","","greet"]'
}

@test "schemas: a missing one is a warning, one that does not compile an error" {
	worker 'routes:' '  - {path: /a, validate: gone}' '  - {path: /b, validate: gone}'
	good 'vyx.yaml:6: warning: workers[0].routes[0]: cannot read its schema schemas/gone.json: No such file or directory: requests with a body are refused'
	printf '{\n"a" 1}' >schemas/gone.json
	bad "schemas/gone.json:2: not JSON: ':' expected near '1'"
	echo '[]' >schemas/gone.json
	bad 'schemas/gone.json:1: /: a schema is an object, true or false'
	: >schemas/gone.json
	bad 'schemas/gone.json:1: not JSON: unexpected token near end of file'
	echo '{"properties": {"a": {"patern": "x"}}}' >schemas/gone.json
	bad 'schemas/gone.json:1: /properties/a/patern: unknown keyword'
	echo '{"items": {"pattern": "("}}' >schemas/gone.json
	bad 'schemas/gone.json:1: /items/pattern: byte 1 of the pattern: ( without )'
	run -102 vyx-conf check -t
	assert_output $'schemas/gone.json\t1\terror\t/items/pattern\tbyte 1 of the pattern: ( without )'
	echo true >schemas/gone.json
	good
}

@test "schemas: a format nobody checks is an error where formats are checked" {
	worker 'routes: [{path: /a, validate: s}]'
	echo '{"format": "colour"}' >schemas/s.json
	good
	echo 'security: {schema_formats: true}' >>vyx.yaml
	run -102 vyx-conf check
	assert_line --regexp '^schemas/s.json:1: /format: '
	echo '{"format": "date"}' >schemas/s.json
	good
}

# The gateway's policy.

# policy LINE... - vyx.yaml with the route /a of `w`, and more keys of it from
# line 7 on.
policy() {
	worker 'routes:' '  - path: /a'
	printf '        %s\n' "$@" >>vyx.yaml
}

# setting KEY - the value of its row, `-` where there is none.
setting() {
	vyx-conf diff -j >j 2>err || [ $? = 1 ] || {
		cat err
		return
	}
	jq -r --arg k "$1" 'select(.table == "setting" and .key == $k) |
	    .is.value' j >value
	[ -s value ] || echo - >value
	cat value
}

# column NAME - of the row of /a.
column() {
	vyx-conf diff -j 2>err | jq -r --arg c "$1" \
	    'select(.table == "route") | .is[$c]'
}

@test "booleans are true or false, without quotes" {
	yaml 'security: {headers: false, schema_formats: True}'
	regd
	[ "$(effective '.security | [.headers, .schema_formats]')" = '[false,true]' ]
	[ "$(setting security.headers)$(setting security.schema_formats)" = 01 ]
	[ "$(setting jwt.require_exp)$(setting cors.credentials)" = 1- ]
	for bad in yes no 1 '"true"' '[true]'; do
		yaml "security: {headers: $bad}"
		bad 'vyx.yaml:2: security.headers must be true or false, without quotes'
	done
}

@test "gateway.max_fields is 1 to 128" {
	yaml 'gateway: {max_fields: 128}'
	regd
	[ "$(setting gateway.max_fields)" = 128 ]
	yaml 'gateway: {max_fields: 0}'
	bad 'vyx.yaml:2: gateway.max_fields must be >= 1'
	yaml 'gateway: {max_fields: 129}'
	bad 'vyx.yaml:2: gateway.max_fields must be <= 128'
}

@test "gateway.access_log is json, text or off" {
	yaml
	regd
	[ "$(setting gateway.access_log)" = json ]
	for word in json text off; do
		yaml "gateway: {access_log: $word}"
		[ "$(setting gateway.access_log)" = $word ]
	done
	yaml 'gateway: {access_log: xml}'
	bad 'vyx.yaml:2: gateway.access_log must be "json", "text" or "off"'
}

@test "gateway.trusted_proxies are blocks or unix" {
	yaml
	regd
	[ "$(setting gateway.trusted_proxies)" = - ]
	yaml 'gateway: {trusted_proxies: ""}'
	[ "$(setting gateway.trusted_proxies)" = - ]
	yaml 'gateway: {trusted_proxies: 10.0.0.0/8}'
	[ "$(setting gateway.trusted_proxies)" = 10.0.0.0/8 ]
	yaml 'gateway: {trusted_proxies: [10.0.0.0/8, "fd00::/8", 192.0.2.1, unix]}'
	[ "$(setting gateway.trusted_proxies)" = '10.0.0.0/8 fd00::/8 192.0.2.1 unix' ]
	yaml 'gateway:' '  trusted_proxies:' '  - 10.0.0.1/8' '  - localhost' '  - 10.0.0.0/33'
	bad 'vyx.yaml:4: gateway.trusted_proxies: "10.0.0.1/8": the address has bits set behind the prefix' \
	    'vyx.yaml:4: gateway.trusted_proxies: "localhost": no address, and no block of addresses' \
	    'vyx.yaml:4: gateway.trusted_proxies: "10.0.0.0/33": after the / a number from 0 to 32 is needed'
}

@test "items of a list that becomes one value hold no blank" {
	yaml 'jwt: {audience: ["a b", c, ""]}'
	bad 'vyx.yaml:2: jwt.audience: "a b" must be one word, without blanks' \
	    'vyx.yaml:2: jwt.audience: "" must be one word, without blanks'
	a4096=$(printf 'a%.0s' {1..4096})
	yaml "jwt: {audience: [$(printf "$a4096,%.0s" {1..16})]}"
	bad 'vyx.yaml:2: jwt.audience: more than 65536 bytes together: shorten it'
	yaml "jwt: {audience: [$(printf "$a4096,%.0s" {1..15})]}"
	run -0 vyx-conf check
}

@test "rate_limit and circuit_breaker may be off" {
	yaml 'security: {rate_limit: off, circuit_breaker: off}'
	regd
	[ "$(effective .security.rate_limit)" = null ]
	[ "$(effective .security.circuit_breaker)" = '"off"' ]
	[ "$(setting security.rate_limit.per_ip)" = - ]
	[ "$(setting security.rate_limit.per_token)" = - ]
	[ "$(setting security.circuit_breaker.failures)" = 2147483647 ]
	[ "$(vyx-conf get security.circuit_breaker.failures 2>&-)" = off ]
	[ "$(vyx-conf get security.rate_limit.per_ip 2>&-)" = off ]
	yaml 'security: {rate_limit: {per_ip: -1, per_token: 7}}'
	[ "$(setting security.rate_limit.per_ip)" = 0 ]
	[ "$(setting security.rate_limit.per_token)" = 7 ]
	[ "$(vyx-conf get security.rate_limit.per_ip 2>&-)" = 0 ]
	yaml 'security: {rate_limit: false, circuit_breaker: on}' 'ipc: {pool: off}'
	bad 'vyx.yaml:2: security.rate_limit: must be a mapping of keys or the word off, not true or false' \
	    'vyx.yaml:2: security.circuit_breaker: must be a mapping of keys or the word off, not a text' \
	    'vyx.yaml:3: ipc.pool: must be a mapping of keys, not a text'
}

@test "jwt: one key, and algorithms of its kind" {
	yaml 'jwt: {algorithm: [HS256, HS512], secret_file: sub/s, issuer: me, audience: [a, b], leeway: 5s, require_exp: false}'
	mkdir sub
	echo x >sub/s
	regd
	[ "$(setting jwt.algorithm)" = 'HS256 HS512' ]
	[ "$(setting jwt.secret_file)" = "$PWD/sub/s" ]
	[ "$(setting jwt.issuer)" = me ]
	[ "$(setting jwt.audience)" = 'a b' ]
	[ "$(setting jwt.leeway)" = 5000 ]
	[ "$(setting jwt.require_exp)" = 0 ]
	[ "$(setting jwt.jwks_file)" = - ]
	for key in '' ', secret_file: sub/s'; do
		yaml "jwt: {algorithm: HS384$key}"
		run -0 vyx-conf check
		refute_output --partial jwt
	done
	for key in public_key_file jwks_file; do
		yaml "jwt: {algorithm: [RS256, ES256], $key: /k}"
		[ "$(setting jwt.$key)" = /k ]
		yaml "jwt: {algorithm: HS256, $key: sub/s}"
		bad "vyx.yaml:2: jwt.algorithm: HS tokens need a secret, and jwt.$key has public keys"
	done
	need='RS and ES tokens need jwt.public_key_file or jwt.jwks_file, not'
	yaml 'jwt: {algorithm: ES256}'
	bad "vyx.yaml:2: jwt.algorithm: $need security.jwt_secret_env"
	yaml 'jwt: {algorithm: RS256, secret_file: sub/s}'
	bad "vyx.yaml:2: jwt.algorithm: $need jwt.secret_file"
	yaml 'jwt: {algorithm: [RS256, HS256]}'
	bad 'vyx.yaml:2: jwt.algorithm: HS tokens need a secret, RS and ES tokens a public key: keep those of one kind'
	for alg in none hs256 RS512; do
		yaml "jwt: {algorithm: $alg}"
		bad "vyx.yaml:2: jwt.algorithm: \"$alg\" is none of HS256, HS384, HS512, RS256 and ES256"
	done
	yaml 'jwt:' '  secret_file: sub/s' '  public_key_file: sub/s' '  jwks_file: sub/s'
	bad 'vyx.yaml:4: jwt.public_key_file: jwt.secret_file has the key already: keep one of the two' \
	    'vyx.yaml:5: jwt.jwks_file: jwt.secret_file has the key already: keep one of the two'
	yaml 'jwt: {leeway: 25h}'
	bad 'vyx.yaml:2: jwt.leeway must be <= 24h'
	yaml 'jwt: {leeway: -1s}'
	bad 'vyx.yaml:2: jwt.leeway must be >= 0'
}

@test "jwt: a key file that cannot be read is a warning" {
	for key in secret_file public_key_file jwks_file; do
		yaml "jwt: {$key: gone}"
		echo '{}' >route_map.json
		good "vyx.yaml:2: warning: jwt.$key: cannot read $PWD/gone: No such file or directory: requests with a token are refused"
	done
}

@test "cors: origins as browsers write them; without them no rows" {
	yaml 'cors: {credentials: true}'
	regd
	for key in origins methods headers expose credentials max_age; do
		[ "$(setting cors.$key)" = - ]
	done
	yaml 'cors: {origins: "*"}'
	[ "$(setting cors.origins)" = '*' ]
	[ "$(setting cors.methods)" = 'GET HEAD POST PUT PATCH DELETE' ]
	[ "$(setting cors.headers)" = 'Authorization Content-Type' ]
	[ "$(setting cors.expose)" = - ]
	[ "$(setting cors.credentials)" = 0 ]
	[ "$(setting cors.max_age)" = 600000 ]
	yaml 'cors: {origins: ["https://a.example", "http://127.0.0.1:3000", "http://[::1]:80", "app+x://h"], methods: [GET, PURGE], headers: "*", expose: [X-A, X-B], max_age: 0s}'
	[ "$(setting cors.origins)" = 'https://a.example http://127.0.0.1:3000 http://[::1]:80 app+x://h' ]
	[ "$(setting cors.methods)" = 'GET PURGE' ]
	[ "$(setting cors.headers)" = '*' ]
	[ "$(setting cors.expose)" = 'X-A X-B' ]
	[ "$(setting cors.max_age)" = 0 ]
	for bad in null https://A.example https://a/ https://a/x a.example \
	    https:// ://a https://a:0 https://a:65536 https://a: https://u@a \
	    'https://[::1' 'https://[]' 'https://[::1]x' '*.a' 'https://*.a'; do
		yaml "cors: {origins: [\"$bad\"]}"
		bad "vyx.yaml:2: cors.origins: \"$bad\" is no origin: write SCHEME://HOST[:PORT] in lower case without a path, such as https://app.example.org, or *"
	done
	yaml 'cors: {max_age: 25h}'
	bad 'vyx.yaml:2: cors.max_age must be <= 24h'
}

@test "cors: names are tokens, and nothing is * with credentials" {
	yaml 'cors:' '  methods: ["G,T"]' '  headers: "X:"' '  expose: "*"'
	bad 'vyx.yaml:3: cors.methods: "G,T" is no name of a method: a word of 64 bytes at most is needed' \
	    'vyx.yaml:4: cors.headers: "X:" is no name of a header field: a word of 64 bytes at most is needed' \
	    'vyx.yaml:5: cors.expose: "*" is no name of a header field: a word of 64 bytes at most is needed'
	yaml "cors: {expose: [$(printf 'X-%040d, ' {1..24})]}"
	bad 'vyx.yaml:2: cors.expose: 1056 bytes in an answer are too many: 1000 at most'
	yaml 'cors: {methods: "*"}'
	bad 'vyx.yaml:2: cors.methods: "*" is no name of a method: a word of 64 bytes at most is needed'
	yaml 'cors:' '  origins: "*"' '  headers: "*"' '  credentials: true'
	bad 'vyx.yaml:4: cors.headers: not * with cors.credentials: name them' \
	    'vyx.yaml:5: cors.credentials: not with cors.origins *: name the origins'
	yaml 'cors: {origins: "https://a", credentials: true}'
	run -0 vyx-conf check
	refute_output --partial cors
}

@test "a route whose worker does its own policy has none here" {
	regd
	policy 'method: GET'
	[ "$(column policy)" = null ]
	policy 'policy: gateway' 'roles: a'
	[ "$(column policy)" = null ]
	policy 'policy: none' 'payload_max_size: 1kb' 'validate: zod'
	[ "$(column policy)" = none ]
	[ "$(effective '.workers[0].routes[0].policy')" = '"none"' ]
	policy 'policy: worker'
	bad 'vyx.yaml:7: workers[0].routes[0].policy must be "gateway" or "none" (id: "w")'
	echo '{}' >schemas/a.json
	for with in roles auth_roles validate; do
		policy 'policy: none' "$with: a"
		bad "vyx.yaml:7: workers[0].routes[0].policy is none, but it has ${with#auth_}: take out one of the two"
	done
	for with in off '{per_ip: 1}' '{per_token: 1}'; do
		policy 'policy: none' "rate_limit: $with"
		bad 'vyx.yaml:7: workers[0].routes[0].policy is none, but it has rate_limit: take out one of the two'
	done
}

@test "limits of a route: those given, in one column" {
	regd
	policy 'method: GET'
	[ "$(column limits)" = null ]
	policy 'payload_max_size: 0'
	[ "$(column limits)" = payload=0 ]
	policy 'global_timeout: 1500us' 'rate_limit: {per_token: 9}'
	[ "$(column limits)" = 'timeout-ms=2 per-token=9' ]
	policy 'rate_limit: off' 'payload_max_size: 2kb'
	[ "$(column limits)" = 'payload=2048 per-ip=off per-token=off' ]
	policy 'rate_limit: {per_ip: -5, per_token: 1}' 'global_timeout: 596h' \
	    'payload_max_size: 1gb'
	[ "$(column limits)" = \
	    'payload=1073741824 timeout-ms=2145600000 per-ip=0 per-token=1' ]
	[ "$(effective '.workers[0].routes[0] | [.payload_max_size, .global_timeout, .rate_limit]')" = \
	    '["1gb","596h",{"per_ip":-5,"per_token":1}]' ]
	policy 'payload_max_size: x' 'global_timeout: 0s' 'rate_limit: {per_ip: off}'
	bad 'vyx.yaml:7: workers[0].routes[0].payload_max_size: "x" is not a size: write a number with b, kb, mb or gb, such as 512kb' \
	    'vyx.yaml:8: workers[0].routes[0].global_timeout must be >= 1ms (id: "w")' \
	    'vyx.yaml:9: workers[0].routes[0].rate_limit.per_ip: "off" is not a whole number: write digits, without quotes'
	policy 'rate_limit: on'
	bad 'vyx.yaml:7: workers[0].routes[0].rate_limit: must be a mapping of keys or the word off, not a text'
}

@test "header fields of a route: removed, then set, a line each" {
	regd
	policy 'request_headers: {set: {X-A: "b: c\td", X_B: 7}, remove: [Cookie, x-c]}' \
	    'response_headers: {remove: Server, set: {Cache-Control: "no-store", X-É: x}}'
	bad 'vyx.yaml:8: workers[0].routes[0].response_headers.set: "X-É" is no name of a header field: a word of 64 bytes at most is needed'
	policy 'request_headers: {set: {X-A: "b: c\td", X_B: 7}, remove: [Cookie, x-c]}' \
	    'response_headers: {remove: Server, set: {Cache-Control: é, Cookie: x}}'
	[ "$(column headers)" = "$(printf '%s\n' 'q- Cookie' 'q- x-c' \
	    $'q+ X-A: b: c\td' 'q+ X_B: 7' 'a- Server' 'a+ Cache-Control: é' \
	    'a+ Cookie: x')" ]
	[ "$(effective '.workers[0].routes[0] | [.request_headers, .response_headers]')" = \
	    '[{"set":{"X-A":"b: c\td","X_B":"7"},"remove":["Cookie","x-c"]},{"set":{"Cache-Control":"é","Cookie":"x"},"remove":["Server"]}]' ]
}

@test "header fields that the gateway makes are no route's" {
	for name in Connection Keep-Alive Proxy-Connection TE Trailer \
	    Transfer-Encoding Upgrade Content-Length Expect Host Date Via \
	    X-Request-Id Forwarded X-Forwarded-For X-Forwarded- \
	    x_forwarded_proto X-Real-IP Max-Forwards content_length HOST; do
		for side in request response; do
			policy "${side}_headers: {set: {$name: x}}"
			bad "vyx.yaml:7: workers[0].routes[0].${side}_headers.set: \"$name\" is made by the gateway: take it out"
			policy "${side}_headers: {remove: $name}"
			bad "vyx.yaml:7: workers[0].routes[0].${side}_headers.remove: \"$name\" is made by the gateway: take it out"
		done
	done
	policy 'request_headers: {set: {Hosts: x, X-Forwarded: y, Authorization: z}}'
	run -0 vyx-conf check
}

@test "header fields: names, values and how many" {
	a64=$(printf 'a%.0s' {1..64}) v1024=$(printf 'v%.0s' {1..1024})
	policy "request_headers: {set: {$a64: $v1024}}"
	run -0 vyx-conf check
	at='workers[0].routes[0].request_headers'
	policy "request_headers: {set: {a$a64: x, 'a:b': x, '': x}}" \
	    'response_headers: {remove: [a b, ""]}'
	name='is no name of a header field: a word of 64 bytes at most is needed'
	bad "vyx.yaml:7: $at.set: \"${a64:0:60}...\" $name" \
	    "vyx.yaml:7: $at.set: \"a:b\" $name" "vyx.yaml:7: $at.set: \"\" $name" \
	    "vyx.yaml:8: workers[0].routes[0].response_headers.remove: \"a b\" $name" \
	    "vyx.yaml:8: workers[0].routes[0].response_headers.remove: \"\" $name"
	for value in "v$v1024" '" x"' '"x\t"' '"a\nb"' '"a\x7f"' '""' '' '[x]' '"a\0b"'; do
		policy "request_headers: {set: {A: $value}}"
		bad "vyx.yaml:7: $at.set: the value of \"A\" must be a text of 1 to 1024 bytes, without control bytes, and without blanks at its ends"
	done
	policy 'request_headers: {set: [A, B]}'
	bad "vyx.yaml:7: $at.set: must be a mapping NAME: value, not a list"
	policy 'request_headers: {remove: {A: b}}'
	bad "vyx.yaml:7: $at.remove: must be a text or a list, not a mapping"
	policy 'request_headers:' '  remove: [A, b, B]' '  set: {a: 1, C: 2, c: 3}'
	twice='stands twice: a field is set once, or removed'
	bad "vyx.yaml:8: $at.remove: \"B\" $twice" "vyx.yaml:9: $at.set: \"a\" $twice" \
	    "vyx.yaml:9: $at.set: \"c\" $twice"
	policy "request_headers: {remove: [$(seq -s , -f A%g 16)]}" \
	    "response_headers: {remove: [$(seq -s , -f A%g 16)]}"
	run -0 vyx-conf check
	policy "request_headers: {remove: [$(seq -s , -f A%g 16)]}" \
	    "response_headers: {remove: [$(seq -s , -f A%g 17)]}"
	bad 'vyx.yaml:6: workers[0].routes[0]: 33 header fields to set and remove are too many: 32 at most'
	policy "request_headers: {set: {$(seq -s , -f "A%g: $v1024" 16)}}"
	bad 'vyx.yaml:6: workers[0].routes[0]: its header fields have more than 16384 bytes together: shorten them'
}

@test "vyx-regd itself keeps all of it, and json is a fixed point" {
	policy 'global_timeout: 1s' 'rate_limit: off' \
	    'request_headers: {set: {X-A: "b%0a", X-B: "é\tf"}, remove: [Cookie]}' \
	    'response_headers: {set: {X-D: x}}'
	printf '%s\n' 'gateway: {trusted_proxies: [10.0.0.0/8, unix], access_log: off}' \
	    'security: {headers: false, circuit_breaker: off, rate_limit: {per_ip: 3}}' \
	    'cors: {origins: ["https://a", "https://b"], credentials: true}' \
	    'jwt: {algorithm: HS256, audience: [a, b]}' >>vyx.yaml
	echo '{}' >route_map.json
	good
	start_ready regd vyx-regd -d "$RUN" -s "$WORK/state"
	vyx-conf apply
	run -0 vyx-conf diff
	assert_output ''
	rm route_map.json
	vyx-conf json >1.json 2>err
	vyx-conf json -f 1.json >2.json 2>err
	cmp 1.json 2.json
	mv 1.json vyx.yaml
	run vyx-conf diff -j # the lines have moved, no more
	[ "$(jq -s 'map(.was, .is | del(.src)) | [.[:2]] |
	    map(.[0] == .[1]) | all' <<<"$(grep '^{' <<<"$output")")" = true ]
}

# Output.

@test "check -t and -j say the same on stdout" {
	yaml 'port: 1' 'gateway: {routers: 0}' 'listen: "x\ty"'
	run -102 --separate-stderr vyx-conf check -t
	[ -z "$stderr" ]
	assert_line $'vyx.yaml\t2\twarning\tport\tunknown key, ignored'
	assert_line $'vyx.yaml\t3\terror\t\tgateway.routers must be >= 1'
	run -102 --separate-stderr vyx-conf check -j
	[ -z "$stderr" ]
	assert_line '{"file":"vyx.yaml","line":2,"level":"warning","key":"port","message":"unknown key, ignored"}'
	jq -e . <<<"$output" >jq.out
}

@test "many errors are counted, the first thousand told" {
	yaml "$(for i in $(seq 200); do echo "k$i: *a"; done)"
	run -102 vyx-conf check
	[ "${#lines[@]}" = 200 ] # a missing route map is for when the rest is right
	yaml "listen: [$(seq -s , 1 60), $(seq -s , 1 4)]" \
	    "x: [$(for i in $(seq 1100); do printf '*a,'; done)]"
	run -102 vyx-conf check
	assert_line --regexp '^and [0-9]+ more$'
}

@test "json is a fixed point, in a fixed order" {
	worker 'env: {A: "x y", B: }' 'replicas: 3' 'routes:' \
	    '  - {path: "/u/:id", method: [GET, PUT], roles: r, host: a.b}'
	vyx-conf json >1.json 2>err
	vyx-conf json >2.json 2>err
	cmp 1.json 2.json
	vyx-conf json -f 1.json >3.json 2>err
	cmp 1.json 3.json
}

@test "get prints one value, a list's a line each" {
	yaml 'listen: [127.0.0.1:1, unix:/x]' 'ipc: {socket_dir: /run/v}' \
	    'gateway: {routers: 3, max_head: 8kb, idle_timeout: 90s}'
	echo '{}' >route_map.json
	[ "$(vyx-conf get listen)" = $'127.0.0.1:1\nunix:/x' ]
	[ "$(vyx-conf get ipc.socket_dir)" = /run/v ]
	[ "$(vyx-conf get gateway.routers)" = 3 ]
	[ "$(vyx-conf get gateway.max_head)" = 8kb ]
	[ "$(vyx-conf get gateway.idle_timeout)" = 1m30s ]
	[ "$(vyx-conf get gateway.access_log)" = json ]
	[ "$(vyx-conf get security.headers)" = true ]
	[ "$(vyx-conf get security.schema_formats)" = false ]
	[ "$(vyx-conf get cors.headers)" = $'Authorization\nContent-Type' ]
}

@test "-h and -V" {
	run -0 vyx-conf -h
	assert_line --index 0 'vyx-conf - check, show and apply vyx.yaml'
	run -0 vyx-conf -V
	assert_output --regexp '^vyx-conf [0-9]'
}

# The registry.

@test "apply: one transaction; the same again changes nothing" {
	worker 'routes: [{path: /a}]'
	regd
	run -0 vyx-conf apply
	assert_output ''
	[ "$(head -n 1 regd.out)" = 'begin setting listener worker route schema conf' ]
	grep -qx 'put worker w' regd.out
	grep -qx 'put route \*:/a' regd.out
	grep -qx 'put listener 127.0.0.1:8080' regd.out
	grep -qx 'put setting gateway.max_head' regd.out
	[ "$(grep -c ^commit regd.out)" = 1 ]
	vyx-conf apply
	[ "$(tail -n 1 regd.out)" = 'commit 0' ]
	echo '# a comment' >>vyx.yaml
	vyx-conf apply
	[ "$(tail -n 1 regd.out)" = 'commit 0' ]
}

@test "diff and apply -v: what changes, and only that; rows of others stay" {
	worker 'replicas: 1' 'routes: [{path: /a}, {path: /b}]'
	regd
	run -1 vyx-conf diff
	assert_line --partial '+ worker w '
	refute_line --partial ' op:'
	vyx-conf apply
	run -0 vyx-conf diff
	assert_output ''
	worker 'replicas: 2' 'routes: [{path: /a}, {path: /c}]'
	cat >want <<-'EOF'
	~ worker w replicas="1" -> replicas="2"
	- route *:/b
	+ route *:/c
	EOF
	run -1 vyx-conf diff
	[ "$(brief <<<"$output")" = "$(cat want)" ]
	run -1 vyx-conf diff -t
	assert_line $'~\tworker\tw\treplicas="1"\treplicas="2"'
	vyx-conf diff -j >j || [ $? = 1 ]
	[ "$(jq -r 'select(.change == "~") | .was.replicas + .is.replicas' j)" = 12 ]
	[ "$(jq -c 'select(.change == "+") | [.was, .is.method]' j)" = '[null,["*"]]' ]
	run -0 vyx-conf apply -v
	[ "$(brief <<<"$output")" = "$(cat want)" ]
	[ "$(tail -n 1 regd.out)" = 'commit 3' ]
	run -0 vyx-conf diff
}

@test "rows: units, sources, absolute paths" {
	mkdir web
	worker 'working_dir: ./web' 'startup_timeout: 1s500us' 'env: {A: 1, B: }' \
	    'user: 1000' 'health: /h' 'pool: {min_idle: 1}' \
	    'routes: [{path: /a, method: [GET, POST], host: h, validate: s}]'
	printf 'security: {payload_max_size: 2kb, rate_limit: }\n' >>vyx.yaml
	echo '{}' >schemas/s.json
	regd
	vyx-conf diff -j >j || [ $? = 1 ]
	row() { jq -c --arg t "$1" --arg k "$2" 'select(.table == $t and .key == $k) | .is' j; }
	[ "$(row worker w | jq -c '[.dir, .["startup-ms"], .env, .user, .health]')" = \
	    "[\"$PWD/web\",\"1001\",[\"A=1\",\"B\"],\"1000\",\"/h\"]" ]
	[ "$(row worker w | jq -c '[.["min-idle"], .["min-idle-explicit"], .["max-size"], .["idle-ms"], .["wait-ms"], .["max-waiting"], .tunnels, .mode]')" = \
	    '["1","1","16","30000","10000","1024","1000","local"]' ]
	[ "$(row worker w | jq -r .src)" = "$PWD/vyx.yaml:3" ]
	[ "$(row setting security.payload_max_size | jq -c '[.value, .src]')" = \
	    "[\"2048\",\"$PWD/vyx.yaml:12\"]" ]
	[ "$(row setting security.global_timeout | jq -c '[.value, .src]')" = \
	    '["30000","default"]' ]
	[ -z "$(row setting security.rate_limit.per_ip)" ]
	[ "$(row route GET,POST:h/a | jq -c '[.host, .method, .path, .worker, .validate]')" = \
	    '["h",["GET","POST"],"/a","w","s"]' ]
	[ "$(row schema s | jq -r .sha256)" = "$(sha256sum <schemas/s.json | cut -d ' ' -f 1)" ]
	[ "$(row schema s | jq -r .src)" = "$PWD/schemas/s.json" ]
	[ "$(row listener 127.0.0.1:8080 | jq -c '[.tls, .http, .owner]')" = \
	    '["0","1.1","conf"]' ]
}

@test "a bad file: 102, and the registry is not even asked" {
	worker 'replicas: x'
	regd
	run -102 vyx-conf apply -v
	run -102 vyx-conf diff
	run -102 --separate-stderr vyx-conf json
	[ -z "$output" ]
	[ ! -s regd.out ]
}

@test "no registry: 111 with its address, after the time given" {
	worker
	run -111 vyx-conf apply -T 50ms
	assert_line "vyx-conf: cannot reach vyx-regd at $RUN/regd/ops: No such file or directory"
	run -100 vyx-conf diff -d "/tmp/$(printf 'a%.0s' {1..100})"
	assert_line --partial 'choose a shorter run directory'
}

@test "a registry that refuses: 111 and its words" {
	worker
	for mode in no-put no-commit; do
		regd $mode
		run -111 vyx-conf apply
		assert_line --regexp "^vyx-conf: vyx-regd refuses it: denied: ${mode/-/ }; nothing has changed$"
		stop regd || true
		rm -r "$RUN/regd"
	done
	regd no-ls
	run -111 vyx-conf diff
	assert_line 'vyx-conf: vyx-regd refuses to list rows: denied: no ls; nothing has changed'
}

@test "a registry that goes away, keeps silent or talks nonsense: 111" {
	worker
	for mode in hang-up silent lie; do
		regd $mode
		run -111 vyx-conf apply -T 300ms
		assert_line --partial 'vyx-conf: nobody knows whether it took effect: vyx-regd: '
		stop regd || true
		rm -r "$RUN/regd"
	done
}

# rev - the revision of vyx-regd.
rev() {
	printf 'hello\nproto=1\nrole=vyx-reg\nname=t\n\n' |
	    raw "$RUN/regd/read" | sed -n 's/^rev=//p'
}

@test "vyx-regd itself: applied once, twice, changed; a bad file leaves it" {
	worker 'routes: [{path: /a}, {path: /b, validate: s}]' 'env: {A: "x%y"}'
	echo '{"type": "object"}' >schemas/s.json
	start_ready regd vyx-regd -d "$RUN" -s "$WORK/state"
	run -1 vyx-conf diff
	vyx-conf apply
	before=$(rev)
	[ "$before" -gt 0 ]
	run -0 vyx-conf diff
	assert_output ''
	vyx-conf apply
	[ "$(rev)" = "$before" ]
	worker 'replicas: x'
	run -102 vyx-conf apply
	[ "$(rev)" = "$before" ]
	worker 'routes: [{path: /a}]'
	run -1 vyx-conf diff
	assert_line -- '- route *:/b'
	assert_line -- '- schema s'
	vyx-conf apply
	[ "$(rev)" -gt "$before" ]
	run -0 vyx-conf diff
}

@test "vyx-regd itself: 1,000 workers of 10 routes in one transaction" {
	{
		echo 'project: {name: p}'
		echo 'workers:'
		for i in $(seq 1000); do
			echo "- {id: w$i, command: 'x {fd}', routes: [$(
			    printf "{path: '/$i/%s/:id'}," {1..10})]}"
		done
	} >vyx.yaml
	start_ready regd vyx-regd -d "$RUN" -s "$WORK/state"
	run -0 vyx-conf apply
	run -0 vyx-conf diff
	assert_output ''
	[ "$(vyx-conf json | jq '[.workers[].routes[]] | length')" = 10000 ]
	echo "- {id: w1001, command: 'x {fd}'}" >>vyx.yaml
	run -102 vyx-conf apply
	assert_line 'vyx.yaml:3: workers: must be a list of up to 1000 workers, each with - id: and command:'
}

# The one table of keys.

# sentence RANGE - how vyx.yaml(5) says it.
sentence() {
	case $1 in
	-) ;;
	..*) echo "At most ${1#..}." ;;
	*..) echo "At least ${1%..}." ;;
	*..*) echo "From ${1%..*} to ${1#*..}." ;;
	*'|'*) echo "One of ${1//|/, }." ;;
	*) echo "$1" ;;
	esac
}

@test "vyx.yaml(5) has every key with type, default and range, and no other" {
	vyx-conf keys -t | while IFS=$'\t' read -r key type def range _; do
		[ "$def" != - ] || def=none
		[[ $key != *'[].pool.'* ]] || def='as ipc.pool'
		[[ $key != *routes*@(payload|global|rate)_* ]] ||
		    def='as security'
		echo ".It Cm $key Pq $type, $def" "$(sentence "$range")"
	done | sed 's/ $//' | sort >want
	awk '
		/^\.It Cm .* Pq / { if (at) print at said; at = $0; said = "" }
		/^\.El/ { if (at) print at said; at = "" }
		/^(From [^ ]+ to [^ ]+|At (most|least) [^ ]+|One of .*)\.$/ { said = said " " $0 }
	' "$ROOT/man/vyx.yaml.5" | sort >have
	diff want have
	[ "$(wc -l <want)" -gt 50 ]
}

# paths FILE - the keys of a YAML file in the plain style of etc/vyx.yaml, each
# with its value: a list item is `[]`.
paths() {
	sed 's/^\( *\)#\([^ ]\)/\1\2/' "$1" | awk '
		/^ *(#|$)/ { next }
		{
			match($0, /^ */); depth = RLENGTH
			line = substr($0, depth + 1); item = ""
			if (sub(/^- /, "", line)) { depth += 2; item = 1 }
			key = line; sub(/:.*/, "", key)
			value = line; sub(/^[^:]*: */, "", value)
			for (d in name) if (d + 0 >= depth) delete name[d]
			if (item) name[depth - 1] = "[]"
			name[depth] = key; path = ""
			for (d = 0; d <= depth; d++) if (d in name)
				path = path (name[d] == "[]" || path == "" ? "" : ".") name[d]
			if (value != "") print path "\t" value
		}'
}

@test "etc/vyx.yaml has every key at its default" {
	paths "$ROOT/etc/vyx.yaml" | sort >have
	vyx-conf keys -t | cut -f 1 | sort >want
	cut -f 1 have | diff want -
	# those that cannot stay as they are, and what a worker takes over from
	# ipc.pool, a route from security
	vyx-conf keys -t | grep -v -e '^project\.name' -e '^workers\[\]\.id' \
	    -e '^workers\[\]\.command' -e '^workers\[\]\.protocol' \
	    -e '\[\]\.pool\.' -e '^workers\[\]\.routes\[\]\.path' \
	    -e 'routes\[\]\.\(payload\|global\|rate\)_' |
	    while IFS=$'\t' read -r key _ def _; do
		value=$(sed -n "s|^${key//[\[\]]/.}	||p" have | tr -d '"')
		case $value in
		'' | '[]' | '{}') value=- ;;
		'['*) value=$(tr -d '[],' <<<"$value") ;;
		esac
		[ "$value" = "$def" ] || echo "$key: '$value', not '$def'"
	done >wrong
	[ ! -s wrong ] || fail "$(cat wrong)"
	for p in min_idle max_size idle_timeout max_waiting wait_timeout max_tunnels; do
		[ "$(grep -P "^workers\[\]\.pool\.$p\t" have | cut -f 2)" = \
		    "$(grep -P "^ipc\.pool\.$p\t" have | cut -f 2)" ]
	done
	for p in payload_max_size global_timeout rate_limit.per_ip \
	    rate_limit.per_token; do
		[ "$(grep -P "^workers\[\]\.routes\[\]\.$p\t" have | cut -f 2)" = \
		    "$(grep -P "^security\.$p\t" have | cut -f 2)" ]
	done
}

@test "etc/vyx.yaml is read without a complaint, optional keys and all" {
	sed 's/^\( *\)#\([^ ]\)/\1\2/' "$ROOT/etc/vyx.yaml" >vyx.yaml
	echo '{}' >route_map.json
	good
	cp "$ROOT/etc/vyx.yaml" .
	good
}

@test "what a key feeds is a column of the map" {
	vyx-conf keys -t | cut -f 5 | sed -n 's/^worker\.//p' | sort -u >fed
	sed -n '/X(WORKER,.*"worker"/,/owner src/p' "$ROOT/lib/vyx.h" |
	    tr -c 'a-z-' '\n' | sort -u >columns
	[ -s fed ]
	[ -z "$(comm -23 fed columns)" ]
}

@test "what vyx-route takes for a setting that is absent is the default here" {
	worker
	echo 'cors: {origins: https://a.example}' >>vyx.yaml # else no rows of it
	regd
	vyx-conf diff -j >j 2>err || [ $? = 1 ]
	sed -n 's/^\tX(.*"\([a-z_.]*\)",[ \t]*\([0-9]*\)).*/\1 \2/p' \
	    "$ROOT"/lib/state/plan.h >reads
	[ -s reads ]
	while read -r key value; do
		[ "$(jq -r --arg k "$key" \
		    'select(.key == $k) | .is.value' j)" = "$value" ] || echo "$key"
	done <reads >wrong
	[ ! -s wrong ] || fail "$(cat wrong)"
}

@test "the demo is sound" {
	run -0 vyx-conf check -f "$ROOT/etc/demo/vyx.yaml"
	assert_output ''
	run -0 vyx-conf json -f "$ROOT/etc/demo/vyx.yaml"
	[ "$(jq -r '.workers[0].routes[0].path' <<<"$output")" = /hello ]
}
