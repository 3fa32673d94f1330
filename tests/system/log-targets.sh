#!/bin/bash
# SPDX-License-Identifier: MIT
# Syslog and the journal as targets: what arrives there; a host that is stopped makes the writer wait and nobody else, and gets
# every line; one that is gone costs lines, which are counted and said, and is found again.
. "${0%/*}/lib.sh"
need_apart
need mount
compile loghost
mkdir "$DIR/dev" "$DIR/run"
for device in null zero full random urandom tty; do
	touch "$DIR/dev/$device"
	mount --bind "/dev/$device" "$DIR/dev/$device" || skip "cannot mount"
done
ln -s /proc/self/fd "$DIR/dev/fd"
mount --rbind "$DIR/dev" /dev
mount --bind "$DIR/run" /run
mkdir -p /run/systemd/journal

host_start() { # SOCKET OUTPUT, sets HOST
	"$DIR/bin/loghost" "$1" >>"$2" &
	HOST=$!
}
host_start /dev/log "$DIR/syslog"
syslog=$HOST
host_start /run/systemd/journal/socket "$DIR/journal"
journal=$HOST
await_line "$DIR/syslog" '^bound$' >/dev/null
await_line "$DIR/journal" '^bound$' >/dev/null

cat >"$DIR/large.sh" <<'LARGE'
#!/bin/sh
head -c 3000000 /dev/zero | tr '\0' x
echo
LARGE
chmod +x "$DIR/large.sh"
line() { # FILE PATTERN, sets LINE
	await_line "$1" "$2" >"$DIR/line"
	LINE=$(<"$DIR/line")
}

new_fifo
gate=$FIFO
exec {words}<>"$gate"
effd_start <<TREE
version: 1
units:
  both:
    shell: 'echo hello; echo oops >&2; echo "<4>careful"; exec sleep 1000000'
    log: {stdout: journal, stderr: journal}
  old:
    shell: 'echo hello; echo oops >&2; exec sleep 1000000'
    log: {stdout: syslog, stderr: syslog}
  large:
    type: oneshot
    command: [$DIR/large.sh]
    log: {stdout: journal, max_line: 4MiB}
  flood:
    activate: manual
    shell: 'seq 1 20000; exec sleep 1000000'
    log: {stdout: syslog}
  speaks:
    shell: 'while read -r word; do echo "\$word"; done <$gate'
    log: {stdout: journal}
  other: {command: [sleep, "1000000"]}
TREE
line "$DIR/journal" '^file of'
large=$LINE
# Everything but the digits of the pid, which is there twice.
fixed=$(printf 'MESSAGE=\nPRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=large\nEFFD_UNIT=large\nEFFD_STREAM=stdout\nSYSLOG_PID=\nOBJECT_PID=\n' | wc -c)
digits=$((${large//[^0-9]/} - 3000000 - fixed))
[ "$digits" -ge 2 ] && [ "$digits" -le 14 ] && [ $((digits % 2)) -eq 0 ] || fail "the large one is a $large"
pid=$(pid_of both)
fields() { echo "PRIORITY=$1|SYSLOG_FACILITY=3|SYSLOG_IDENTIFIER=both|EFFD_UNIT=both|EFFD_STREAM=$2|SYSLOG_PID=$pid|OBJECT_PID=$pid|"; }
await_line "$DIR/journal" 'MESSAGE=careful' >/dev/null
line "$DIR/journal" 'MESSAGE=hello'
same "stdout in the journal" "$LINE" "MESSAGE=hello|$(fields 6 stdout)"
line "$DIR/journal" 'MESSAGE=oops'
same "stderr in the journal" "$LINE" "MESSAGE=oops|$(fields 3 stderr)"
same "its own priority" "$(grep MESSAGE=careful "$DIR/journal")" "MESSAGE=careful|$(fields 4 stdout)"
pid=$(pid_of old)
line "$DIR/syslog" hello
matches "stdout in syslog" "$LINE" "^<30>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} old\[$pid\]: hello\$"
line "$DIR/syslog" oops
matches "stderr in syslog" "$LINE" "^<27>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} old\[$pid\]: oops\$"
same "the ring has a copy" "$(ctl --json logs old | jq -r .text | sort)" $'hello\noops'

# ── a host that does not read ──

kill -STOP "$syslog"
expect_exit 0 ctl start --no-wait flood
flowing() { [ -n "$(ctl logs flood)" ]; }
eventually flowing
same "the others go on" "$(field other .state)" up
expect_exit 0 ctl restart other
kill -CONT "$syslog"
await_line "$DIR/syslog" ': 20000$' >/dev/null
sed -n 's/^<30>.* flood\[[0-9]*\]: //p; s/^<30>.* flood: //p' "$DIR/syslog" | cmp - <(seq 1 20000) ||
	fail "lines are missing in syslog"
same "none is lost" "$(field flood .log_lost_bytes)" 0

# ── a host that is gone ──

kill "$journal"
wait "$journal" || true
echo lost >&"$words"
await_events 1 '.event == "log_lost"' speaks >"$DIR/said"
matches "it is said" "$(<"$DIR/said")" 'cannot write to the journal: Connection refused'
same "and the unit goes on" "$(field speaks '"\(.state) \(.restarts)"')" "up 0"
[ "$(field speaks .log_lost_bytes)" -gt 0 ] || fail "it is not counted"
host_start /run/systemd/journal/socket "$DIR/journal"
again() {
	echo again >&"$words"
	grep -q '^MESSAGE=again|' "$DIR/journal"
}
eventually again
effd_stop
kill "$syslog" "$HOST"
wait "$syslog" "$HOST" || true
rm /dev/log /run/systemd/journal/socket
exec {words}>&-
