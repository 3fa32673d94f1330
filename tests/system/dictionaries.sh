#!/bin/bash
# SPDX-License-Identifier: MIT
# The dictionaries that fuzzers get have every key of the tree's schema, every method and parameter of the control interface,
# and what importers know by name; and they are what AFL++ and libFuzzer read.
. "${0%/*}/lib.sh"
need jq
dictionary() { echo "$BUILD/tests/fuzz/fuzz_$1.dict"; }
[ -s "$(dictionary plan)" ] || skip "the dictionaries are not built"

has_all() { # DICTIONARY N: a line of it each on standard input, at least N of them
	sort -u >lines
	[ "$(wc -l <lines)" -ge "$2" ] || fail "these are not all lines for $1: $(cat lines)"
	same "what $1 lacks" "$(grep -Fxvf "$(dictionary "$1")" lines || true)" ""
}

# A key of the schema is what stands below `properties`.
"$BUILD/effctl" schema >schema.json
jq -r 'paths | select(length > 1 and .[-2] == "properties") | .[-1]' schema.json | sed 's/.*/"&: "/' >keys
has_all plan 150 <keys
has_all add 150 <keys

methods=$here/../../daemon/wire/methods.def
sed -nE 's/^METHOD\([A-Z]+, "([A-Za-z]+)".*/"org.effd.Control.\1"/p' "$methods" | has_all frame 15
sed -nE 's/^PARAMETER\([A-Z]+, "([a-z_]+)".*/"\\"\1\\":"/p' "$methods" | has_all frame 15

# What the importers know: some of each.
for name in Type ExecStart Restart RestartSec User WorkingDirectory Environment TimeoutStopSec KillMode; do
	echo "\"$name=\""
done | has_all import 9
for name in command autostart autorestart startsecs numprocs directory user environment stopsignal; do
	echo "\"$name=\""
done | has_all import 9
for name in environment depends_on healthcheck restart ulimits deploy env_file; do echo "\"$name: \""; done | has_all import 7

# An escape is \\, \" or \xNN, nothing else; a word has at most 64 bytes.
for dictionary in "$BUILD"/tests/fuzz/*.dict; do
	same "what is no line in $dictionary" \
		"$(grep -vE '^$|^#|^"([ !#-[^-~]|\]|\\["\\]|\\x[0-9A-F]{2}){1,64}"$' "$dictionary" || true)" ""
done
