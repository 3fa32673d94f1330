#!/bin/bash
# SPDX-License-Identifier: MIT
# Five thousand orphans end at once: effd reaps them all, and answers meanwhile.
. "${0%/*}/lib.sh"
compile orphans family
new_fifo
gate=$FIFO
effd_start <<TREE
version: 1
units:
  storm: {command: [$DIR/bin/orphans, "5000", $gate], log: {stdout: ring}}
  calm: {command: $DIR/bin/family}
TREE
calm=$(pid_of calm)
children_of() { tr ' ' '\n' <"/proc/$1/task/$1/children" | grep -c . || true; }
follow 1 '.text == "made"' logs -f storm >/dev/null
[ "$(children_of "$EFFD")" -ge 5000 ] || fail "effd did not adopt the orphans, it has $(children_of "$EFFD") children"
echo go >"$gate"
expect_exit 0 ctl --json status calm
follow 1 '.text == "ended"' logs -f storm >/dev/null
# All have ended; each answer is a turn of effd's, in which it reaps some.
all_are_reaped() {
	expect_exit 0 ctl --json status calm
	same "calm in the storm" "$(jq -r '.units[0] | "\(.state) \(.pid)"' <<<"$OUT")" "up $calm"
	[ "$(children_of "$EFFD")" -eq 2 ]
}
eventually all_are_reaped
same "both units run on" "$(field storm '"\(.state) \(.starts)"') $(field calm '"\(.state) \(.starts)"')" "up 1 up 1"
effd_stop
