#!/bin/bash
# SPDX-License-Identifier: MIT
# A log on a file system that does not answer holds up nothing, its unit's end and effd's no longer than a second; logs in
# other folders are written.
. "${0%/*}/lib.sh"
need_apart
compile family
mkdir "$DIR/logs"
mount_hanging

effd_start <<TREE
version: 1
defaults: {restart: no}
units:
  hung: {shell: 'echo one; exec $DIR/bin/family', log: {stdout: {file: $DIR/mount/file}}}
  other: {shell: 'echo two; exec $DIR/bin/family', log: {stdout: {file: $DIR/logs/other.log}}}
  ends: {type: oneshot, command: echo three, activate: manual, log: {stdout: {file: $DIR/logs/ends.log}}}
TREE
await_held held
same "one whose log hangs is up" "$(state hung)" up
same "and what it says is seen" "$(ctl logs hung | grep -c one)" 1
expect_exit 0 ctl start ends
same "a log beside it" "$(<"$DIR/logs/ends.log")" three
expect_exit 0 ctl restart other
same "is written to" "$(grep -c two "$DIR/logs/other.log")" 2
expect_exit 0 ctl restart hung
same "it is started anew" "$(field hung .starts)" 2
expect_exit 0 ctl stop hung
same "and stopped" "$(state hung)" down
expect_exit 0 ctl start hung
expect_exit 0 ctl shutdown
await_line "$DIR/effd.log" 'bytes lost: cannot write .*/mount/file: the disk does not answer'
# A process whose thread the kernel does not let go is there until it does.
echo go >&"$ORDERS"
effd_ended 0
unmount_hanging
