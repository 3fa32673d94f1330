#!/bin/bash
# SPDX-License-Identifier: MIT
# What hooks are told, and where they run: the unit's user's environment, folder and log.
. "${0%/*}/lib.sh"
compile family
mkdir "$DIR/work"
cat >"$DIR/tell" <<TELL
#!/bin/sh
echo "\$1: \$EFFD_UNIT|\$EFFD_CAUSE|\$EFFD_EXIT_CODE|\$EFFD_EXIT_SIGNAL|\$EFFD_RESTARTS|\$OWN|\$PWD" >>$DIR/told
echo "said by \$1"
TELL
chmod +x "$DIR/tell"
: >"$DIR/told"
effd_start <<TREE
version: 1
units:
  web:
    shell: 'exit 3'
    working_dir: $DIR/work
    environment: {OWN: mine}
    restart: {max_restarts: 1, backoff: {initial: 1ms, jitter: 0}}
    hooks:
      pre_start: [$DIR/tell, pre_start]
      on_ready: $DIR/tell on_ready
      post_stop: {command: $DIR/tell post_stop, timeout: 20s}
      on_failure: $DIR/tell on_failure
      on_give_up: $DIR/tell on_give_up
  killed: {command: $DIR/bin/family, restart: no, hooks: {on_failure: $DIR/tell killed, on_ready: $DIR/tell ready}}
TREE
wait_for failed web
await_line "$DIR/told" '^on_give_up: ' >/dev/null
await_line "$DIR/told" '^ready: killed' >/dev/null
kill -KILL "$(pid_of killed)"
wait_for failed killed
same "what was told" "$(grep -v '^on_ready\|^ready' "$DIR/told")" "pre_start: web||||0|mine|$DIR/work
post_stop: web|exit|3||0|mine|$DIR/work
on_failure: web|exit|3||0|mine|$DIR/work
pre_start: web|exit|3||1|mine|$DIR/work
post_stop: web|exit|3||1|mine|$DIR/work
on_failure: web|exit|3||1|mine|$DIR/work
on_give_up: web|max_restarts|3||1|mine|$DIR/work
killed: killed|signal||SIGKILL|0||$DIR"
matches "the unit's log" "$(ctl --json logs web | jq -r .text)" '^said by pre_start$'
matches "the unit's log" "$(ctl --json logs web | jq -r .text)" '^said by on_give_up$'
effd_stop
