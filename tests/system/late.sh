#!/bin/bash
# SPDX-License-Identifier: MIT
# What effctl loads, and when: a client of a running effd starts with no more than it needs; what reads trees comes with the
# command that reads one, is what effd is linked with, and says so if it is not there.
. "${0%/*}/lib.sh"
needed() { LC_ALL=C readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; } # PROGRAM
if needed "$BUILD/effctl" | grep -E 'libev|libuv|libyaml|libseccomp'; then fail "effctl starts with what it may never need"; fi
mapfile -t late < <(grep -aoE 'lib(yaml|seccomp)[-0-9]*\.so\.[0-9]+' "$BUILD/effctl" | sort -u)
same "how many it loads late" "${#late[@]}" 2
for library in "${late[@]}"; do
	needed "$BUILD/effd" | grep -qxF "$library" || fail "effd is not linked with $library"
done

cat >"$TREE" <<TREE_END
version: 1
units:
  a: {command: [sleep, infinity], security: {seccomp: ["@system-service"]}}
TREE_END
expect_exit 0 "$BUILD/effctl" check "$TREE"

# A library that is none, in the place of the real one.
mkdir broken
for library in "${late[@]}"; do
	rm -f broken/*
	touch "broken/$library"
	expect_exit 1 env LD_LIBRARY_PATH="$DIR/broken" "$BUILD/effctl" check "$TREE"
	matches "without $library" "$ERR" "^effctl: cannot load what it needs for this: .*$library: file too short\$"
	expect_exit 0 env LD_LIBRARY_PATH="$DIR/broken" "$BUILD/effctl" --help
done
