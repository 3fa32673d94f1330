#!/bin/bash
# SPDX-License-Identifier: MIT
# The built-in fibers that answer HTTP, asked by curl.
. "${0%/*}/lib.sh"
need curl
compile serve family
port=$("$DIR/bin/serve" 0)
effd_start <<TREE
version: 1
units:
  health: {fiber: health, type: notify, with: {listen: "tcp:127.0.0.1:$port"}}
  metrics: {fiber: metrics, type: notify, with: {listen: "unix:./metrics.sock"}}
  web: {command: $DIR/bin/family, after: [health, metrics]}
  bad: {shell: exit 3, activate: manual, restart: no}
TREE
code() { curl -s -o "$DIR/page" -w '%{http_code}' "$@"; }
health=http://127.0.0.1:$port

same "alive" "$(code "$health/livez") $(<"$DIR/page")" "200 alive"
same "ready" "$(code "$health/readyz") $(<"$DIR/page")" "200 ready"
expect_exit 1 ctl start bad
same "not ready" "$(code "$health/readyz") $(<"$DIR/page")" "503 bad: failed: exit 3"
expect_exit 0 ctl stop bad
same "ready again" "$(code "$health/readyz")" 200
same "an answer on a connection that stays" "$(curl -s "$health/livez" "$health/livez")" $'alive\nalive'

same "metrics" "$(code --unix-socket "$DIR/metrics.sock" http://effd/metrics)" 200
same "web is up" "$(grep -c '^effd_unit_state{unit="web",effd_unit_state="up"} 1$' "$DIR/page")" 1
same "its memory" "$(grep -cE '^effd_unit_memory_bytes\{unit="web"\} [1-9][0-9]+$' "$DIR/page")" 1
same "what is no figure" "$(grep -vE '^(# (TYPE|UNIT|HELP) [a-z_]+ .+|[a-z_]+(\{[^}]*\})? [0-9.e+-]+|# EOF)$' "$DIR/page" || true)" ""

effd_stop
[ ! -e "$DIR/metrics.sock" ] || fail "the socket of metrics is still there"
