#!/bin/bash
# SPDX-License-Identifier: MIT
# A container whose filter of system calls is older than effd forbids what it does not know, and some kernels have not all of it:
# without pidfds who has left its unit's session is signalled all the same; nobody says that a program is not there.
. "${0%/*}/lib.sh"
case $(uname -m) in x86_64 | aarch64) ;; *) skip "programs/refuse does not know this processor" ;; esac
need setsid
compile refuse
number() { # HEADER NAME
	${CC:-cc} -E -dM -include "$1" - </dev/null | awk -v name="$2" '$2 == name { print $3 }'
}
without() { # CALL ERRNO
	EFFD_UNDER=("$DIR/bin/refuse" "$DIR/refused" "$(number sys/syscall.h "__NR_$1"):$(number errno.h "$2"):0")
}
"$DIR/bin/refuse" "$DIR/refused" none true || skip "ptrace cannot tell of system calls here"

for error in ENOSYS EPERM; do
	without pidfd_open "$error"
	effd_start <<-TREE
		version: 1
		units:
		  leaves:
		    type: notify-fd
		    shell: "setsid sh -c 'echo >&3; exec sleep infinity' & exec sleep infinity"
		    stop: {mode: group, timeout: 1h}
	TREE
	expect_exit 0 timeout 30 "$BUILD/effctl" -s "$SOCKET" stop leaves
	effd_stop
	grep -q refused "$DIR/refused" || fail "nobody asked for a pidfd"
done

printf 'version: 1\nunits: {a: {type: oneshot, command: "true"}}\n' >"$TREE"
without faccessat2 EPERM
expect_exit 0 "${EFFD_UNDER[@]}" "$BUILD/effd" --check -c "$TREE"
same "what is warned of" "$OUT$ERR" ""
