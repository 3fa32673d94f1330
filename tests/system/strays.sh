#!/bin/bash
# SPDX-License-Identifier: MIT
# Without a control group one that left its unit's session, group and parents is nobody's: no stop finds it. It is not forgotten:
# effd, that has adopted it, names it when it ends.
. "${0%/*}/lib.sh"
need setsid
compile family
effd_start <<TREE
version: 1
units:
  # The subshell has ended before the unit is up, and what it began is a child of effd's.
  escapes:
    type: oneshot
    remain_after_exit: true
    stop: {mode: group}
    shell: '(setsid $DIR/bin/family main=deaf >/dev/null 2>&1 & echo \$! >$DIR/stray); exit 0'
  keeps: {command: [$DIR/bin/family, x, "session,nested"]}
TREE
stray=$(cat "$DIR/stray")
is_adopted() {
	[ "$(readlink "/proc/$stray/exe")" = "$DIR/bin/family" ] &&
		[ "$(awk '/^PPid:/ { print $2 }' "/proc/$stray/status")" = "$EFFD" ]
}
eventually is_adopted
expect_exit 0 ctl shutdown
effd_ended 0
same "who is left" "$(processes_of family)" "$stray"
matches "what effd says of it" "$(cat "$DIR/effd.log")" "warn: left behind, .* pid $stray \(family\)$"
kill -KILL "$stray"
is_dead() { ! readlink "/proc/$stray/exe" >/dev/null; }
eventually is_dead
