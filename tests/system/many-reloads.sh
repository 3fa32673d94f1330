#!/bin/bash
# SPDX-License-Identifier: MIT
# After many reloads effd has the memory, the descriptors and the threads that it had after a few: units that come and go,
# change and move, trees that are refused, plans that are only made.
. "${0%/*}/lib.sh"
compile family
tree() { # NAMES ARGUMENT: a hundred and fifty units, of which few run
	local i k
	printf 'version: 1\nunits:\n  same: {command: %s}\n  changes: {command: %s, environment: {N: "%s"}}\n' \
		"$DIR/bin/family" "$DIR/bin/family" "$2"
	printf '  %sgoes: {command: %s}\n' "$1" "$DIR/bin/family"
	for i in {1..12}; do
		printf '  %s%s:\n    activate: manual\n    units:\n' "$1" "$i"
		for k in {1..12}; do
			printf '      u%s: {command: [%s, "%s"], labels: {n: "%s"}, restart: {max_restarts: %s}}\n' \
				"$k" "$DIR/bin/family" "$2" "$k" "$2"
		done
	done
}
# One round: other values, other names, back, a plan, and a tree that is refused.
round() {
	local what
	for what in "a 2" "b 2" "a 1"; do
		tree $what >"$TREE"
		expect_exit 0 ctl reload
	done
	tree b 3 >"$TREE"
	expect_exit 0 ctl plan
	printf 'version: 1\nunits: {bad: {comand: x}}\n' >"$TREE"
	expect_exit 1 ctl reload
}
descriptors() { ls "/proc/$EFFD/fd" | wc -l; }
threads() { ls "/proc/$EFFD/task" | wc -l; }
memory() { awk '/^(Anonymous|Swap):/ {n += $2} END {print n}' "/proc/$EFFD/smaps_rollup"; }

# The last thousand events are kept: one that ends all the time brings them about.
noisy() {
	tree a 1
	printf '  noisy: {shell: exit 1, restart: {backoff: {initial: 1ms, max: 1ms}}}\n'
}
thousand() { [ "$(last_seq)" -ge 1000 ]; }
effd_start < <(noisy)
wait_for up same changes agoes
pid=$(pid_of same)
eventually thousand
# By then the heap has the pieces, and where they are, that it keeps.
for i in {1..10}; do round; done
wait_for up same changes agoes
before=$(descriptors) most=$(threads)
held=$(memory)
for i in {1..15}; do round; done
wait_for up same changes agoes
no_more() { [ "$(descriptors)" -le "$before" ] && [ "$(threads)" -le "$most" ]; }
eventually no_more
now=$(memory)
# Forty bytes for each unit of each of these reloads would be more.
[ "$now" -le $((held + 256)) ] || fail "effd holds $now KiB, and had $held KiB"
same "who is the same is untouched" "$(pid_of same) $(field same .starts)" "$pid 1"
effd_stop
