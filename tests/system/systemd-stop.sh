#!/bin/bash
# SPDX-License-Identifier: MIT
# Stopped by systemd, effd stops its services in their order and in the time that they need, and nothing is left. A restart
# is a stop and a start: nothing ever runs twice.
. "${0%/*}/lib.sh"
. "${0%/*}/systemd/lib.sh"
boot
drop_in effd.service <<<$'[Service]\nTimeoutStopSec=3s'
tree <<TREE
version: 1
units:
  db: {command: [/test/service, db]}
  slow: {command: [/test/service, slow, "5"], depends_on: [db], stop: {timeout: 30s}}
  web: {command: [/test/service, web], depends_on: [slow]}
TREE
expect_exit 0 inside systemctl start effd
for name in db slow web; do await_starts "$name" 1; done

# ── A restart: 5 s for one service, where systemd gives 3 s without a word of effd's ──

first=$(property effd MainPID)
expect_exit 0 inside systemctl restart effd
for name in db slow web; do await_starts "$name" 2; done
same "the order" "$(paste -sd ' ' stops)" "web slow db"
[ "$(property effd MainPID)" != "$first" ] || fail "effd is the same as before"
same "how it went" "$(property effd Result) $(property effd NRestarts)" "success 0"
no_doubles

# ── A stop ──

rm stops
inside systemctl stop --no-block effd
await_property effd StatusText 'stopping.*'
same "while it stops" "$(property effd ActiveState)" deactivating
expect_exit 0 inside systemctl stop effd
same "the order" "$(paste -sd ' ' stops)" "web slow db"
same "how it ended" "$(property effd ActiveState) $(property effd Result) $(property effd ExecMainStatus)" "inactive success 0"
same "what is left of the control group" "$(property effd ControlGroup)" ""
same "what is left of the services" "$(inside pgrep -f 'sleep 1000000' || true)" ""
same "what is left of its own in /run" "$(inside ls -A /run/effd)" ""
no_doubles

# ── The whole machine's end ──

expect_exit 0 inside systemctl start effd
for name in db slow web; do await_starts "$name" 3; done
rm stops
inside systemctl poweroff 2>/dev/null
wait "$BOOT" || true
INIT=
same "the order" "$(paste -sd ' ' stops)" "web slow db"
