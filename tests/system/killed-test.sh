#!/bin/bash
# SPDX-License-Identifier: MIT
# What a system test leaves that was killed, the next one clears away; of one that runs it takes nothing.
. "${0%/*}/lib.sh"
need_apart
mkdir tests others
ln -s "$here/lib.sh" "$here/programs" tests/
cat >tests/stays.sh <<'TEST'
. "${0%/*}/lib.sh"
[ -z "$GROUP" ] || mkdir -p "$GROUP/below" 2>/dev/null || GROUP=
echo "$DIR $GROUP" >"$TOLD"
exec sleep 1000000
TEST
echo '. "${0%/*}/lib.sh"' >tests/ends.sh
unset APART
new_fifo
cd others
TOLD=$FIFO TMPDIR=$DIR/others setsid env -u DIR bash "$DIR/tests/stays.sh" &
read -r folder group <"$FIFO"
the_next() { expect_exit 0 env -u DIR TMPDIR="$DIR/others" bash "$DIR/tests/ends.sh"; }

the_next
same "folders while it runs" "$(ls -A)" "${folder##*/}"
[ -z "$group" ] || [ -d "$group/below" ] || fail "the group of one that runs is gone"

kill -KILL -- -$!
wait $! || true
same "folders when it is killed" "$(ls -A)" "${folder##*/}"
the_next
same "folders when another has run" "$(ls -A)" ""
[ -z "$group" ] || [ ! -d "$group" ] || fail "its group is left"
