#!/bin/bash
# SPDX-License-Identifier: MIT
# effd with one command, as the init of a container: PID 1, any user, nothing that can be written, and the command's end is effd's.
. "${0%/*}/lib.sh"
need_apart
need setpriv
cp "$BUILD/effd" "$DIR/bin/effd"
alone=(timeout "$limit" unshare --fork --pid --mount-proc --kill-child)
init() { "${alone[@]}" "$DIR/bin/effd" --socket "$SOCKET" -- "$@"; }

expect_exit 0 init true
expect_exit 7 init sh -c 'exit 7'
expect_exit 143 init sh -c 'kill -TERM $$'
expect_exit 127 init "$DIR/nowhere"
expect_exit 126 init "$DIR/tmp"
expect_exit 0 init sh -c 'echo "pid $$, of $PPID"'
matches "whose child it is" "$OUT" "^sh \| pid [0-9]+, of 1\$"

# What it leaves behind is reaped while it runs: it goes on until there are no dead, which are nobody else's to collect.
expect_exit 5 init bash -c '
	for i in {1..20}; do (true & true & exec true) & wait $!; done
	dead() { grep -qs "^State:.Z" /proc/[0-9]*/status; }
	while dead; do :; done
	exit 5'

# A signal to PID 1 is one to the command.
for signal in TERM INT; do
	expect_exit 9 init sh -c 'trap "exit 9" TERM; kill -'$signal' 1; while :; do sleep 100 & wait; done'
done

# A user without a home, an entry, a variable; and nothing to put a socket in.
rm -rf /tmp/effd-54321
expect_exit 6 setpriv --reuid 54321 --regid 54321 --clear-groups env -i "PATH=$PATH" "$DIR/bin/effd" -- sh -c 'id -u; exit 6'
matches "who it is" "$OUT" '^sh \| 54321$'
rm -rf /tmp/effd-54321
expect_exit 8 "${alone[@]}" --mount sh -c "mount -o remount,bind,ro / && mount -t tmpfs -o ro none /dev/shm &&
	exec $DIR/bin/effd -- sh -c 'echo x 2>/dev/null >/tmp/x; exit 8'"
matches "what is said of the socket" "$ERR" 'sh: without a control socket'
# Another has the socket: the command runs all the same.
mkdir "$DIR/xdg"
chown 54321 "$DIR/xdg"
expect_exit 9 setpriv --reuid 54321 --regid 54321 --clear-groups env "XDG_RUNTIME_DIR=$DIR/xdg" \
	"$DIR/bin/effd" -- "$DIR/bin/effd" -- sh -c 'exit 9'
matches "what the inner one says" "$ERR$OUT" "effd \| effd: warn: another effd has the socket $DIR/xdg/effd/control.sock"
expect_exit 4 "${alone[@]}" --mount sh -c "mount -t tmpfs none /proc && exec $DIR/bin/effd --socket $SOCKET -- sh -c 'exit 4'"
# A place that was named is needed.
expect_exit 1 "${alone[@]}" --mount sh -c "mount -o remount,bind,ro / && exec $DIR/bin/effd --socket /run/there/sock -- true"
