#!/bin/bash
# SPDX-License-Identifier: MIT
# When effd itself is killed its children end with it, whoever they run as; the next effd starts as if nothing had been.
. "${0%/*}/lib.sh"
compile family notify
user=
[ "$(id -u)" -ne 0 ] || user=", user: nobody"
mkfifo "$DIR/alive"
chmod 666 "$DIR/alive"
cat >"$DIR/holder.sh" <<'HOLDER'
exec 9>"$1"
exec "$2" main=deaf
HOLDER
exec {alive}<> "$DIR/alive"
effd_start <<TREE
version: 1
units:
  own: {command: [sh, $DIR/holder.sh, $DIR/alive, $DIR/bin/family]}
  other: {command: [sh, $DIR/holder.sh, $DIR/alive, $DIR/bin/family]$user}
  told: {type: notify, command: [$DIR/bin/notify, READY=1]$user}
TREE
for unit in own other; do
	follow 1 '.text == "complete"' logs -f $unit >/dev/null
done
own=$(pid_of own) other=$(pid_of other)
same "both hold the FIFO" "$(readlink "/proc/$own/fd/9" "/proc/$other/fd/9" | sort -u)" "$DIR/alive"
exec {reader}<"$DIR/alive" {alive}>&-
kill -KILL "$EFFD"
effd_ended 137
# The end of the file comes with the end of the last of them.
read -r -t "$limit" _ <&"$reader" || [ $? -eq 1 ] || fail "a child outlives effd"
exec {reader}<&-
# Who has closed its files is about to end.
has_ended() { ! grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status"; }
for pid in $own $other; do
	eventually has_ended "$pid"
done
exec {alive}<> "$DIR/alive"
effd_again
await_notice READY=1
same "all is up again" "$(ctl --json status | jq -r '.units | map("\(.state) \(.starts)") | join(", ")')" "up 1, up 1, up 1, up 1"
[ "$(pid_of own)" != "$own" ] || fail "an old pid is shown"
effd_stop
exec {alive}>&-
same "what the killed one left beside the socket" "$(find "$DIR" -path "$SOCKET*")" ""
