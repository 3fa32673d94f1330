#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual pages: in good form, and complete. That their examples work is man-examples.sh's.
. "${0%/*}/lib.sh"
need mandoc jq
shopt -s extglob
man=$BUILD/man
for page in "$man"/*.[1-8]; do
	found=$(mandoc -T lint -W warning "$page" 2>&1 | grep -v 'WARNING: cannot parse date' || true)
	same "mandoc on ${page##*/}" "$found" ""
	[ "$(mandoc -T ascii "$page" | wc -l)" -gt 12 ] || fail "$page says next to nothing"
done

# What the programs know, the pages name.
read_page() { mandoc -T ascii "$man/$1" | col -b; }
read_page effctl.1 >"$DIR/effctl.txt"
for command in $("$BUILD/effctl" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	matches "effctl(1) on $command" "$(cat "$DIR/effctl.txt")" "^ +$command( |\$)"
done
read_page effd.8 >"$DIR/effd.txt"
for option in $("$BUILD/effd" --help | grep -oE -e '--[a-z-]+'); do
	matches "effd(8) on $option" "$(cat "$DIR/effd.txt")" "$option"
done
for unit in "$here"/../../systemd/*/*; do
	unit=${unit##*/}
	matches "effd(8) on $unit" "$(<"$DIR/effd.txt")" "(^| )${unit/@/@NAME}( |$)"
done
read_page effd.yaml.5 >"$DIR/yaml.txt"
# Each field has its type, what holds without it, what a change of it does, and an example.
known=$("$BUILD/effctl" schema | jq -r '."$defs" | to_entries[] | select(.key | startswith("field.")) | .key[6:]')
n=0
for field in $(sed -n 's/^MANUAL("\([a-z_.]*\)".*/\1/p' "$here/../../daemon/plan/manual.def"); do
	told=$(awk -v name="$field" '/^\.It Ic / { on = $3 == name } on' "$man/effd.yaml.5")
	[ -n "$told" ] || fail "effd.yaml(5) does not tell of $field"
	matches "the type of $field" "$told" "^Takes [a-z0-9]"
	matches "what holds without $field" "$told" "^Takes .*; (by default|if not given:) "
	matches "a change of $field" "$told" "; a change of it (takes|restarts|adds|waits)"
	matches "an example of $field" "$told" "^${field%%.*}:"
	n=$((n + 1))
done
# The three probes are told of as one.
for field in $known; do
	grep -q "^\.It Ic ${field/#@(startup|liveness)_/readiness_}\$" "$man/effd.yaml.5" || fail "effd.yaml(5) does not tell of $field"
done
[ "$n" -ge 100 ] || fail "only $n fields were looked at"
same "fields that stand there twice" "$(sed -n 's/^\.It Ic \([a-z_.]*\)$/\1/p' "$man/effd.yaml.5" | sort | uniq -d)" ""
# Words that decide what becomes of a process are told with what they mean.
words=$("$BUILD/effctl" schema | jq -r '."$defs"."field.type", ."$defs"."field.log".properties.stdout | .. | .enum? // empty | .[]' |
	grep -v '^stdout$' | sort -u)
[ "$(wc -w <<<"$words")" -ge 10 ] || fail "few words were looked at: $words"
for word in $words; do
	grep -qE "^\.It Cm ([a-z]+ , )?$word( |$)" "$man/effd.yaml.5" || fail "effd.yaml(5) does not say what $word means"
done
for code in $(sed -n 's/^CODE("\([EW][0-9]*\)".*/\1/p' "$here/../../daemon/plan/codes.def"); do
	matches "effd.yaml(5) on $code" "$(cat "$DIR/yaml.txt")" "^ *$code +[A-Z]"
done

