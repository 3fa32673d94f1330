#!/bin/bash
# SPDX-License-Identifier: MIT
# A container of root's with few capabilities: who may start units of other users and not stop them says so, and which.
. "${0%/*}/lib.sh"
need_root
need setpriv
tree() {
	cat <<-TREE
		version: 1
		units:
		  other: {user: "1234", command: [sleep, infinity], restart: no}
		  roots: {command: [sleep, infinity]}
	TREE
}
EFFD_UNDER=(setpriv --bounding-set "-all,+setuid,+setgid,+dac_override")
effd_start < <(tree)
matches "what is said" "$(cat effd.log)" 'effd may not signal other users, .* that they are to stop: other; give its container the capability KILL$'
# Without a control group it could not end it at all.
expect_exit 0 kill -KILL "$(pid_of other)"
wait_for failed other
effd_stop
: >effd.log
EFFD_UNDER=(setpriv --bounding-set "-all,+setuid,+setgid,+dac_override,+kill")
effd_start < <(tree)
! grep 'may not signal' effd.log || fail "it is said of who may"
effd_stop
