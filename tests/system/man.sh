#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual pages: in good form, complete, and their examples work.
. "${0%/*}/lib.sh"
need mandoc jq
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
read_page effd.yaml.5 >"$DIR/yaml.txt"
# Each field has its type, what holds without it, what a change of it does, and an example; what does not work yet is no field.
known=$("$BUILD/effctl" schema | jq -r '."$defs" | to_entries[] | select(.key | startswith("field.")) | .key[6:]')
n=0
for field in $(sed -n 's/^MANUAL("\([a-z_.]*\)".*/\1/p' "$here/../../daemon/plan/manual.def"); do
	grep -qx "${field%%.*}" <<<"$known" || continue
	told=$(awk -v name="$field" '/^\.It Ic / { on = $3 == name } on' "$man/effd.yaml.5")
	[ -n "$told" ] || continue
	matches "the type of $field" "$told" "^Takes [a-z0-9]"
	matches "what holds without $field" "$told" "^Takes .*; (by default|if not given:) "
	matches "a change of $field" "$told" "; a change of it (takes|restarts|adds|waits)"
	matches "an example of $field" "$told" "^${field%%.*}:"
	n=$((n + 1))
done
[ "$n" -ge 100 ] || fail "only $n fields were looked at"
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

# The tree of effd.yaml(5) is a good one, and runs.
example() { awk '/^\.Bd -literal/ { if (!n++) on = 1; next } /^\.Ed/ { on = 0 } on' "$1" | sed 's/\\e/\\/g'; }
example "$man/effd.yaml.5" >"$DIR/example.yaml"
expect_exit 0 "$BUILD/effctl" check "$DIR/example.yaml"
effd_start <"$DIR/example.yaml"
wait_for up db web workers heartbeat
wait_for done migrate
same "explain of effctl(1)" "$(ctl explain web >/dev/null && echo well)" well
effd_stop

# The program of libeff(3) compiles and does what it says.
example "$man/libeff.3" >"$DIR/hello.c"
${CC:-cc} -std=gnu17 -I"$here/../../lib/include" -o "$DIR/hello" "$DIR/hello.c" "$BUILD/libeff.a" -lev \
	$(pkg-config --libs libuv 2>/dev/null) -lm -lpthread
same "hello" "$("$DIR/hello")" "hello, world"
