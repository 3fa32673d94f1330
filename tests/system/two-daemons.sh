#!/bin/bash
# SPDX-License-Identifier: MIT
# One socket has one effd; a stale socket is replaced, and anything else in its place is left as it is.
. "${0%/*}/lib.sh"
compile family
effd_start <<TREE
version: 1
units:
  a: {command: $DIR/bin/family}
TREE
pid=$(pid_of a)
printf 'version: 1\nunits:\n  b: {shell: touch %s/b}\n' "$DIR" >"$DIR/second.yaml"
expect_exit 75 "$BUILD/effd" -c "$DIR/second.yaml" --socket "$SOCKET"
[ ! -e "$DIR/b" ] || fail "the second effd started something"
matches "the second says why" "$ERR" "$SOCKET"
same "the first is untouched" "$(pid_of a)" "$pid"

# Killed, it leaves its socket; the next one takes its place, even when several try at once.
kill -KILL "$EFFD"
effd_ended 137
[ -S "$SOCKET" ] || fail "there is no stale socket to replace"
expect_exit 5 ctl ping
effd_again
await_notice READY=1
expect_exit 0 ctl ping
same "a runs again" "$(state a)" up
effd_stop

# Not ours: a file, a link (to a socket too), a folder.
refused() { # WHAT
	expect_exit 1 "$BUILD/effd" -c "$DIR/second.yaml" --socket "$SOCKET"
	[ ! -e "$DIR/b" ] || fail "a tree was started with $1 in the socket's place"
	matches "it says why" "$ERR" "$SOCKET"
}
echo precious >"$SOCKET"
refused "a file"
same "the file" "$(cat "$SOCKET")" precious
rm "$SOCKET"
ln -s "$DIR/elsewhere" "$SOCKET"
refused "a link to nothing"
same "the link" "$(readlink "$SOCKET")" "$DIR/elsewhere"
[ ! -e "$DIR/elsewhere" ] || fail "the link was followed"
echo precious >"$DIR/elsewhere"
refused "a link to a file"
same "the linked file" "$(cat "$DIR/elsewhere")" precious
rm "$SOCKET"
mkdir "$SOCKET"
refused "a folder"
rmdir "$SOCKET"

# One folder is remembered in by one effd: a lock decides, once there is something to remember.
state=$DIR/state/deep
remembering="version: 1
daemon: {state_dir: $state}
units: {c: {type: oneshot, shell: 'echo ran >>$DIR/c', schedule: {every: 1d, catch_up: once}}}"
effd_start <<<"$remembering"
cat >"$DIR/second.yaml" <<<"$remembering"
SECOND=$DIR/second.sock
expect_exit 75 "$BUILD/effd" -c "$DIR/second.yaml" --socket "$SECOND"
matches "the second says why" "$ERR" "another effd remembers in $state: give one of them another .daemon.state_dir."
[ ! -e "$SECOND" ] || fail "the second has left its socket"
# One that remembers nothing shares it; when it is to remember, it does without.
first=("$EFFD" "$RECORDER" "$NOTED" "$SOCKET" "$TREE")
SOCKET=$SECOND TREE=$DIR/third.yaml
effd_start <<<"version: 1
daemon: {state_dir: $state}
units: {d: {command: $DIR/bin/family}}"
cat >"$TREE" <<<"${remembering/c:/e:}"
expect_exit 0 ctl reload
await_line "$DIR/effd.log" "error: another effd remembers in $state" >/dev/null
expect_exit 0 ctl start e
await_line "$DIR/c" ran >/dev/null
expect_exit 0 ctl shutdown
effd_ended 0
[ ! -e "$state/schedule/e" ] || fail "it has written where another remembers"
# The kernel gives the lock of one that is killed to the next.
EFFD=${first[0]} RECORDER=${first[1]} NOTED=${first[2]} SOCKET=${first[3]} TREE=${first[4]}
kill -KILL "$EFFD"
effd_ended 137
rm "$SOCKET" "$SOCKET.lock"
effd_again
await_notice READY=1
expect_exit 0 ctl start c
eventually test -e "$state/schedule/c"
effd_stop
