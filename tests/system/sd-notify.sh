#!/bin/bash
# SPDX-License-Identifier: MIT
# effd tells its own service manager how it is: ready when settled, failures by name, reloads, its watchdog, its end.
. "${0%/*}/lib.sh"
compile family
mkfifo "$DIR/gate"
export WATCHDOG_USEC=200000
chain=$(for n in {1..30}; do echo "  link$n: {type: oneshot, command: [/bin/true], depends_on: [$([ "$n" -eq 1 ] && echo job || echo "link$((n - 1))")]}"; done)
effd_launch <<TREE
version: 1
defaults: {restart: no}
units:
  job: {type: oneshot, shell: 'read go <$DIR/gate'}
  after: {command: $DIR/bin/family, depends_on: [job]}
  bad: {shell: exit 3}
$chain
TREE
await_notice 'EXTEND_TIMEOUT_USEC=[0-9]+' 'STATUS=.*bad: exit 3.*'
same "not settled while the job runs" "$(state job) $(state after)" "starting waiting"
echo go >"$DIR/gate"
await_notice READY=1
same "settled" "$(state job) $(state after) $(state bad)" "done up failed"
same "the last of a long chain" "$(state link30)" done
await_notice WATCHDOG=1
sed -i 's/shell: exit 3/shell: exit 4/' "$TREE"
kill -HUP "$EFFD"
await_notice RELOADING=1
await_notice 'MONOTONIC_USEC=[0-9]+'
await_notice READY=1
kill -TERM "$EFFD"
await_notice STOPPING=1
effd_ended 0
