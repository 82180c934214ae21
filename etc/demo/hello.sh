#!/bin/sh
# SPDX-License-Identifier: ISC
# The demo's worker: vyx-hello of this checkout, else the installed one.
PATH="$PWD/../../build/bin:$PATH" exec vyx-hello "$@"
