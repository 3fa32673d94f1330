#!/bin/bash
# SPDX-License-Identifier: MIT
# Units that say when they are ready: what a unit's processes say counts, and nobody else's word does.
. "${0%/*}/lib.sh"
compile notify family
mkfifo "$DIR/go" "$DIR/child" "$DIR/more" "$DIR/address"
effd_launch <<TREE
version: 1
units:
  main:
    type: notify
    shell: 'echo "\$NOTIFY_SOCKET" >$DIR/address; exec $DIR/bin/notify "STATUS=warming up" @$DIR/go "READY=1;STATUS=well done" @$DIR/more STATUS=later RELOADING=1 READY=1'
  child: {type: notify, command: [$DIR/bin/notify, "@$DIR/child", "+READY=1"]}
  brief: {type: notify, command: [$DIR/bin/notify, "=READY=1;STATUS=by a child that has gone"]}
  after: {command: $DIR/bin/family, depends_on: [main]}
  silent: {type: notify, command: $DIR/bin/family, start_timeout: 300ms, restart: no}
  ended: {type: notify, shell: exit 0, restart: no}
  plain: {shell: '[ -z "\${NOTIFY_SOCKET+set}" ] && exec $DIR/bin/family', restart: no}
TREE
shows() { [ "$(field main .status_text)" = "$1" ]; }
read -r -t "$limit" address <"$DIR/address"
await_events 1 '.event == "state" and .to == "failed"' silent >/dev/null
eventually shows "warming up"
same "not ready yet" "$(state main) $(state after) $(state child)" "starting waiting starting"

# A stranger, even root, is not heard.
NOTIFY_SOCKET=$address "$DIR/bin/notify" '~READY=1;STATUS=from a stranger;MAINPID=1'
expect_exit 0 ctl ping
expect_exit 0 ctl ping
same "after a stranger's word" "$(field main '"\(.state) \(.status_text)"')" "starting warming up"

echo >"$DIR/go"
wait_for up main after
same "its status" "$(field main .status_text)" "well done"
echo >"$DIR/child"
wait_for up child brief
same "what a child that has gone said" "$(field brief .status_text)" "by a child that has gone"
await_notice READY=1
same "one that never says it" "$(field silent '"\(.state) \(.last_exit.kind)"')" "failed start_timeout"
same "an end before ready, even with 0" "$(field ended '"\(.state) \(.last_exit.kind) \(.last_exit.code)"')" "failed exit 0"
same "one that does not notify has no socket" "$(state plain)" up
pid=$(pid_of main)
echo >"$DIR/more"
eventually shows later
same "still the same" "$(field main '"\(.state) \(.pid)"')" "up $pid"
effd_stop
