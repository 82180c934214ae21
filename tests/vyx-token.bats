#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# vyx-token(1): tokens made and checked, against a secret and key files, and
# against PyJWT (Debian's, so Debian's python3).
#
# Not tested here: each rule of a check, which tests/unit/jwt.c has.

load lib/vyx

setup() {
	setup_run
	echo 'a secret of 32 bytes or somewhat more' >secret
}

teardown() {
	teardown_run
}

mint() {
	vyx-token mint -K secret "$@"
}

rsa() {
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa 2>/dev/null
	openssl pkey -in rsa -pubout -out rsa.pub
}

ec() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec 2>/dev/null
	openssl pkey -in ec -pubout -out ec.pub
}

@test "what mint makes verify takes, by each algorithm" {
	rsa
	ec
	for a in HS256 HS384 HS512; do
		run -0 bash -c "vyx-token mint -a $a -K secret sub=u roles=a,b exp=+1h n:=1 |
		    vyx-token verify -a $a -K secret | jq -c 'del(.exp)'"
		assert_output '{"sub":"u","roles":["a","b"],"n":1}'
	done
	run -0 bash -c 'vyx-token mint -a RS256 -K rsa sub=u exp=+1h | vyx-token verify -a RS256 -K rsa.pub'
	run -0 bash -c 'vyx-token mint -a ES256 -K ec sub=u exp=+1h | vyx-token verify -a ES256,RS256 -K ec.pub'
	openssl req -x509 -key ec -subj /CN=x -days 1 -out crt
	run -0 bash -c 'vyx-token mint -a ES256 -K ec sub=u exp=+1h | vyx token verify -a ES256 -K crt'
}

@test "claims from standard input are signed as they stand; the secret from a descriptor" {
	run -0 bash -c 'echo "{ \"exp\": 4102444800 }" | vyx-token mint -K /dev/fd/3 3<secret | cut -d . -f 2'
	assert_output "$(echo '{ "exp": 4102444800 }' | base64 -w 0 | tr -d = | tr +/ -_)"
}

@test "the rules, and the lines that are refused" {
	mint exp=+1h iss=a aud=me >t
	vyx-token verify -K secret iss=a aud=you aud=me <t
	run -1 vyx-token verify -K secret iss=b <t
	assert_output 'vyx-token: line 1: the issuer is another'
	run -1 vyx-token verify -K secret aud=you <t
	run -1 vyx-token verify -K secret now=+2h <t
	assert_output 'vyx-token: line 1: the token has expired'
	vyx-token verify -K secret now=+61m leeway=2m <t
	run -1 bash -c '(echo x; cat t; echo) | vyx-token verify -K secret 2>&1 >out'
	assert_output 'vyx-token: line 1: a token has three parts
vyx-token: line 3: a token has three parts'
	[ "$(wc -l <out)" = 1 ]
	echo '{}' | mint >none
	run -1 vyx-token verify -K secret <none
	vyx-token verify -K secret exp=optional <none
	run -1 vyx-token verify -K secret </dev/null
}

@test "usage 100, a key that is no good 102" {
	run -100 vyx-token
	run -100 vyx-token sign -K secret
	run -100 vyx-token verify
	run -100 mint sub=u
	run -100 mint exp=soon
	run -100 mint exp=+1h exp=+2h
	run -100 mint -a none exp=+1h
	run -100 vyx-token verify -a HS256,RS256 -K secret
	run -100 vyx-token verify -K secret issuer=a
	run -100 bash -c 'echo "[]" | vyx-token mint -K secret'
	run -102 vyx-token verify -K nowhere
	: >empty
	run -102 vyx-token verify -K empty
	assert_output --partial 'the secret is empty'
	run -102 vyx-token verify -a RS256 -K secret
	rsa
	run -102 vyx-token verify -a RS256 -K rsa
	assert_output --partial 'a private key'
	run -102 vyx-token verify -a ES256 -K rsa.pub
	openssl genrsa -out small 1024 2>/dev/null
	openssl rsa -in small -pubout -out small.pub 2>/dev/null
	run -102 vyx-token verify -a RS256 -K small.pub
	assert_output --partial '2048 to 4096 bits'
}

@test "9,000 tokens, good and bad: the verdict of PyJWT, or stricter on purpose" {
	rsa
	ec
	printf %s "$(cat secret)" >raw
	/usr/bin/python3 "$TESTS/lib/jwt_cases.py" HS256 raw raw 5000 1
	/usr/bin/python3 "$TESTS/lib/jwt_cases.py" RS256 rsa rsa.pub 2000 2
	/usr/bin/python3 "$TESTS/lib/jwt_cases.py" ES256 ec ec.pub 2000 3
}
