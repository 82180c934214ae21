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

# policed ROLE [LINE...] - a worker with /hello, /bytes/4 for ROLE, and /echo,
# validated.
policed() {
	cat >>vyx.yaml <<-EOF
	  - id: hello
	    command: $HELLO {socket}
	    routes:
	      - {path: /*rest}
	      - {path: /bytes/4, roles: [$1]}
	      - {path: /echo, method: POST, validate: greet}
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

is_status() { [ "$(with "$2" "$3")" = "$1" ]; }

mint() {
	vyx token mint -K "$@" exp=+1h
}

@test "a token by JWT_SECRET, from mint to the log; a schema; the order of refusals" {
	local t
	project 'security: {anonymous_role: guest}'
	policed user '- {path: /bytes/3, roles: [guest]}'
	printf %s "$(head -c 32 /dev/urandom | base64)" >secret
	JWT_SECRET=$(cat secret) up vyx.yaml
	t=$(mint secret sub=user-42 roles=user)
	assert_equal "$(status_of /hello)" 200
	assert_equal "$(status_of /bytes/4)" 401
	assert_equal "$(with "$t" /bytes/4)" 200
	assert_equal "$(with "$(mint secret roles=other)" /bytes/4)" 403
	assert_equal "$(status_of /bytes/3)" 200
	assert_equal "$(status_of /echo -d '{"name":"Bo"}')" 200
	assert_equal "$(status_of /echo -d '{"nom":"Bo"}')" 400
	jq -e '.error == "validation_failed" and .details[0].field == "name"' body
	wait_until grep -q '"path":"/bytes/4","user_id":"user-42","status":200' \
	    "$RUN/log/route.0/current"
	# no secret where others look
	run ! grep -rqF "$(cat secret)" "$RUN/log" "$RUN/state"
}

@test "no key: up says so, and every token is refused" {
	project
	policed user
	unset JWT_SECRET
	up vyx.yaml
	grep -F 'vyx: $JWT_SECRET: no key for tokens there: every token is refused' up.err
	assert_equal "$(with "$(mint /dev/fd/3 roles=user 3<<<x)" /bytes/4)" 401
	assert_equal "$(status_of /hello)" 200
}

@test "a key file that routers may not read; reload takes a new one, and the environment stays" {
	local t
	project 'jwt: {secret_file: secret, issuer: me}'
	policed user
	printf 'first-secret-of-thirty-two-bytes' >secret
	chmod 600 secret
	up vyx.yaml
	t=$(mint secret iss=me roles=user)
	assert_equal "$(with "$t" /bytes/4)" 200
	assert_equal "$(with "$(mint secret iss=you roles=user)" /bytes/4)" 401
	if [ "$(id -u)" = 0 ]; then
		run ! setpriv --reuid 52003 --clear-groups cat secret
		run -0 setpriv --reuid 52003 --clear-groups cat "$RUN/route/key"
		run ! setpriv --reuid 64998 --clear-groups cat "$RUN/route/key"
	fi
	printf 'second-secret-of-thirty-two-byte' >secret
	run -0 vyx reload -d "$RUN"
	t2=$(mint secret iss=me roles=user)
	wait_until is_status 200 "$t2" /bytes/4
	assert_equal "$(with "$t" /bytes/4)" 401
	# a bad file leaves the key as it was
	echo 'oops: [' >>vyx.yaml
	printf 'third-secret-of-thirty-two-bytes' >secret
	run ! vyx reload -d "$RUN"
	printf 'second-secret-of-thirty-two-byte' >old
	assert_equal "$(with "$(mint old iss=me roles=user)" /bytes/4)" 200
}

@test "JWT_SECRET survives reloads from elsewhere, one that is refused too" {
	project
	policed user
	printf 'a-secret-of-two-and-thirty-bytes' >secret
	JWT_SECRET=$(cat secret) up vyx.yaml
	echo '  # changed' >>vyx.yaml
	run -0 env -u JWT_SECRET vyx reload -d "$RUN"
	assert_equal "$(with "$(mint secret roles=user)" /bytes/4)" 200
	cp vyx.yaml good.yaml
	echo 'oops: [' >>vyx.yaml
	run ! env -u JWT_SECRET vyx reload -d "$RUN"
	cp good.yaml vyx.yaml
	run -0 env -u JWT_SECRET vyx reload -d "$RUN"
	assert_equal "$(with "$(mint secret roles=user)" /bytes/4)" 200
	run ! ls "$RUN/env/key.old" "$RUN/env/key.new"
}

@test "a file that has the name of the variable is no key" {
	project
	policed user
	unset JWT_SECRET
	printf 'b-secret-of-two-and-thirty-bytes' >'$JWT_SECRET'
	up vyx.yaml
	assert_equal "$(with "$(mint './$JWT_SECRET' roles=user)" /bytes/4)" 401
}

@test "a reload that cannot be applied leaves no key; a link in its place is not followed" {
	project
	policed user
	unset JWT_SECRET
	up vyx.yaml
	printf 'a-secret-of-two-and-thirty-bytes' >secret
	echo 'jwt: {secret_file: secret}' >>vyx.yaml
	s6-svc -wd -d "$RUN/sv/regd"
	run ! vyx reload -d "$RUN"
	[ ! -e "$RUN/route/key" ]
	s6-svc -wU -u "$RUN/sv/regd"
	run -0 vyx reload -d "$RUN"
	wait_until is_status 200 "$(mint secret roles=user)" /bytes/4
	mkdir elsewhere
	rm "$RUN/route/key"
	ln -s "$PWD/elsewhere" "$RUN/route/key"
	run -0 vyx reload -d "$RUN"
	[ -f "$RUN/route/key" ] && [ ! -L "$RUN/route/key" ]
	run -0 ls elsewhere
	assert_output ''
	assert_equal "$(with "$(mint secret roles=user)" /bytes/4)" 200
}

@test "rates count over all routers, and a reload changes them" {
	local i n=0
	project 'gateway: {routers: 3}' 'security: {rate_limit: {per_ip: 40}}'
	policed user '- {path: /bytes/1, rate_limit: off}' \
	    '- {path: /bytes/2, rate_limit: {per_ip: 3}}'
	up vyx.yaml
	for i in {1..60}; do
		[ "$(status_of /hello)" != 200 ] || n=$((n + 1))
	done
	assert_equal $n 40
	n=0
	for i in {1..6}; do
		[ "$(status_of /bytes/2)" != 200 ] || n=$((n + 1))
		assert_equal "$(status_of /bytes/1)" 200
	done
	assert_equal $n 3
	sed -i '/^security:/d' vyx.yaml
	run -0 vyx reload -d "$RUN"
	assert_equal "$(status_of /hello)" 200
}

@test "the breaker of a route shows in vyx status, and closes again" {
	project 'security: {circuit_breaker: {failures: 2, cooldown: 1s, half_open_max: 1}}'
	policed user
	up vyx.yaml
	assert_equal "$(status_of /fail/500)" 500
	assert_equal "$(status_of /fail/500)" 500
	assert_equal "$(status_of /fail/500 -D head)" 503
	grep -i '^retry-after: 1' head
	vyx status -d "$RUN" -j | jq -es 'any(.[]; .type == "breaker" and .state == "open")'
	wait_until is_status 200 x /hello
	run ! jq -es 'any(.[]; .type == "breaker")' <(vyx status -d "$RUN" -j)
}
