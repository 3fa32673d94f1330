#!/bin/bash
# SPDX-License-Identifier: MIT
# The examples of libeff print what tests/lib/examples/NAME.txt says: on the virtual clock to the line, with the time of
# each, also under the sanitizers where they were built with them; and in real time the same lines.
. "${0%/*}/lib.sh"
expected=$here/../lib/examples
names=("$expected"/*.txt)
names=("${names[@]##*/}")
names=("${names[@]%.txt}")

# Its output, both streams as they come, and how it ended if not with 0.
run() { # PROGRAM [--virtual]
	local status=0
	timeout -k 5 "$limit" "$@" 2>&1 || status=$?
	[ "$status" -eq 0 ] || echo "exit $status"
}

# What was measured differs from run to run.
mask() { sed -E 's/: [0-9.]+ (µs|ns|bytes)$/: N \1/'; }

# Without the times, and in any order: what is due at about the same time may change places. fiber_lifecycle interrupts
# a fiber in the very moment in which its fifth step is due, which it then may still make. How long things took is masked.
timeless() {
	sed -E -e 's/^ *[0-9]+\.[0-9]{3}  //' -e '/^Task 1: step 5/d' -e 's/(execution|Overhead): -?[0-9.]+/\1: N/' | sort
}

said() { # WHAT GOT WANTED, two files
	diff -u --label "$1: wanted" --label "$1: got" "$3" "$2" || fail "$1"
}

declare -A real
for name in "${names[@]}"; do
	run "$BUILD/examples/$name" >"$name.real" &
	real[$name]=$!
done

began=$SECONDS
for build in "$BUILD" "$BUILD/san"; do
	[ -d "$build/examples" ] || continue
	for name in "${names[@]}"; do
		run "$build/examples/$name" --virtual | mask >"$name.virtual"
		said "$build/examples/$name --virtual" "$name.virtual" "$expected/$name.txt"
	done
done
echo "${#names[@]} examples on the virtual clock took $((SECONDS - began)) s"

for name in "${names[@]}"; do
	wait "${real[$name]}"
	mask <"$name.real" | timeless >"$name.got"
	timeless <"$expected/$name.txt" >"$name.wanted"
	said "$name in real time" "$name.got" "$name.wanted"
done
echo "${#names[@]} examples in real time took $((SECONDS - began)) s"
