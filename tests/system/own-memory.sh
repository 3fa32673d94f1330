#!/bin/bash
# SPDX-License-Identifier: MIT
# Two users never share memory: a child that is to be another user's has its own from the first moment, not only once it
# has executed. One of effd's own user borrows effd's until then, which shows that this can be seen here.
. "${0%/*}/lib.sh"
need_root
compile family hang shares
cp "$DIR/bin/family" "$DIR/bin/hung"
EFFD_UNDER=("$DIR/bin/hang" "$DIR/bin/hung")
"${EFFD_UNDER[@]}" true 2>/dev/null || skip "seccomp cannot tell of system calls here"
"$DIR/bin/shares" $$ >/dev/null || skip "this kernel does not compare processes"
effd_launch <<TREE
version: 1
units:
  own: {command: $DIR/bin/hung}
  grouped: {command: $DIR/bin/hung, group: nogroup}
  other: {command: $DIR/bin/hung, user: nobody}
TREE
effd=$(ctl --json version | jq -r .pid)
# All three hang in execve(), with the ids that they will have.
seen() { "$DIR/bin/shares" "$effd" | sort -n; }
wanted="0 own
0 shared
$(id -u nobody) own"
as_wanted() { [ "$(seen)" = "$wanted" ]; }
three() { [ "$(seen | wc -l)" -eq 3 ]; }
eventually three
eventually as_wanted
same "who shares effd's memory" "$(seen)" "$wanted"
expect_exit 0 ctl shutdown
effd_ended 0
