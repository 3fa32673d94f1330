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
top_start() {
	mkfifo "$DIR/keys.$1"
	: >"$DIR/drawn"
	script -qefc "$BUILD/effctl -s $SOCKET top; echo ended with \$?" /dev/null <"$DIR/keys.$1" >"$DIR/drawn" &
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

# effd goes: what is said about it stands on the page that was there before.
top_start 3
eventually drawn jobs/mail
effd_stop
wait "$TOP"
exec 9>&-
grep -qF "effctl:" <(sed "s/.*$(printf '\033')\[?1049l//" "$DIR/drawn" | tail -n 3) || fail "nothing is said: $(cat -v "$DIR/drawn")"
drawn "ended with 5" || fail "another end: $(tail -n 2 "$DIR/drawn")"
