#!/bin/sh
# SPDX-License-Identifier: ISC
# late.sh FILE PROG... - PROG, once FILE is there.
file=$1
shift
until [ -e "$file" ]; do sleep 0.05; done
exec "$@"
