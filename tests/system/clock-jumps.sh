#!/bin/bash
# SPDX-License-Identifier: MIT
# The wall clock jumps by a year, forth and back, again and again: no delay, limit or period becomes shorter or longer by that.
. "${0%/*}/lib.sh"
compile family
${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O1 -shared -fPIC -o "$DIR/shift.so" "$here/programs/shift.c"
year=$((365 * 86400))
jump() { # SECONDS, ahead of what it is
	local byte bytes='' n=$1
	for _ in {1..8}; do
		printf -v byte '\\x%02x' $((n & 255))
		bytes+=$byte
		n=$((n >> 8))
	done
	printf '%b' "$bytes" | dd of="$DIR/shift" conv=notrunc status=none
}
jump 0
EFFD_UNDER=(env "LD_PRELOAD=$DIR/shift.so" "SHIFT_FILE=$DIR/shift")
effd_start <<TREE
version: 1
units:
  calm: {command: $DIR/bin/family, liveness_probe: {exec: {command: ['true']}, period: 10s, timeout: 10s}}
  crash: {shell: exit 3, restart: {backoff: {initial: 100ms, factor: 1, jitter: 0}}}
  rests: {shell: exit 3, restart: {backoff: {initial: 1h, max: 1h, jitter: 0}}}
  slow: {type: notify, command: $DIR/bin/family, start_timeout: 1h, activate: manual}
  often: {type: oneshot, command: ['true'], schedule: {every: 1h}}
  stays: {command: [$DIR/bin/family, main=deaf], stop: {timeout: 1h}}
TREE
expect_exit 0 ctl start --no-wait slow
expect_exit 0 ctl stop --no-wait stays
wait_for backoff rests
pid=$(pid_of calm)
year_of() { ctl --json events crash | jq -r -s 'last.at' | cut -c 1-4; }
this=$(date -u +%Y)
for ahead in $year 0 -$year $((40 * year)) -$year 0 $year; do
	jump "$ahead"
	# First the time: what is started before it is looked at must not seem to have been quicker than it was.
	now=$(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)
	before=$(field crash .starts)
	tried_again() { [ "$(field crash .starts)" -ge $((before + 3)) ]; }
	eventually tried_again
	took=$(($(awk '{ printf "%d", $1 * 1000 }' /proc/uptime) - now))
	[ "$took" -ge 200 ] || fail "$ahead s ahead, three starts within $took ms"
	[ "$(year_of)" -ne "$this" ] || [ "$ahead" -eq 0 ] || fail "$ahead s ahead, and the stamps say $this"
	same "the others, $ahead s ahead" "$(field rests '"\(.state) \(.starts)"'), $(field slow '"\(.state) \(.starts)"'), $(
		field often .starts), $(state stays), $(field calm '"\(.state) \(.pid) \(.starts)"')" \
		"backoff 1, starting 1, 0, stopping, up $pid 1"
done
expect_exit 0 ctl stop --now stays
effd_stop
