#!/bin/bash
# SPDX-License-Identifier: MIT
# A full disk under a log file loses output, counts it and says so once; the unit goes on, and so does the log later.
. "${0%/*}/lib.sh"
need_apart
need mount
mkdir "$DIR/small"
mount -t tmpfs -o size=256k,mode=755 none "$DIR/small" || skip "cannot mount a tmpfs"
# In pages, so that the last byte is taken.
dd if=/dev/zero of="$DIR/small/filler" bs=4096 2>/dev/null || true
new_fifo
gate=$FIFO
effd_start <<TREE
version: 1
units:
  writer:
    shell: 'i=0; while [ \$i -lt 2000 ]; do echo "line \$i"; i=\$((i+1)); done; echo written >&2; read go <$gate; while :; do echo tick; sleep 0.1; done'
    log: {stdout: {file: $DIR/small/log}, stderr: ring}
TREE
pid=$(pid_of writer)
follow 1 '.text == "written"' logs -f writer >/dev/null
await_events 1 '.event == "log_lost"' writer >/dev/null
same "the unit goes on" "$(field writer '"\(.state) \(.pid) \(.restarts)"')" "up $pid 0"
lost=$(field writer .log_lost_bytes)
[ "$lost" -gt 0 ] || fail "nothing is counted as lost"
same "it is said once" "$(ctl --json events | jq -c 'select(.event == "log_lost") | .unit')" '"writer"'

rm "$DIR/small/filler"
echo go >"$gate"
await_line "$DIR/small/log" '^tick$' >/dev/null
same "the same process" "$(pid_of writer)" "$pid"
same "a file has no prefix" "$(grep -c '^writer' "$DIR/small/log" || true)" 0
effd_stop
umount "$DIR/small"
