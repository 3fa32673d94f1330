#!/bin/bash
# SPDX-License-Identifier: MIT
# Units that write without end, with lines and without any, to all that a stream may go to: effd answers, and its memory stays
# what it is. So it does where only somebody writes on whom the main process has left.
. "${0%/*}/lib.sh"
compile family
# Somebody who takes nothing.
mkfifo "$DIR/stuck"
exec {stuck}<>"$DIR/stuck"
cat >"$DIR/to-stuck" <<END
#!/bin/sh
exec "\$@" >$DIR/stuck
END
chmod 755 "$DIR/to-stuck"
EFFD_UNDER=("$DIR/to-stuck")
effd_start <<TREE
version: 1
units:
  calm: {command: $DIR/bin/family, log: {stdout: ring}}
  left: {shell: 'yes & exit 3', log: {stdout: ring}, stop: {mode: process}, restart: no}
  ends:
    defaults: {stop: {timeout: 1s}}
    units:
      lines: {command: ['yes'], log: {stdout: ring}}
      none: {command: [cat, /dev/zero], log: {stdout: ring}}
      long: {command: [cat, /dev/zero], log: {stdout: ring, max_line: 1MiB, ring: 16KiB}}
      filed: {command: ['yes'], log: {stdout: {file: $DIR/log}, rotate: {size: 1MiB, keep: 1}}}
      full: {command: [cat, /dev/zero], log: {stdout: {file: /dev/full}}}
      both: {shell: 'yes >&2 & exec yes', log: {stdout: ring, stderr: {file: $DIR/err}, rotate: {size: 1MiB, keep: 1}}}
      waits: {command: ['yes'], log: {stdout: inherit}}
      drops: {command: ['yes'], log: {stdout: inherit, on_block: drop-old}}
TREE
left_has_failed() { [ "$(ctl --json status left | jq -r .units[0].state)" = failed ]; }
eventually left_has_failed
memory() { awk '/^RssAnon:/ { print $2 }' "/proc/$EFFD/status"; }
written() { awk '/^wchar:/ { print $2 }' "/proc/$(pid_of "$1")/io"; }
for unit in lines none long filed full both drops; do
	have_written() { [ "$(written "ends/$unit")" -gt $((8 << 20)) ]; }
	eventually have_written
done
before=$(memory) calm=$(pid_of calm)
for unit in lines none long filed full both drops; do
	have_written() { [ "$(written "ends/$unit")" -gt $((24 << 20)) ]; }
	eventually have_written
	expect_exit 0 ctl --json status calm
	same "calm beside them" "$(jq -r '.units[0] | "\(.state) \(.pid)"' <<<"$OUT")" "up $calm"
done
after=$(memory)
echo "$before KiB, and then $after"
[ "$after" -le $((before + 8192)) ] || fail "it has grown by $((after - before)) KiB"
[ "$(written ends/waits)" -lt $((4 << 20)) ] || fail "one whose reader takes nothing goes on"
[ "$(field ends/drops .log_lost_bytes)" -gt 0 ] || fail "what was dropped is not counted"
[ "$(field ends/full .log_lost_bytes)" -gt 0 ] || fail "what did not fit is not counted"
expect_exit 0 ctl stop ends
expect_exit 3 ctl --json status 'ends/*'
same "how they ended" "$(jq -r '.units[].state' <<<"$OUT" | sort -u)" down
effd_stop
