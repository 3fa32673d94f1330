#!/bin/bash
# SPDX-License-Identifier: MIT
# A log file's place is taken away, or taken by something else, while it is written: the unit goes on, what is lost is counted
# and said, effd waits for nobody, and writes again where there is a file to be written.
. "${0%/*}/lib.sh"
new_fifo
gate=$FIFO
mkdir "$DIR/gone" "$DIR/taken" "$DIR/elsewhere"
mkfifo "$DIR/pipe" "$DIR/read"
exec 8<>"$DIR/read" # somebody reads this one
mkdir "$DIR/folder"
ln -s "$DIR/elsewhere/target" "$DIR/link"
exec {words}<>"$gate"
effd_start <<TREE
version: 1
defaults:
  shell: 'while read -r word; do echo "\$word"; done <\$GATE'
units:
  speaks: {environment: {GATE: $gate}, log: {stdout: {file: $DIR/gone/log}}}
  pipe: {shell: 'echo into a pipe; exec sleep infinity', log: {stdout: {file: $DIR/pipe}}}
  read: {shell: 'echo into a pipe; exec sleep infinity', log: {stdout: {file: $DIR/read}}}
  folder: {shell: 'echo into a folder; exec sleep infinity', log: {stdout: {file: $DIR/folder}}}
  link: {shell: 'echo through a link; exec sleep infinity', log: {stdout: {file: $DIR/link}}}
TREE
same "units, whatever is in the place of their logs" "$(ctl --json status pipe read folder link speaks | jq -c '[.units[].state]')" \
	'["up","up","up","up","up"]'
lost() { # UNIT REASON
	await_events 1 '.event == "log_lost"' "$1" >"$DIR/said"
	matches "what is said of $1" "$(<"$DIR/said")" "cannot write $DIR/[a-z/]*: $2"
	[ "$(field "$1" .log_lost_bytes)" -gt 0 ] || fail "what $1 lost is not counted"
}
lost pipe 'No such device or address'
lost read 'Invalid argument'
lost folder 'Is a directory'
lost link 'Too many levels of symbolic links'
same "nothing was written through the link" "$(ls "$DIR/elsewhere")" ""
! read -r -t 0 <&8 || fail "something was written into the pipe"

# ── while it is written ──

written() { # WORD: until it is in the log
	echo "$1" >&"$words"
	grep -qx "$1" "$DIR/gone/log" 2>/dev/null
}
eventually written one
pid=$(pid_of speaks)
rm -r "$DIR/gone"
again() { # It is made anew, as at the start.
	written two
}
eventually again

replaced() { # A word of before may still be on its way, and makes the log anew.
	rm -f "$DIR/gone/log"
	mkdir "$DIR/gone/log" 2>/dev/null
}
eventually replaced
unwritten() {
	echo three >&"$words"
	[ "$(ctl --json events speaks | jq -sc 'map(select(.event == "log_lost")) | length')" -ge 1 ]
}
eventually unwritten
rmdir "$DIR/gone/log"
eventually written four
same "the unit all the time" "$(field speaks '"\(.state) \(.pid) \(.starts)"')" "up $pid 1"
expect_exit 0 ctl ping
effd_stop
