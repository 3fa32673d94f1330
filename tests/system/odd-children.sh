#!/bin/bash
# SPDX-License-Identifier: MIT
# A child that closes its output is none that has ended, and costs nothing; one that leaves its unit and keeps the unit's output
# open holds up neither the unit's end, nor its restart, nor effd's end.
. "${0%/*}/lib.sh"
need setsid pgrep
compile family count
EFFD_UNDER=("$DIR/bin/count" "$DIR/counts")
new_fifo
gate=$FIFO
# Its own session is there before its unit's main process ends.
printf '#!/bin/sh\necho $$ >%s\nexec %s/bin/family main=deaf\n' "$gate" "$DIR" >"$DIR/stray"
chmod 755 "$DIR/stray"
effd_start <<TREE
version: 1
defaults: {log: {stdout: ring}}
units:
  closes: {shell: 'echo before; exec >&- 2>&-; exec $DIR/bin/family'}
  escapes:
    activate: manual
    restart: no
    stop: {mode: group}
    shell: '(setsid $DIR/stray &); read -r pid <$gate; echo \$pid >>$DIR/strays; echo gone; exit 3'
TREE
follow 1 '.text == "before"' logs -f closes >/dev/null
calls() { od -An -v -t u8 -j 16 -N 8 "$DIR/counts" | tr -d ' '; }
same "one that closed its output" "$(field closes '"\(.state) \(.starts)"')" "up 1"
before=$(calls)
for _ in {1..10}; do expect_exit 0 ctl ping; done
n=$(($(calls) - before))
[ "$n" -lt 1000 ] || fail "$n calls while ten clients asked for nothing"

for i in 1 2 3; do
	ctl start escapes >/dev/null 2>&1 || true
	wait_for failed escapes
	same "the end of one whose output is still open" "$(field escapes '"\(.last_exit.kind) \(.last_exit.code) \(.starts)"')" "exit 3 $i"
done
same "its output" "$(ctl --json logs escapes | jq -r .text | grep -c gone)" 3
mapfile -t strays <"$DIR/strays"
for stray in "${strays[@]}"; do
	[ -e "/proc/$stray" ] || fail "the stray has ended, and this test shows nothing"
	readlink "/proc/$stray/fd/1" | grep -q '^pipe:' || fail "it does not hold the output"
done
expect_exit 0 ctl stop escapes closes
effd_stop
kill -KILL "${strays[@]}"
none_lives() { [ -z "$(pgrep -r D,R,S,T -x family)" ]; }
eventually none_lives
