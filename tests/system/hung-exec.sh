#!/bin/bash
# SPDX-License-Identifier: MIT
# An execve that hangs (a dead network file system, say) delays its own unit, and nothing else.
. "${0%/*}/lib.sh"
compile family hang
cp "$DIR/bin/family" "$DIR/bin/hung"
new_fifo
gate=$FIFO
EFFD_UNDER=("$DIR/bin/hang" "$DIR/bin/hung")
"${EFFD_UNDER[@]}" true 2>/dev/null || skip "seccomp cannot tell of system calls here"
effd_launch <<TREE
version: 1
units:
  hung: {command: $DIR/bin/hung, stop: {timeout: 1h}}
  other: {shell: 'echo begun >$gate; exec $DIR/bin/family'}
  again: {command: $DIR/bin/family, activate: manual}
TREE
read -r -t "$limit" _ <"$gate"
wait_for up other
old=$(pid_of other)
read -r -t "$limit" _ <"$gate" &
reader=$!
expect_exit 0 ctl restart other
wait "$reader"
[ "$(pid_of other)" != "$old" ] || fail "other was not restarted"
expect_exit 0 ctl start again
expect_exit 0 ctl ping
expect_exit 0 ctl --json status other
same "the hung one still hangs, and says so" "$(state hung)" starting
same "no process of the hung program runs yet" "$(processes_of hung)" ""

# A stop between clone and exec ends in down, nothing left, nothing coming later.
expect_exit 0 ctl stop hung
same "the hung one after its stop" "$(field hung '"\(.state) \(.pid) \(.wanted)"')" "down null false"
same "nothing of it is left" "$(processes_of hung)" ""
same "nothing comes later" "$(ctl --json events hung | jq -sr 'map(select(.event == "state")) | last.to')" down
expect_exit 0 ctl shutdown
effd_ended 0
