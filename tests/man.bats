#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The EXAMPLES of every manual page, run as they stand.
#
# What .Dl and .Bd -literal show under EXAMPLES is one bash script a page, run
# in a directory of its own beside a running tree: $VYX_RUN is its directory,
# vyx.yaml its configuration, with a worker `hello` (vyx-hello, two replicas)
# for every path, and 127.0.0.1:8080 stands for its address. A block behind a
# line `.\" not run: WHY` is left out; a block whose fence is `.Bd -literal
# -compact` shows a file or an output, not commands.
#
# Not tested here: what the examples print.

load lib/vyx

setup() {
	setup_run
}

teardown() {
	teardown_run
}

# examples PAGE - its commands, without roff.
examples() {
	awk '
		/^\.Sh / { on = $2 == "EXAMPLES"; skip = 0 }
		!on { next }
		/^\.\\" not run: ./ { skip = 1; next }
		/^\.\\" runs until it is stopped$/ {
			# timeout(1) sends SIGCONT too, which a search for leaks
			# does not survive
			print "ASAN_OPTIONS=detect_leaks=0 timeout -k 1 2 bash <<'"'END'"' || [ $? = 124 ]"
			endless = 1
			next
		}
		/^\.Dl / { if (!skip) print substr($0, 5); skip = 0 }
		/^\.Bd -literal -compact/ { skip = 1 }
		/^\.Bd -literal/ { block = 1; next }
		/^\.Ed/ {
			if (endless)
				print "END"
			block = skip = endless = 0
			next
		}
		block && !skip { print }
	' "$1" | sed 's/\\&//g; s/\\-/-/g; s/\\(dq/"/g; s/\\(aq/'"'"'/g; s/\\e/\\/g'
}

@test "every program and file format has examples" {
	run bash -c 'cd "$1" && grep -L "^\.Sh EXAMPLES" man/*.[158]' - "$ROOT"
	assert_output ''
}

@test "the examples of every page run" {
	local bad=0
	cat >vyx.yaml <<-YAML
	project: {name: examples}
	listen: 127.0.0.1:$(free_port)
	workers:
	  - id: hello
	    command: vyx-hello {socket}
	    replicas: 2
	    routes: [{path: /*rest}]
	YAML
	# the directories here are root's where the tests are run by root
	export VYX_ALLOW_ROOT=1
	up vyx.yaml
	for page in "$ROOT"/man/*.[1-9]; do
		name=${page##*/}
		examples "$page" | sed "s|http://127\.0\.0\.1:8080|$URL|g
		    s|127\.0\.0\.1:8080|${URL#http://}|g" >"$name.sh"
		[ -s "$name.sh" ] || continue
		mkdir "$name.dir"
		cp vyx.yaml "$name.dir"
		if (cd "$name.dir" && PATH="$PATH:/usr/sbin:/sbin" timeout -k 1 20 \
		    bash -eu -o pipefail "../$name.sh" >../"$name.said" 2>&1 \
		    </dev/null 3>&-); then
			continue
		fi
		bad=1
		echo "--- $name"
		cat "$name.sh"
		echo "--- said"
		tail -n 20 "$name.said"
	done
	[ $bad = 0 ]
	down
}
