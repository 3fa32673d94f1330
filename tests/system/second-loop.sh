#!/bin/bash
# SPDX-License-Identifier: MIT
# The examples of the second loop: they run on libuv and in a libuv loop of the program's own, or say that there is none.
. "${0%/*}/lib.sh"
! ldd "$BUILD/effd" | grep libuv || fail "effd runs on libev and loads libuv"
expect_exit 0 "$BUILD/examples/anyio_example"
if [ "$OUT" = "Second loop not available (build with libuv)" ]; then
	expect_exit 0 "$BUILD/examples/host_uv"
	same "without libuv" "$OUT" "host: not available (build with libuv)"
	skip "built without libuv"
fi
same "on libuv" "$OUT" "Second loop result: Task completed with libuv!"
expect_exit 0 "$BUILD/examples/host_uv"
same "in a libuv loop" "$OUT$ERR" "$(
	for i in 1 2 3; do
		echo "host: asks question $i"
		echo "reader: hears \"question $i\""
		echo "thinker: has thought for 10 ms"
		echo "host: hears \"answer to question $i\""
	done
	echo "reader: the host has hung up"
	echo "host: nothing is left to do"
)"
