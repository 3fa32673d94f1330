#!/bin/bash
# SPDX-License-Identifier: MIT
# The status file: what effd writes of its units is there while effd itself is stopped, is nobody else's, and outlives no effd.
. "${0%/*}/lib.sh"
compile family
mkdir "$DIR/run"
mount -t tmpfs -o mode=755 none "$DIR/run" || skip "cannot mount a tmpfs"
SOCKET=$DIR/run/control.sock
FILE=$SOCKET.status
tree() { # DAEMON
	cat <<-TREE
		version: 1
		daemon: {$1}
		units:
		  calm: {command: [$DIR/bin/family]}
		  crash: {shell: exit 3, restart: no}
	TREE
}
pid_in() { od -A n -t d4 -j 32 -N 4 "$FILE" | tr -d ' '; }

effd_start < <(tree "")
wait_for failed crash
same "whose it is" "$(stat -c '%a %u' "$FILE")" "600 $(id -u)"
same "who has written it" "$(pid_in)" "$EFFD"
calm=$(pid_of calm)

# While effd is stopped.
kill -STOP "$EFFD"
expect_exit 7 ctl status --timeout 100ms
matches "who does not answer" "$ERR" "this is what effd \(process $EFFD\) has written of its units"
matches "one that is up" "$OUT" "^calm +up +$calm "
matches "one that has failed" "$OUT" "^crash +failed .* exit 3$"
expect_exit 7 ctl status --timeout 100ms crash
same "one alone" "$(awk '{ print $1 }' <<<"$OUT")" $'UNIT\ncrash'
# Without a limit of one's own effctl waits for ten seconds, and knows what that means.
expect_exit 5 ctl status
matches "after effctl's own limit" "$ERR" "effd at $SOCKET does not answer: it is stopped, or hangs"
matches "what is shown then" "$OUT" "^calm +up +$calm "
# Scripts are told nothing but that there was no answer.
expect_exit 7 ctl status --timeout 100ms --json
same "as JSON" "$OUT" ""
# What is not whole is not shown.
cp "$FILE" "$DIR/whole"
printf '\377' | dd of="$FILE" bs=1 seek=80 conv=notrunc status=none
expect_exit 7 ctl status --timeout 100ms
same "of a broken one" "$OUT" ""
cat "$DIR/whole" >"$FILE"
kill -CONT "$EFFD"

# Somebody cuts it short: effd goes on, and a reload makes another one.
: >"$FILE"
expect_exit 0 ctl stop calm
tree "log_level: debug" >"$TREE"
expect_exit 0 ctl reload
kill -STOP "$EFFD"
expect_exit 7 ctl status --timeout 100ms
matches "after a reload" "$OUT" "^calm +down "
kill -CONT "$EFFD"
effd_stop
same "what is left" "$(ls -A "$DIR/run")" ""

# What a killed effd has left is replaced; who owns the socket may read it.
effd_start < <(tree "")
kill -KILL "$EFFD"
effd_ended 137
[ -e "$FILE" ] || fail "the file has gone with its effd"
group=$(id -gn)
effd_start < <(tree "socket_group: $group")
same "who has written it now" "$(pid_in)" "$EFFD"
same "whose it is now" "$(stat -c '%a %G' "$FILE")" "640 $group"
effd_stop
