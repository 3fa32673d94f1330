#!/bin/bash
# SPDX-License-Identifier: MIT
# effd as PID 1, as in a container: it reaps what it did not start, and stops in order at SIGTERM.
. "${0%/*}/lib.sh"
need_apart
compile orphans family
new_fifo
gate=$FIFO
EFFD_UNDER=(unshare --fork --pid --mount-proc --kill-child)
effd_start <<TREE
version: 1
units:
  first: {command: $DIR/bin/family, log: {stdout: ring}}
  second: {command: [$DIR/bin/orphans, "50", $gate], depends_on: [first], log: {stdout: ring}}
TREE
inner=$(cut -d' ' -f1 <"/proc/$EFFD/task/$EFFD/children")
same "it is PID 1" "$(ctl --json version | jq -r .pid) $(awk '/^NSpid:/ { print $NF }' "/proc/$inner/status")" "1 1"
children_of() { tr ' ' '\n' <"/proc/$1/task/$1/children" | grep -c . || true; }
follow 1 '.text == "made"' logs -f second >/dev/null
same "it adopts" "$(children_of "$inner")" 52
echo >"$gate"
follow 1 '.text == "ended"' logs -f second >/dev/null
all_are_reaped() {
	expect_exit 0 ctl ping
	[ "$(children_of "$inner")" -eq 2 ]
}
eventually all_are_reaped

# Who asks from outside of its namespace has no pid there; the right is a matter of the uid alone.
expect_exit 0 ctl stop second
same "who has asked" "$(field second '"\(.cause.kind) \(.cause.by.pid) \(.cause.by.uid)"')" "stop_requested 0 0"
matches "what a person is told" "$(ctl explain second)" 'stop requested .*by a program that is not seen from here \(uid 0\)'
expect_exit 0 ctl start second

ctl_in_place --json events -f >"$DIR/stop.json" &
watcher=$!
await_line "$DIR/stop.json" '"second"' >/dev/null
kill -TERM "$inner"
kill -TERM "$inner" 2>/dev/null || true # it may have ended already
effd_ended 0
wait "$watcher" || true
seq_of() { jq -s "map(select(.unit == \"$1\" and .to == \"$2\")) | last.seq" "$DIR/stop.json"; }
[ "$(seq_of second down)" -lt "$(seq_of first stopping)" ] || fail "not stopped in order: $(cat "$DIR/stop.json")"
[ ! -e "$SOCKET" ] || fail "the control socket is still there"
