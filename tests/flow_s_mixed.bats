#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What 100,000 good and bad requests leave behind: nothing.

load lib/vyx

setup() { setup_run; }
teardown() { teardown_run; }

@test "100,000 mixed requests: descriptors as before, memory bounded, all counted" {
	run timeout -k 1 900 python3 "$TESTS/lib/mixed.py" 100000
	echo "$output" | grep '^#' >&3
	assert_success
}
