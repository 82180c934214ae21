#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What vyx-route asks of a request before a worker sees it.

load lib/vyx

setup() {
	setup_run
	mkdir -p "$RUN/route.0"
}

teardown() {
	teardown_run
}

# case_ NAME - that case of lib/policy_cases.py
case_() {
	timeout -k 1 55 python3 "$TESTS/lib/policy_cases.py" "$1"
}

@test "roles: 401 with a challenge, 403, and who one is in the log" {
	case_ roles
}

@test "security.anonymous_role: who has no token has that role" {
	case_ anonymous
}

@test "no key: every token is refused, and start says so" {
	case_ no_key
}

@test "issuer, audience, algorithm, leeway, exp as the settings say" {
	case_ rules
}

@test "a secret from a file; SIGHUP reads it again" {
	case_ key_file
}

@test "RS256 and ES256 by a public key; no key stands for another algorithm" {
	case_ public_keys
}

@test "validate: 400 with field and message; what is valid is passed on whole" {
	case_ schemas
}

@test "a body of more values than may be: 400" {
	case_ schema_values
}

@test "schemas and security.schema_formats change at a commit" {
	case_ schema_changes
}

@test "a checked body larger than the worker takes at once" {
	case_ schema_slow_worker
}

@test "more bodies to check than are held at once: 503, and the connection goes on" {
	case_ schema_many
}

@test "rates by address and token: 429 with Retry-After and RateLimit, routes of their own" {
	case_ rates
}

@test "rates: a token has one count, however its field is written" {
	case_ rates_spelling
}

@test "a rate of 0 denies everything" {
	case_ rates_zero
}

@test "rates are counted over all routers, and over a restart" {
	case_ rates_shared
}

@test "trusted proxies: the client by X-Forwarded-For; IPv6 by /64" {
	case_ proxies
}

@test "breaker: opens after failures in a row, 503 at once, closes by a trial" {
	case_ breaker
}

@test "settings: times of 300 years and more" {
	case_ long_times
}

@test "breaker: only 5xx, time-outs and lost connections count" {
	case_ breaker_counts
}

@test "breaker: a client that stalls in its body gets 408, which does not count" {
	case_ breaker_slow_clients
}

@test "breaker: clients who stop in mid-body do not open it" {
	case_ breaker_silent
}

@test "breaker: clients who do not read do not open it" {
	case_ breaker_slow_readers
}

@test "breaker: a trial's place is given back on every path" {
	case_ breaker_trials
}

@test "breaker: a slow body does not hold a trial" {
	case_ breaker_slow_trial
}

@test "bodies that come slowly hold half of a worker's connections at most" {
	case_ places
}

@test "payload_max_size and global_timeout of a route" {
	case_ overrides
}

@test "gateway.max_fields: 431, 502" {
	case_ fields
}

@test "header rules of a route: set and remove, trailers too" {
	case_ header_rules
}

@test "security headers: unless the worker says so, or all are off" {
	case_ security_headers
}

@test "traceparent: passed on, or begun" {
	case_ traces
}

@test "CORS: preflight answered here, lines on every answer" {
	case_ cors
}

@test "policy: none" {
	case_ policy_none
}

@test "the access log as text, and off" {
	case_ text_log
}

@test "a row that cannot be read is for nobody, and no broader route has it" {
	case_ bad_rows
}

@test "each failure is told as promised: status, JSON, fields; and reaches no worker" {
	case_ failures
}
