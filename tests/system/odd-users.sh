#!/bin/bash
# SPDX-License-Identifier: MIT
# A user or group that is none never becomes root: what is no name and no id, and the number that means "leave it as it is", end
# the start; the largest ids are ids like others. A umask of 0 that effd was started with is nobody's.
. "${0%/*}/lib.sh"
need_root
compile world
odd=(-1 4294967295 4294967296 18446744073709551615 0day 0x0 +5 ' 5' 5.0 root/ ../root no-such 'nobody ')
units=
for i in "${!odd[@]}"; do
	units+="
  user$i: {command: $DIR/bin/world, user: \"${odd[i]}\"}
  group$i: {command: $DIR/bin/world, group: \"${odd[i]}\"}
  further$i: {command: $DIR/bin/world, user: nobody, supplementary_groups: [\"${odd[i]}\"]}"
done
large=(2147483647 2147483648 4294967294)
for id in "${large[@]}"; do
	units+="
  large$id: {command: $DIR/bin/world, user: \"$id\", group: \"$id\"}
  alone$id: {command: $DIR/bin/world, user: \"$id\", supplementary_groups: [\"$id\"]}"
done
cat >"$TREE" <<TREE
version: 1
defaults: {type: oneshot, log: {stdout: ring}, restart: no}
units:
  plain: {command: $DIR/bin/world}
  filed: {shell: 'echo a line', log: {stdout: {file: $DIR/logs/deep/filed}}}
  cleared: {command: $DIR/bin/world, user: nobody}$units
TREE
compile recorder
umask 0
effd_again
umask 022
eventually answers
settled() { ctl --json status | jq -e 'all(.units[]; .state | IN("done", "failed", "up"))' >/dev/null; }
eventually settled
ctl --json status >"$DIR/status.json"
same "odd ones that ran" "$(jq -c '[.units[] | select(.name | test("^(user|group|further)")) | select(.state != "failed" or .last_exit.kind != "exec_error") | .name]' "$DIR/status.json")" "[]"
same "their stages" "$(jq -c '[.units[] | select(.name | test("^(user|group|further)")) | .last_exit.text | split(":")[0]] | unique' "$DIR/status.json")" '["group","user"]'
world_of() { ctl --json logs "$1" | jq -r .text; }
for id in "${large[@]}"; do
	same "$id as both" "$(world_of "large$id" | grep -E '^([ug]ids|status Groups:)' | sed 's/ *$//' | sort)" \
		"gids $id $id $id"$'\n'"status Groups:"$'\n'"uids $id $id $id"
	matches "$id alone" "$(world_of "alone$id")" "^uids $id $id $id\$"
done
same "root's groups in one that is not root's" "$(world_of cleared | sed -n 's/^status Groups: //p' | grep -ow 0 || true)" ""

same "the umask of a child" "$(world_of plain | grep ^umask)" "umask 0022"
same "what others may write" "$(find "$DIR/logs" "$SOCKET" "$SOCKET.lock" -perm /022)" ""
same "the mode of the socket" "$(stat -c %a "$SOCKET")" 600
effd_stop
