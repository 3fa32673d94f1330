#!/bin/bash
# SPDX-License-Identifier: MIT
# A full disk under a log file loses output, counts it and says so once; the unit goes on, and so does the log later. So it is
# where the disk can only be read, and where effd's files may be only so large.
. "${0%/*}/lib.sh"
need_apart
need mount
mkdir "$DIR/small"
mount -t tmpfs -o size=256k,mode=755 none "$DIR/small" || skip "cannot mount a tmpfs"
# In pages, so that the last byte is taken.
dd if=/dev/zero of="$DIR/small/filler" bs=4096 2>/dev/null || true
new_fifo
more=$FIFO
new_fifo
tick=$FIFO
effd_start <<TREE
version: 1
units:
  writer:
    shell: 'i=0; while [ \$i -lt 2000 ]; do echo "line \$i"; i=\$((i+1)); done; echo written >&2; read go <$more; echo and more; read go <$tick; while :; do echo tick; sleep 0.1; done'
    log: {stdout: {file: $DIR/small/log}, stderr: ring}
TREE
pid=$(pid_of writer)
follow 1 '.text == "written"' logs -f writer >/dev/null
await_events 1 '.event == "log_lost"' writer >/dev/null
same "the unit goes on" "$(field writer '"\(.state) \(.pid) \(.restarts)"')" "up $pid 0"
lost=$(field writer .log_lost_bytes)
[ "$lost" -gt 0 ] || fail "nothing is counted as lost"
same "it is said once" "$(ctl --json events | jq -c 'select(.event == "log_lost") | .unit')" '"writer"'

echo go >"$more"
more_lost() { [ "$(field writer .log_lost_bytes)" -gt "$lost" ]; }
eventually more_lost
rm "$DIR/small/filler"
echo go >"$tick"
await_line "$DIR/small/log" '^tick$' >/dev/null
await_events 1 '.event == "log_lost" and (.text | test("^[0-9]+ more bytes lost before .*/small/log could be written again; "))' writer >"$DIR/said"
same "the event has the total" "$(jq -r .text "$DIR/said" | sed 's/.*; //')" "$(field writer .log_lost_bytes) in all"
same "the same process" "$(pid_of writer)" "$pid"
same "a file has no prefix" "$(grep -c '^writer' "$DIR/small/log" || true)" 0
effd_stop

# ── it can only be read ──

mount -o remount,ro "$DIR/small"
effd_start <<TREE
version: 1
units:
  writer: {shell: 'echo lost; exec sleep infinity', log: {stdout: {file: $DIR/small/log}}}
  deeper: {shell: 'echo lost; exec sleep infinity', log: {stdout: {file: $DIR/small/deep/log}}}
  ring: {shell: 'echo kept; exec sleep infinity', log: {stdout: ring}}
TREE
for unit in writer deeper; do
	await_events 1 '.event == "log_lost"' "$unit" >"$DIR/said"
	matches "what is said of $unit" "$(<"$DIR/said")" "5 bytes lost: cannot write $DIR/small/[a-z/]+: Read-only file system"
	same "$unit goes on" "$(field "$unit" '"\(.state) \(.log_lost_bytes)"')" "up 5"
	same "its ring" "$(ctl --json logs "$unit" | jq -r .text)" lost
done
effd_stop
umount "$DIR/small"

# ── a file may be only so large ──

new_fifo
gate=$FIFO
cat >"$DIR/limited" <<'END'
#!/bin/sh
ulimit -f 8
exec "$@"
END
chmod 755 "$DIR/limited"
EFFD_UNDER=("$DIR/limited")
effd_start <<TREE
version: 1
units:
  writer:
    shell: 'i=0; while [ \$i -lt 3000 ]; do echo "line \$i"; i=\$((i+1)); done; echo written >&2; read go <$gate; echo more; exec sleep infinity'
    log: {stdout: {file: $DIR/log}, stderr: ring}
  rotated:
    shell: 'seq 1 3000; echo written >&2; exec sleep infinity'
    log: {stdout: {file: $DIR/rotated}, stderr: ring, rotate: {size: 2KiB, keep: 99}}
TREE
pid=$(pid_of writer)
for unit in writer rotated; do
	follow 1 '.text == "written"' logs -f "$unit" >/dev/null
done
await_events 1 '.event == "log_lost"' writer >"$DIR/said"
matches "what is said" "$(<"$DIR/said")" "cannot write $DIR/log: File too large"
same "the unit goes on" "$(field writer '"\(.state) \(.pid) \(.restarts)"')" "up $pid 0"
[ "$(stat -c %s "$DIR/log")" -le 8192 ] || fail "there is no limit here"
same "one whose files are smaller" "$(field rotated .log_lost_bytes)" 0
rm "$DIR/log" # which is noticed at once
echo go >"$gate"
await_line "$DIR/log" '^more$' >/dev/null
effd_stop
