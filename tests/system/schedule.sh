#!/bin/bash
# SPDX-License-Identifier: MIT
# A unit that runs at its times, as a user sees it: status, explain, its next run; and a run that was missed.
. "${0%/*}/lib.sh"
compile family
mkdir "$DIR/state"
effd_start <<TREE
version: 1
daemon: {state_dir: $DIR/state}
units:
  job: {type: oneshot, shell: 'echo ran >>$DIR/ran', schedule: {every: 1h, catch_up: once}}
  often: {type: oneshot, shell: 'echo ran >>$DIR/often', schedule: {every: 50ms}}
  nightly: {type: oneshot, command: 'true', schedule: {cron: '30 2 * * *', timezone: UTC}}
TREE
same "it rests until its schedule" "$(field job '"\(.state) \(.wanted) \(.starts) \(.next_start_s > 3500 and .next_start_s <= 3600)"')" "waiting true 0 true"
expect_exit 0 ctl status job
await_line "$DIR/often" ran >/dev/null
await_events 3 '.event == "state" and .to == "done"' often >/dev/null
matches "explain" "$(ctl explain nightly)" 'runs by its schedule'
expect_exit 0 ctl start job
await_line "$DIR/ran" ran >/dev/null
same "it ran once" "$(field job '"\(.state) \(.starts)"')" "done 1"
expect_exit 0 ctl stop job
same "stopped" "$(state job)" down
effd_stop

# What was missed while effd was not there is made up for, once.
echo 1000000000 >"$DIR/state/schedule/job"
: >"$DIR/ran"
effd_again
await_notice READY=1
await_line "$DIR/ran" ran >/dev/null
wait_for done job
same "once" "$(field job .starts)" 1
[ "$(cat "$DIR/state/schedule/job")" -gt 1000000000 ] || fail "it does not remember its run"
effd_stop
