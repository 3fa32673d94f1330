#!/bin/bash
# SPDX-License-Identifier: MIT
# What is sent to effd as PID 1 while it still reads its tree counts: the kernel would drop it.
. "${0%/*}/lib.sh"
need_apart
need python3
compile recorder
new_fifo
said=$FIFO
narrow='import fcntl; fcntl.fcntl(2, fcntl.F_SETPIPE_SZ, 4096)'
EFFD_UNDER=(unshare --fork --pid --mount-proc --kill-child bash -c "exec 2>$said; python3 -c '$narrow'; exec \"\$@\"" effd)

# effd with a tree of which it has more to say than its pipe holds: it is told something before it has said all.
early() { # SETTINGS SIGNAL…
	local settings=$1 warnings signal inner
	shift
	{
		printf 'version: 1\n%s\nunits:\n  first: {command: touch %s, restart: no}\n' "$settings" "$DIR/started"
		printf '  u%d: {command: /nowhere/it/is/not/there, activate: manual}\n' {1..50}
	} >"$TREE"
	effd_again
	exec {warnings}<"$said"
	read -r -t "$limit" -u "$warnings"
	inner=$(cut -d' ' -f1 <"/proc/$EFFD/task/$EFFD/children")
	for signal in "$@"; do
		kill -s "$signal" "$inner"
	done
	cat <&"$warnings" >>"$DIR/effd.log" &
	exec {warnings}<&-
}

for signal in TERM INT; do
	early '' "$signal"
	effd_ended 0
	[ ! -e "$DIR/started" ] || fail "it was started, in spite of SIG$signal"
done
early 'daemon: {signals: {QUIT: stop}}' QUIT
effd_ended 0
[ ! -e "$DIR/started" ] || fail "it was started, in spite of what SIGQUIT means"

# What has no meaning is forgotten, and what is to be ignored is ignored.
early 'daemon: {signals: {TERM: ignore}}' TERM USR1
await_notice READY=1
wait_for done first
effd_stop
