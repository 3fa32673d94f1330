#!/bin/bash
# SPDX-License-Identifier: MIT
# What a system test leaves that was killed, the next one clears away, and so it is with unit tests; of one that runs nothing is
# taken. Who ends scripts/run-tests ends what it runs.
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

# Unit tests, where they are built: one that is killed when it has its folder.
unit=$BUILD/tests/daemon/test_text
if [ -x "$unit" ] && command -v strace >/dev/null; then
	setsid strace -o calls -e trace=rename -e inject=rename:delay_exit=1000000000 "$unit" &
	has_folder() {
		local child
		child=$(<"/proc/$!/task/$!/children")
		folder=$(find "/proc/${child% }/fd" -lname '/tmp/effd-unit.*' -printf '%l\n' 2>/dev/null)
		[ -n "$folder" ]
	}
	eventually has_folder
	touch "$folder/something"
	"$unit" >/dev/null
	[ -e "$folder/something" ] || fail "the folder of one that runs is gone"
	kill -KILL -- -$!
	wait $! || true
	[ -e "$folder/something" ]
	# Its last moments are nobody's to wait for.
	cleared() { "$unit" >/dev/null && [ ! -e "$folder" ]; }
	eventually cleared
fi

# What it runs has ended before run-tests has.
new_fifo
cat >run <<'RUN'
trap 'echo ended; exit' TERM
echo begun
sleep 1000000 &
wait
RUN
bash "$here/../../scripts/run-tests" "exec bash $PWD/run >$FIFO" >"$DIR/ran.txt" &
exec {said}<"$FIFO"
read -r -t "$limit" line <&"$said"
kill $!
wait $! || true
read -r -t "$limit" more <&"$said" || fail "what is run by one that is ended goes on"
same "what is run by one that is ended" "$line $more" "begun ended"
