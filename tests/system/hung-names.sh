#!/bin/bash
# SPDX-License-Identifier: MIT
# A directory of users that does not answer delays those who need a name of it, no longer than they say, and nobody else.
. "${0%/*}/lib.sh"
need_apart
compile family
cp /etc/passwd "$DIR/passwd"
mkfifo "$DIR/nobody-answers"
effd_start <<TREE
version: 1
defaults: {restart: no}
units:
  other: {command: $DIR/bin/family}
  again: {type: oneshot, command: 'true', activate: manual}
  number: {type: oneshot, command: 'true', group: "12345", activate: manual}
  named: {command: $DIR/bin/family, user: nobody, activate: manual, start_timeout: 1h}
  limited: {command: $DIR/bin/family, user: nobody, activate: manual, start_timeout: 300ms}
TREE
mount --bind "$DIR/nobody-answers" /etc/passwd || skip "cannot mount"
expect_exit 0 ctl start --no-wait named
expect_exit 0 ctl start --no-wait limited
old=$(pid_of other)
expect_exit 0 ctl restart other
[ "$(pid_of other)" != "$old" ] || fail "other was not restarted"
expect_exit 0 ctl start again
expect_exit 0 ctl start number
# A reload looks whether the users are there; it waits, beside the units.
ctl_in_place reload >"$DIR/reload.txt" 2>&1 &
reload=$!
expect_exit 0 ctl restart other
wait_for failed limited
same "one that waits no longer than it says" "$(field limited .last_exit.kind)" start_timeout
same "one that waits" "$(field named '"\(.state) \(.pid)"')" "starting null"
expect_exit 0 ctl stop named
same "one that is stopped meanwhile" "$(field named '"\(.state) \(.pid)"')" "down null"

# Whoever still asks gets an answer.
umount --lazy /etc/passwd
exec {answer}<>"$DIR/nobody-answers"
exec {answer}>&-
wait "$reload" || fail "the reload failed: $(<"$DIR/reload.txt")"
expect_exit 0 ctl start named limited
same "whose they are" "$(stat -c %U "/proc/$(pid_of named)")" nobody
same "what is left of the first starts" "$(processes_of family | wc -l)" 3
effd_stop
