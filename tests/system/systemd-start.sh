#!/bin/bash
# SPDX-License-Identifier: MIT
# Under systemd effd is active once its tree has settled: a slow job delays that for as long as it takes, a unit that fails
# does not, and the status names it.
. "${0%/*}/lib.sh"
. "${0%/*}/systemd/lib.sh"
mkfifo gate
boot
drop_in effd.service <<<$'[Service]\nTimeoutStartSec=3s'
tree <<TREE
version: 1
units:
  slow: {type: oneshot, shell: 'read go </test/gate'}
  web: {shell: 'env >/test/env; exec sleep 1000000', depends_on: [slow]}
  teller:
    shell: 'echo hello; echo oops >&2; echo "<5>notice"; exec sleep 1000000'
    log: {stdout: journal, stderr: journal}
  bad: {shell: exit 3, restart: {backoff: {initial: 1h, max: 1h, jitter: 0}}}
TREE
inside systemctl start --no-block effd
await_property effd StatusText '[01] of 4 up; bad: exit 3, next try in 3[0-9]{3} s'
# Longer than it may take to start, had effd not asked for more time.
began=$(property effd ExecMainStartTimestampMonotonic)
until_uptime "$((began + 4500000))"
same "while the job runs" "$(property effd ActiveState) $(property effd SubState)" "activating start"
echo go >gate
expect_exit 0 inside systemctl start effd
same "settled" "$(property effd ActiveState) $(property effd SubState) $(property effd NRestarts)" "active running 0"
await_property effd StatusText '3 of 4 up; bad: exit 3, next try in [0-9]+ s'
same "effctl agrees" "$(ctl_inside ping)" "effd answers at /run/effd/control.sock"

# ── What a unit must not see, and what the journal has to ──

await_line "$DIR/env" '^PATH=' >/dev/null
[ -z "$(grep -E '^(NOTIFY|WATCHDOG|JOURNAL|INVOCATION|LISTEN|EFFD)' env)" ] || fail "a unit inherits: $(<env)"
entries=$(journal -u effd -o json)
same "how grave a line is" "$(jq -r 'select(.MESSAGE | test("^bad: .* -> backoff: exit 3$")) | .PRIORITY' <<<"$entries")" 4
same "lines that begin with effd twice, or with how grave they are" "$(jq -r 'select(.SYSLOG_IDENTIFIER == "effd" and (.MESSAGE | test("^(effd: [^ ]+: |<[0-9]>)"))) | .MESSAGE' <<<"$entries")" ""
# What a unit writes to the journal itself, with whose it is.
same "a unit's own entries" "$(journal EFFD_UNIT=teller -o json | jq -r '"\(.PRIORITY) \(.SYSLOG_IDENTIFIER) \(.EFFD_STREAM) \(.MESSAGE)"' | sort)" \
	$'3 teller stderr oops\n5 teller stdout notice\n6 teller stdout hello'
same "and whose they are" "$(journal EFFD_UNIT=teller -o json | jq -r '.OBJECT_SYSTEMD_UNIT // ._SYSTEMD_UNIT' | sort -u)" effd.service
inside systemctl stop effd
