#!/bin/bash
# SPDX-License-Identifier: MIT
# When effd itself hangs or is killed, systemd ends it and starts it again, and no service ever runs twice: what was left of
# the old effd has gone before the new one begins. A tree that is wrong is not tried again.
. "${0%/*}/lib.sh"
. "${0%/*}/systemd/lib.sh"
boot
drop_in effd.service <<<$'[Service]\nWatchdogSec=2s\nRestartSec=0'
tree <<TREE
version: 1
units:
  one: {command: [/test/service, one]}
  two: {command: [/test/service, two], depends_on: [one]}
TREE
expect_exit 0 inside systemctl start effd
for name in one two; do await_starts "$name" 1; done

# It is fed: longer than the watchdog's time nothing happens.
first=$(property effd MainPID)
began=$(property effd ActiveEnterTimestampMonotonic)
until_uptime "$((began + 5000000))"
same "a fed watchdog" "$(property effd MainPID) $(property effd NRestarts)" "$first 0"

# ── It hangs ──

inside kill -STOP "$first"
await_property effd NRestarts 1
await_property effd SubState running
for name in one two; do await_starts "$name" 2; done
matches "what systemd says" "$(journal -u effd)" 'Watchdog timeout'
second=$(property effd MainPID)
[ "$second" != "$first" ] || fail "effd is the same as before"
no_doubles

# ── It is killed ──

inside kill -KILL "$second"
await_property effd NRestarts 2
await_property effd SubState running
for name in one two; do await_starts "$name" 3; done
no_doubles
expect_exit 0 inside systemctl stop effd

# ── A bad tree ──

rm -f starts
: >starts
tree <<<$'version: 1\nunits: {one: {command: [/test/service, one]}, bad: {comand: x}}'
expect_exit 1 inside systemctl start effd
same "a bad tree" "$(property effd ActiveState) $(property effd ExecMainStatus) $(property effd NRestarts)" "failed 78 0"
matches "why, in the journal" "$(journal -u effd -p err)" 'effd.yaml:2:.* error\[E[0-9]+\].*comand'
same "what was started" "$(<starts)" ""
