#!/bin/bash
# SPDX-License-Identifier: MIT
# What is loaded, and when: effd and a client of it start with no more than they need; what reads trees comes when one is read, and
# goes; what makes filters comes with the first one. Who needs what is not there says so, and nothing that runs ends for it.
. "${0%/*}/lib.sh"
needed() { LC_ALL=C readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; } # PROGRAM
late() { grep -aoE 'lib(yaml|seccomp)[-0-9]*\.so\.[0-9]+' "$1" | sort -u | xargs; } # PROGRAM
if needed "$BUILD/effctl" | grep -E 'libev|libuv|libyaml|libseccomp'; then fail "effctl starts with what it may never need"; fi
if needed "$BUILD/effd" | grep -E 'libuv|libyaml|libseccomp|libm\.'; then fail "effd starts with what it may never need"; fi
for program in effd effctl; do
	same "what $program loads late" "$(late "$BUILD/$program")" "libseccomp.so.2 libyaml-0.so.2"
done
# What they are compiled for, where the linker finds it.
soname=$(echo 'int main(void) { return 0; }' | cc -xc - -Wl,--no-as-needed -lyaml -o linked && needed linked | grep yaml)
same "the libyaml of the headers" "$soname" libyaml-0.so.2

plain='{version: 1, units: {a: {command: [sleep, infinity]}}}'
filtered='{version: 1, units: {a: {command: [sleep, infinity]}, b: {command: [sleep, infinity], security: {seccomp: ["@system-service"]}}}}'
echo "$filtered" >"$TREE"
expect_exit 0 "$BUILD/effctl" check "$TREE"

# A library that is none, in the place of the real one.
mkdir broken
touch broken/libyaml-0.so.2
expect_exit 1 env LD_LIBRARY_PATH="$DIR/broken" "$BUILD/effctl" check "$TREE"
matches "without libyaml" "$ERR$OUT" "error\[E107\]: the library that reads YAML cannot be loaded: .*libyaml-0.so.2: file too short"
if LD_LIBRARY_PATH="$DIR/broken" "$BUILD/effd" -c "$TREE" >began 2>&1; then fail "effd read a tree with nothing"; fi
matches "effd without libyaml" "$(<began)" "error\[E107\]: the library that reads YAML cannot be loaded"
expect_exit 0 env LD_LIBRARY_PATH="$DIR/broken" "$BUILD/effctl" --help
mv broken/libyaml-0.so.2 broken/libseccomp.so.2
expect_exit 1 env LD_LIBRARY_PATH="$DIR/broken" "$BUILD/effctl" check "$TREE"
matches "without libseccomp" "$ERR$OUT" "error\[E210\]: a filter is made by the library libseccomp.so.2, which cannot be loaded"

LD_LIBRARY_PATH=$DIR/broken effd_start <<<"$plain"
a=$(ctl --json status a | jq .units[0].pid)
echo "$filtered" >"$TREE"
if LD_LIBRARY_PATH='' ctl reload >reloaded 2>&1; then fail "a filter was made by nothing: $(<reloaded)"; fi
matches "a reload without libseccomp" "$(<reloaded)" "E210"
same "what ran" "$(ctl --json status a | jq .units[0].pid)" "$a"
# Nor is what reads a tree there for it.
if grep libyaml "/proc/$(ctl --json version | jq -r .pid)/maps"; then fail "effd keeps what it has read its tree with"; fi
echo "$plain" >"$TREE"
touch broken/libyaml-0.so.2
if ctl reload >reloaded 2>&1; then fail "a tree was read by nothing: $(<reloaded)"; fi
matches "a reload without libyaml" "$(<reloaded)" "E107.*file too short"
rm broken/libyaml-0.so.2
ctl reload
same "what ran" "$(ctl --json status a | jq .units[0].pid)" "$a"
effd_stop
effd_start <<<"$filtered"
same "with a filter" "$(ctl --json status b | jq -r .units[0].state)" up
grep -q libseccomp "/proc/$(ctl --json version | jq -r .pid)/maps" || fail "a filter was made without its library"
effd_stop
