#!/bin/bash
# SPDX-License-Identifier: MIT
# Logs put aside: under a flood no line is lost, torn or doubled; a killed effd leaves files that the next one goes on with; a
# full disk amid costs what did not fit, and is said; what is in the way of a rename is said too; logrotate is followed.
. "${0%/*}/lib.sh"

# All files of a log, the oldest first; who was killed amid may have left a gap, or no newest.
log_files() { # PATH
	find "${1%/*}" -name "${1##*/}.[0-9]*" | sort -Vr
	[ ! -e "$1" ] || echo "$1"
}
whole_log() { log_files "$1" | xargs cat; }

new_fifo
gate=$FIFO
mkdir -p "$DIR/moved/log.1" # which is in the way
effd_start <<TREE
version: 1
units:
  flood:
    type: oneshot
    command: [seq, 1, 300000]
    log: {stdout: {file: $DIR/flood/log}, rotate: {size: 64KiB, keep: 99}}
  few:
    type: oneshot
    command: [seq, 1, 300000]
    log: {stdout: {file: $DIR/few/log}, rotate: {size: 64KiB, keep: 3}}
  packed:
    type: oneshot
    command: [seq, 1, 300000]
    log: {stdout: {file: $DIR/packed/log}, rotate: {size: 256KiB, keep: 99, compress: gzip}}
  moved:
    shell: 'while read -r word; do echo "\$word"; done <>$gate'
    log: {stdout: {file: $DIR/moved/log}, stderr: ring, rotate: {size: 1KiB, keep: 1}}
TREE
wait_for done flood few packed
whole_log "$DIR/flood/log" | cmp - <(seq 1 300000) || fail "the flood is not what was written"
sizes=$(log_files "$DIR/flood/log" | xargs stat -c %s)
# A line that was begun is ended where it began.
same "none is larger than it may be" "$(awk '$1 > 65536 + 6' <<<"$sizes")" ""
same "each but the last is full" "$(head -n -1 <<<"$sizes" | awk '$1 < 65536 - 7')" ""
same "all of them" "$(wc -l <<<"$sizes")" 31
while read -r file; do
	same "the last byte of $file" "$(tail -c 1 "$file" | od -An -c | tr -d ' ')" '\n'
done < <(log_files "$DIR/flood/log")
same "so many are kept" "$(ls "$DIR/few")" $'log\nlog.1\nlog.2\nlog.3'
whole_log "$DIR/few/log" | cmp - <(seq 1 300000 | tail -n "$(whole_log "$DIR/few/log" | wc -l)") ||
	fail "what is kept is not the end"
same "nothing was lost" "$(ctl --json status flood few | jq -c '[.units[].log_lost_bytes]')" "[0,0]"

# Compressed while and after it was written, and none is half.
names=log$(printf '\nlog.%s.gz' {1..7})
packed() { [ "$(ls "$DIR/packed")" = "$names" ]; }
eventually packed
{
	for n in {7..1}; do gzip -dc "$DIR/packed/log.$n.gz"; done
	cat "$DIR/packed/log"
} | cmp - <(seq 1 300000) || fail "what was compressed is not what was written"

# logrotate renames and tells nobody.
exec {words}>"$gate"
echo one >&"$words"
await_line "$DIR/moved/log" '^one$' >/dev/null
mv "$DIR/moved/log" "$DIR/moved/kept"
reopened() {
	echo more >&"$words"
	[ -e "$DIR/moved/log" ]
}
eventually reopened

for _ in {1..20}; do echo "a line that is there to make the file larger than it may be" >&"$words"; done
await_events 1 '.event == "log_not_rotated"' moved >"$DIR/said"
matches "it is said" "$(<"$DIR/said")" 'cannot put .*/moved/log aside: Is a directory'
same "and the unit goes on" "$(field moved '"\(.state) \(.restarts) \(.log_lost_bytes)"')" "up 0 0"
exec {words}>&-
effd_stop

# ── effd is killed amid ──

effd_start <<TREE
version: 1
units:
  endless:
    command: [seq, 1, 2000000000]
    log: {stdout: {file: $DIR/endless/log}, rotate: {size: 256KiB, keep: 999}}
TREE
many() { [ -e "$DIR/endless/log.$1" ]; }
eventually many 3
kill -KILL "$EFFD"
effd_ended 137
before=$(log_files "$DIR/endless/log" | wc -l)
whole_log "$DIR/endless/log" >"$DIR/first"
# The last line may have been on its way.
head -n -1 "$DIR/first" | cmp - <(seq 1 $(($(wc -l <"$DIR/first") - 1 + $([ -z "$(tail -c 1 "$DIR/first")" ] && echo 0 || echo 1)))) ||
	fail "lines are missing before the kill"
effd_again
await_notice READY=1
eventually many $((before + 2))
expect_exit 0 ctl stop --now endless
whole_log "$DIR/endless/log" >"$DIR/both"
cmp -n "$(stat -c %s "$DIR/first")" "$DIR/first" "$DIR/both" || fail "the next effd has touched what was there"
tail -c +$(($(stat -c %s "$DIR/first") + 1)) "$DIR/both" | head -n -1 >"$DIR/second"
cmp "$DIR/second" <(seq 1 "$(wc -l <"$DIR/second")") || fail "lines are missing after the kill"
effd_stop
rm -r "$DIR/endless" "$DIR/first" "$DIR/both" "$DIR/second"

# ── a full disk ──

[ -n "${APART-}" ] || exit 0
mkdir "$DIR/small"
mount -t tmpfs -o size=256k,mode=755 none "$DIR/small" || exit 0
dd if=/dev/zero of="$DIR/small/filler" bs=4096 count=40 2>/dev/null
effd_start <<TREE
version: 1
units:
  writer:
    command: [seq, 1, 2000000000]
    log: {stdout: {file: $DIR/small/log}, rotate: {size: 32KiB, keep: 3}}
TREE
pid=$(pid_of writer)
await_events 1 '.event == "log_lost"' writer >/dev/null
gone=$(stat -c %i "$DIR/small/log")
rm "$DIR/small/filler"
lost=$(field writer .log_lost_bytes)
[ "$lost" -gt 0 ] || fail "nothing is counted as lost"
# Once there is room it goes on, the oldest go, and all of it fits.
turned() { [ -e "$DIR/small/log.3" ] && [ "$(stat -c %i "$DIR/small/log.3" 2>/dev/null)" != "$gone" ] && [ "$(stat -c %i "$DIR/small/log" 2>/dev/null)" != "$gone" ]; }
eventually turned
same "the unit goes on" "$(field writer '"\(.state) \(.pid) \(.restarts)"')" "up $pid 0"
expect_exit 0 ctl stop --now writer
same "every line is whole" "$(whole_log "$DIR/small/log" | head -n -1 | grep -cvE '^[1-9][0-9]*$' || true)" 0
whole_log "$DIR/small/log" | head -n -1 | sort -nuc || fail "lines are out of order or there twice"
effd_stop
umount "$DIR/small"
