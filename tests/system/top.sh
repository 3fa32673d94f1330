#!/bin/bash
# SPDX-License-Identifier: MIT
# effctl top at a terminal: it draws again and again, hears keys, and leaves the terminal as it found it; also when effd ends.
. "${0%/*}/lib.sh"
need script
compile family
enter=$'\033[?1049h\033[?25l\033[?7l' leave=$'\033[?7h\033[?25h\033[?1049l'

effd_start <<TREE
version: 1
units:
  one: {command: $DIR/bin/family}
  jobs: {units: {mail: {command: $DIR/bin/family}}}
TREE

# Sets TOP and opens descriptor 9 to its keyboard; what it draws goes to $DIR/drawn.
top_start() { # NUMBER [COMMANDS-BEFORE]
	mkfifo "$DIR/keys.$1"
	: >"$DIR/drawn"
	script -qefc "export TERM=xterm; ${2-} $BUILD/effctl -s $SOCKET top; echo ended with \$?" /dev/null <"$DIR/keys.$1" >"$DIR/drawn" &
	TOP=$!
	exec 9>"$DIR/keys.$1"
}
drawn() { grep -qF -e "$1" "$DIR/drawn"; }
pictures() { [ "$(grep -cF 'keys:' "$DIR/drawn")" -ge "$1" ]; }

top_start 1
eventually pictures 2
drawn "2 units: 2 up, 0 in trouble" || fail "no summary in: $(cat -v "$DIR/drawn")"
drawn jobs/mail || fail "not all units are in: $(cat -v "$DIR/drawn")"
printf q >&9
wait "$TOP"
exec 9>&-
drawn "$leave" && drawn "ended with 0" || fail "the terminal is not as it was: $(cat -v "$DIR/drawn")"

# Ctrl-C ends it as q does.
top_start 2
eventually drawn "$enter"
printf '\003' >&9
wait "$TOP"
exec 9>&-
drawn "$leave" && drawn "ended with 0" || fail "Ctrl-C does not end it well: $(cat -v "$DIR/drawn")"

# At a narrow one no line is wider than it, also none of what does not go by columns.
lines() { sed "s/$(printf '\033')\[[?0-9;]*[A-Za-z]//g" "$DIR/drawn" | tr -d '\r'; }
top_start 4 'stty cols 40;'
eventually pictures 2
printf q >&9
wait "$TOP"
exec 9>&-
drawn "jobs/mail" || fail "not all units are in: $(cat -v "$DIR/drawn")"
same "the widest line" "$(lines | awk 'length > 40' | head -n 1)" ""

# On a dumb one nothing can be drawn: it is told once, in lines.
top_start 5 'export TERM=dumb;'
wait "$TOP"
exec 9>&-
drawn "ended with 0" && drawn jobs/mail || fail "not told: $(cat -v "$DIR/drawn")"
! drawn $'\033' || fail "drawn: $(cat -v "$DIR/drawn")"

# effd goes: what is said about it stands on the page that was there before.
top_start 3
eventually drawn jobs/mail
effd_stop
wait "$TOP"
exec 9>&-
grep -qF "effctl:" <(sed "s/.*$(printf '\033')\[?1049l//" "$DIR/drawn" | tail -n 3) || fail "nothing is said: $(cat -v "$DIR/drawn")"
drawn "ended with 5" || fail "another end: $(tail -n 2 "$DIR/drawn")"
