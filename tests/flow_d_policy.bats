#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Policy from vyx.yaml to the client, over a whole tree: keys of tokens that
# routers may not read themselves, counts over all of them, reload.
#
# Not tested here: what each check does (route_policy.bats), what the keys may
# say (vyx-conf.bats).

load lib/vyx
load lib/flow

setup() { setup_flow; }
teardown() { teardown_flow; }

# policed ROLE [LINE...] - a worker with /open, /in for ROLE, /greet validated.
policed() {
	cat >>vyx.yaml <<-EOF
	  - id: hello
	    command: $HELLO {socket}
	    routes:
	      - {path: /*rest}
	      - {path: /in, roles: [$1]}
	      - {path: /greet, method: POST, validate: greet}
	EOF
	shift
	[ $# = 0 ] || printf '      %s\n' "$@" >>vyx.yaml
	mkdir -p schemas
	echo '{"type":"object","required":["name"]}' >schemas/greet.json
	chmod -R a+rX .
}

# status_of PATH [CURL-ARG...]
status_of() {
	local path=$1
	shift
	curl -sS -m "$VYX_WAIT" -o body -w '%{http_code}' "$@" "$URL$path"
}

# with TOKEN PATH - the status of a request with it.
with() {
	status_of "$2" -H "Authorization: Bearer $1"
}

mint() {
	vyx token mint -K "$@" exp=+1h
}

@test "a token by JWT_SECRET, from mint to the log; a schema; the order of refusals" {
	local t
	project 'security: {anonymous_role: guest}'
	policed user '- {path: /guest, roles: [guest]}'
	printf %s "$(head -c 32 /dev/urandom | base64)" >secret
	JWT_SECRET=$(cat secret) up vyx.yaml
	t=$(mint secret sub=user-42 roles=user)
	assert_equal "$(status_of /open)" 200
	assert_equal "$(status_of /in)" 401
	assert_equal "$(with "$t" /in)" 200
	assert_equal "$(with "$(mint secret roles=other)" /in)" 403
	assert_equal "$(status_of /guest)" 200
	assert_equal "$(status_of /greet -d '{"name":"Bo"}')" 200
	assert_equal "$(status_of /greet -d '{"nom":"Bo"}')" 400
	jq -e '.error == "validation_failed" and .details[0].field == "name"' body
	wait_until grep -q '"path":"/in","user_id":"user-42","status":200' \
	    "$RUN/log/route.0/current"
	# no secret where others look
	run ! grep -rqF "$(cat secret)" "$RUN/log" "$RUN/state"
	run ! grep -qF "$(cat secret)" <(vyx reg -d "$RUN" dump 2>/dev/null)
}

@test "no key: up says so, and every token is refused" {
	project
	policed user
	env -u JWT_SECRET true
	unset JWT_SECRET
	up vyx.yaml
	grep -F 'vyx: $JWT_SECRET: no key for tokens there: every token is refused' up.err
	: >empty
	assert_equal "$(with "$(vyx token mint -K "$RUN/none" exp=+1h 2>/dev/null || echo x.y.z)" /in)" 401
	assert_equal "$(status_of /open)" 200
}

@test "a key file that routers may not read; reload takes a new one, and the environment stays" {
	local t
	project 'jwt: {secret_file: secret, issuer: me}'
	policed user
	printf 'first-secret-of-thirty-two-bytes' >secret
	chmod 600 secret
	up vyx.yaml
	t=$(mint secret iss=me roles=user)
	assert_equal "$(with "$t" /in)" 200
	assert_equal "$(with "$(mint secret iss=you roles=user)" /in)" 401
	if [ "$(id -u)" = 0 ]; then
		run ! setpriv --reuid 52003 --clear-groups cat secret
		run -0 setpriv --reuid 52003 --clear-groups cat "$RUN/route/key"
		run ! setpriv --reuid 64998 --clear-groups cat "$RUN/route/key"
	fi
	printf 'second-secret-of-thirty-two-byte' >secret
	run -0 vyx reload -d "$RUN"
	wait_until [ "$(with "$(mint secret iss=me roles=user)" /in)" = 200 ]
	assert_equal "$(with "$t" /in)" 401
	# a bad file leaves the key as it was
	cp vyx.yaml good.yaml
	echo 'oops: [' >>vyx.yaml
	printf 'third-secret-of-thirty-two-bytes' >third
	run ! vyx reload -d "$RUN"
	assert_equal "$(with "$(mint secret iss=me roles=user)" /in)" 200
}

@test "JWT_SECRET survives a reload from elsewhere" {
	project
	policed user
	printf 'a-secret-of-two-and-thirty-bytes' >secret
	JWT_SECRET=$(cat secret) up vyx.yaml
	echo '  # changed' >>vyx.yaml
	run -0 env -u JWT_SECRET vyx reload -d "$RUN"
	assert_equal "$(with "$(mint secret roles=user)" /in)" 200
}

@test "rates count over all routers, and a reload changes them" {
	local i n=0
	project 'gateway: {routers: 3}' 'security: {rate_limit: {per_ip: 40}}'
	policed user '- {path: /free, rate_limit: off}' \
	    '- {path: /few, rate_limit: {per_ip: 3}}'
	up vyx.yaml
	for i in {1..60}; do
		[ "$(status_of /open)" != 200 ] || n=$((n + 1))
	done
	assert_equal $n 40
	n=0
	for i in {1..6}; do
		[ "$(status_of /few)" != 200 ] || n=$((n + 1))
		assert_equal "$(status_of /free)" 200
	done
	assert_equal $n 3
	sed -i '/^security:/d' vyx.yaml
	run -0 vyx reload -d "$RUN"
	assert_equal "$(status_of /open)" 200
}

@test "the breaker of a route shows in vyx status, and closes again" {
	project 'security: {circuit_breaker: {failures: 2, cooldown: 1s, half_open_max: 1}}'
	policed user
	up vyx.yaml
	assert_equal "$(status_of '/status/500')" 500
	assert_equal "$(status_of '/status/500')" 500
	assert_equal "$(status_of /open -D head)" 503
	grep -i '^retry-after: 1' head
	vyx status -d "$RUN" -j | jq -es 'any(.[]; .type == "breaker" and .state == "open")'
	wait_until [ "$(status_of /open)" = 200 ]
	run ! jq -es 'any(.[]; .type == "breaker")' <(vyx status -d "$RUN" -j)
}