# Every function that the library has for its users stands in the page of its header, and every page in libeff(3).
read_page libeff.3 >"$DIR/libeff.txt"
for header in "$here"/../../lib/include/eff/*.h; do
	page=eff_$(basename "$header" .h)
	matches "libeff(3) on $page" "$(cat "$DIR/libeff.txt")" "$page\(3\)"
	read_page "$page.3" >>"$DIR/functions.txt"
done
functions=$(nm -D --defined-only "$BUILD/libeff.so" | sed -n 's/^[0-9a-f]* [TR] \(eff_.*\)/\1/p')
[ "$(wc -w <<<"$functions")" -gt 150 ] || fail "libeff.so has few functions: $functions"
for function in $functions; do
	grep -qw "$function" "$DIR/functions.txt" || fail "no page tells of $function"
done
for macro in $(sed -nE 's/^#define (EFF_[A-Z_0-9]+).*/\1/p' "$here"/../../lib/include/eff/*.h | grep -v '_H$'); do
	grep -qE "#define $macro\>" "$DIR/functions.txt" || fail "no page tells of $macro"
done

same "guards of headers in pages" "$(grep -lE '^#define EFFD?_[A-Z_]*_H$' "$man"/*.3 || true)" ""
# What stands before a declaration is said of it, and not of what follows after an empty line.
same "what is said of eff_policy_of()" "$(awk '/ eff_policy_of\(enum/ { getline; getline; print; exit }' "$man/eff_supervise.3")" \
	"One with the usual values:"

# States and causes are told with what they mean.
table() { sed -n "s/^$1([A-Z_]*, \"\([a-z_]*\)\".*/\1/p" "$here/../../daemon/$2"; } # MACRO FILE
for state in $(table STATE wire/states.def); do
	matches "effctl(1) on $state" "$(<"$DIR/effctl.txt")" "^[[:space:]]+$state[[:space:]]+[A-Z].+"
done
for cause in $(table CAUSE base/causes.def); do
	matches "effd.yaml(5) on $cause" "$(<"$DIR/yaml.txt")" "^[[:space:]]+$cause[[:space:]]+[A-Z].+"
done

# The interface: each method with what it takes, each type, each error, each event.
control=$(<"$man/effd-control.7")
of_item() { awk -v item="$1" '/^\.It / { on = $3 == item } /^\.S[hs] / { on = 0 } on' <<<"$control"; }
methods=0
while IFS='|' read -r method symbol; do
	methods=$((methods + 1))
	told=$(of_item "$method")
	matches "effd-control(7) on $method" "$told" '^For (owners|readers too)\.$'
	for parameter in $(sed -n "s/^PARAMETER($symbol, \"\([a-z_]*\)\".*/\1/p" "$here/../../daemon/wire/methods.def"); do
		matches "$method on $parameter" "$told" "^\.Li $parameter:"
	done
done < <(sed -n 's/^METHOD(\([A-Z_]*\), "\([A-Za-z]*\)".*/\2|\1/p' "$here/../../daemon/wire/methods.def")
[ "$methods" -ge 15 ] || fail "only $methods methods were looked at"
for type in $(sed -n 's/^TYPE(\([A-Za-z]*\),.*/\1/p' "$here/../../daemon/wire/varlink_types.def"); do
	matches "effd-control(7) on the type $type" "$(of_item "$type")" '^\.Li [a-z_]+:'
done
for error in $(sed -n 's/^ERROR([A-Z_]*, "\([A-Za-z]*\)".*/\1/p' "$here/../../daemon/wire/errors.def"); do
	matches "effd-control(7) on $error" "$(of_item "$error")" 'effctl ends with [0-9]'
done
events=$(cat "$here"/../../daemon/{unit,tree}/*.c | tr -s '\n\t' ' ' | grep -oE 'on_event\( ?[a-z>.-]+, "[a-z_]+"' | sed 's/.*"\(.*\)"/\1/' | sort -u)
[ "$(wc -l <<<"$events")" -ge 10 ] || fail "the sources tell of few events: $events"
for event in $events; do
	[ -n "$(of_item "$event")" ] || fail "effd-control(7) says nothing of the event $event"
done
