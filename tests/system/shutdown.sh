#!/bin/bash
# SPDX-License-Identifier: MIT
# How effd ends: once asked it stops each unit once, a second Ctrl-C or its own limit makes an end of what will not.
. "${0%/*}/lib.sh"
compile family
tree() { # FIELDS-OF-DAEMON
	cat <<TREE
version: 1
daemon: {$1}
units:
  stubborn: {command: [$DIR/bin/family, main=herald], stop: {timeout: 1h}, log: {stdout: {file: $DIR/stubborn.log}}}
  meek: {command: $DIR/bin/family}
TREE
}
asked() { grep -c 'was asked' "$DIR/stubborn.log" || true; }
begin() {
	rm -f "$DIR/stubborn.log"
	effd_start < <(tree "$1")
	await_line "$DIR/stubborn.log" '^complete$' >/dev/null
}

# A second SIGTERM changes nothing, a second SIGINT ends what is left at once; none is asked twice.
begin ""
meek=$(pid_of meek)
kill -INT "$EFFD"
await_notice STOPPING=1
await_line "$DIR/stubborn.log" 'was asked' >/dev/null
kill -TERM "$EFFD"
expect_exit 3 ctl --json status stubborn
expect_exit 1 ctl --json start meek
same "a verb during the shutdown" "$(jq -r '.error // .units[0].outcome' <<<"$OUT")" org.effd.Control.ShuttingDown
# A reload does not come about, which is no error of effd's.
expect_exit 1 ctl reload
same "a reload during the shutdown" "$ERR" "effctl: effd is shutting down"
kill -HUP "$EFFD"
await_line "$DIR/effd.log" '^effd: reload: effd is shutting down; nothing was changed$' >/dev/null
# The other unit does not wait for the stubborn one.
eventually [ ! -e "/proc/$meek" ]
kill -INT "$EFFD"
effd_ended 0
same "how often it was asked" "$(asked)" 1
same "what is left" "$(processes_of family)" ""

# By effctl, and the limit of the whole shutdown. On a busy machine it may be killed before it could say that it was asked.
begin "shutdown_timeout: 300ms"
expect_exit 0 ctl shutdown
effd_ended 0
[ "$(asked)" -le 1 ] || fail "it was asked $(asked) times"
same "what is left" "$(processes_of family)" ""
[ ! -e "$SOCKET" ] || fail "the control socket is still there"
