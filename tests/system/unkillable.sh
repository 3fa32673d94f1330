#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs on a file system that does not answer: the kernel lets nobody end them. Each delays its own unit and no other, is
# said with what it waits for, is not started again before it is gone, and does not hold up the end of all.
. "${0%/*}/lib.sh"
need_apart
compile family
mount_hanging

tree() { # FURTHER-WORDS-OF-other FURTHER-UNITS
	cat <<TREE
version: 1
daemon: {shutdown_timeout: 100ms}
defaults: {activate: manual, restart: no, stop: {timeout: 100ms}}
units:
  begins: {command: $DIR/mount/program}
  within: {command: [cat, $DIR/mount/file]}
  other: {command: $DIR/bin/family, activate: boot$1}
  again: {type: oneshot, command: 'true'}
$2
TREE
}
effd_start < <(tree "" "")
hang() { # UNIT
	expect_exit 0 ctl start --no-wait "$1"
	await_held held
}
hang begins
hang within
same "one that is not yet begun" "$(state begins)" starting
hung=$(pid_of within)
gone() { [ ! -e "/proc/$hung" ] || grep -q '^State:.[ZX]' "/proc/$hung/status"; }

# All others go on, and the tree can be changed.
others_go_on() {
	local old
	old=$(pid_of other)
	expect_exit 0 ctl restart other
	[ "$(pid_of other)" != "$old" ] || fail "other was not restarted"
	expect_exit 0 ctl start again
	expect_exit 0 ctl --json status other
	expect_exit 0 ctl logs other
}
others_go_on
tree ', environment: {A: "1"}' "" >"$TREE"
expect_exit 0 ctl reload

# A stop ends with 1 and says who is there, and in what.
ctl_in_place stop begins >"$DIR/begins.txt" 2>&1 &
stopping=$!
expect_exit 1 ctl stop within
matches "who is left" "$OUT" "^within: failed, stopping .*: within does not end: pid $hung \(cat\) waits in [a-z_]+\$"
matches "what it does" "$(<"/proc/$hung/status")" '^State:.D'
status=0
wait "$stopping" || status=$?
same "the other stop" "$status" 1
matches "who is left of it" "$(<"$DIR/begins.txt")" 'begins does not end: pid [0-9]+ \([a-z]+\) waits in [a-z_]+$'
same "their states" "$(state begins) $(state within)" "stopping stopping"
await_events 1 '.event == "stuck"' within >/dev/null
others_go_on
expect_exit 1 ctl start within
matches "why not" "$OUT" "within does not end: pid $hung"
same "one that is there is not started a second time" "$(pid_of within) $(field within .starts)" "$hung 1"

# Once it is answered all of it ends, and what was wished meanwhile comes.
echo go >&"$ORDERS"
wait_for down begins
await_held held
gone || fail "two of them ran"
same "it is started again" "$(field within '"\(.state) \(.starts)"')" "up 2"
echo go >&"$ORDERS"
wait_for failed within

# A tree whose programs nobody can look at is read beside the units.
tree "" "  slow: {command: $DIR/mount/slow}" >"$TREE"
ctl_in_place reload >"$DIR/reload.txt" 2>&1 &
reload=$!
await_held held
others_go_on
echo go >&"$ORDERS"
wait "$reload" || fail "the reload failed: $(<"$DIR/reload.txt")"
same "the new unit" "$(state slow)" down

# effd's own end waits no longer than it was told, and 5 seconds; what is left then ends by itself.
hang within
hung=$(pid_of within)
expect_exit 0 ctl shutdown
effd_ended 1
! gone || fail "it has gone, and this test shows nothing"
matches "what is said at the end" "$(tail -n 3 "$DIR/effd.log")" "pid $hung"
echo go >&"$ORDERS"
eventually gone
unmount_hanging
