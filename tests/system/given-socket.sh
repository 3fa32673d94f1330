#!/bin/bash
# SPDX-License-Identifier: MIT
# A control socket that a service manager has made, and starts effd by, is taken over, and left to it at the end.
. "${0%/*}/lib.sh"
compile activate family
given=$DIR/given.sock
taken=$SOCKET # Where effd would make its own.
SOCKET=$given
begin() { # KIND NAMES N, and a tree on standard input
	rm -f "$given"
	EFFD_UNDER=("$DIR/bin/activate" "$1" "$2" "$3" "$given")
	effd_start
}
units="version: 1
daemon: {socket: $taken}
units: {a: {command: $DIR/bin/family}, env: {command: env, type: oneshot, env_inherit: ['*'], log: {stdout: ring}}}"

begin stream "" 1 <<<"$units"
same "the tree" "$(state a)" up
[ ! -e "$taken" ] || fail "it made a socket of its own"
matches "what it says" "$(<effd.log)" "control socket $given"
same "what children know of it" "$(ctl --json logs env | jq -r .text | grep LISTEN || true)" ""
same "what they have of it" "$(find "/proc/$(pid_of a)/fd" -lname 'socket:*')" ""
expect_exit 75 "$BUILD/effd" -c "$TREE" --socket "$given"
# Who comes while nobody is there waits: the socket is the manager's, and effd has only left it.
inode=$(stat -c %i "$given")
expect_exit 0 ctl shutdown
effd_ended 0
same "the socket after the end" "$(stat -c '%i %a %F' "$given")" "$inode 600 socket"
[ ! -e "$given.lock" ] || fail "the lock is left"
[ ! -e "$given.notify" ] || fail "the folder beside it is left"

begin stream other:control 2 <<<"$units"
same "one of two, by its name" "$(state a)" up
expect_exit 0 ctl shutdown
effd_ended 0

# It is for somebody else: another pid, or a command that has it from whom it will.
rm "$given"
EFFD_UNDER=(env LISTEN_PID=1 LISTEN_FDS=1)
SOCKET=$taken
effd_start <<<"$units"
same "with what is for another" "$(state a)" up
effd_stop
expect_exit 7 "$DIR/bin/activate" stream "" 1 "$given" "$BUILD/effd" --socket "$taken" -- /bin/sh -c 'exit 7'

# What cannot be one starts nothing.
refused() { # KIND NAMES N PATTERN
	rm -f "$given"
	expect_exit 1 "$DIR/bin/activate" "$1" "$2" "$3" "$given" "$BUILD/effd" -c "$TREE"
	matches "what is said of one that is $1" "$ERR" "$4"
	[ -S "$given" ] || fail "it removed what it did not take"
}
refused datagram "" 1 "the socket that effd was given is none that listens"
refused silent control 1 "the socket that effd was given is none that listens"
rm "$given"
# Of several none is it: then it makes its own.
EFFD_UNDER=("$DIR/bin/activate" stream other:another 2 "$given")
effd_start <<<"$units"
matches "what is said of two" "$(<effd.log)" "none of the 2 sockets that effd was given is called control"
[ -S "$taken" ] || fail "it made none"
effd_stop
rm "$given"
