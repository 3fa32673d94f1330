#!/bin/bash
# SPDX-License-Identifier: MIT
# Units that end at once and start again without a delay: however many they are, effd does so much in a turn and no more, and
# answers between the turns.
. "${0%/*}/lib.sh"
EFFD_PROGRAM=$BUILD/steps/effd
[ -x "$EFFD_PROGRAM" ] || skip "needs what make STEPS=1 build-scales makes"
compile count
EFFD_UNDER=("$DIR/bin/count" "$DIR/counts")
look() { # sets TURNS, SPAWNS, MOST_STEPS, MOST_CALLS, MOST_SPAWNS
	local -a counts
	read -ra counts <<<"$(od -An -v -t u8 -w72 "$DIR/counts")"
	TURNS=${counts[4]} SPAWNS=${counts[5]} MOST_STEPS=${counts[6]} MOST_CALLS=${counts[7]} MOST_SPAWNS=${counts[8]}
}
have_spawned() { look; [ "$SPAWNS" -ge "$1" ]; }

storm() { # UNITS
	effd_start <<TREE
version: 1
units:
  calm: {command: [sleep, infinity]}
  storm:
    activate: manual
    defaults: {restart: {max_restarts: infinity, backoff: {initial: 0s}}}
    units:
$(seq -f "      u%.0f: {command: ['true'], restart: always}" "$1")
TREE
	expect_exit 0 ctl start --no-wait storm
	# What is done once, for all of them, is over.
	eventually have_spawned $((4 * $1))
	dd if=/dev/zero of="$DIR/counts" bs=8 seek=6 count=3 conv=notrunc status=none
	for _ in {1..20}; do
		expect_exit 0 ctl --json status calm
		same "calm in the storm" "$(jq -r '.units[0].state' <<<"$OUT")" up
	done
	eventually have_spawned $((14 * $1))
	echo "$1 units: in a turn at most $MOST_STEPS steps, $MOST_CALLS calls, $MOST_SPAWNS spawns; $SPAWNS spawns, $TURNS turns"
	[ "$MOST_SPAWNS" -le 8 ] || fail "$MOST_SPAWNS children were made in one turn"
	expect_exit 0 ctl stop --now storm
	effd_stop
}
storm 50
few_steps=$MOST_STEPS few_calls=$MOST_CALLS
storm 200
# Four times as many: what is not bounded is four times as much.
[ "$MOST_STEPS" -le $((few_steps * 2)) ] || fail "a turn of 200 units takes up to $MOST_STEPS steps, of 50 up to $few_steps"
[ "$MOST_CALLS" -le $((few_calls * 2)) ] || fail "a turn of 200 units makes up to $MOST_CALLS calls, of 50 up to $few_calls"
