#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What thousands of good and bad requests leave behind: nothing.
# flow_s_mixed.bats is the long version.

load lib/vyx

setup() { setup_run; }
teardown() { teardown_run; }

@test "3,000 mixed requests: descriptors as before, memory bounded, all counted" {
	timeout -k 1 110 python3 "$TESTS/lib/mixed.py" 3000
}
