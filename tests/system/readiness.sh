#!/bin/bash
# SPDX-License-Identifier: MIT
# All the ways to be ready, with real programs: a daemon that puts itself into the background, a newline on a descriptor, a
# line of output, a file, a job that remains, something outside; and a program that changes its main process.
. "${0%/*}/lib.sh"
need nginx curl
compile serve family notify
port=$("$DIR/bin/serve" 0)
mkdir "$DIR/www"
echo open >"$DIR/www/index.html"
cat >"$DIR/nginx.conf" <<NGINX
pid $DIR/nginx.pid;
error_log $DIR/nginx.log;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path $DIR/www/body;
	proxy_temp_path $DIR/www/proxy;
	fastcgi_temp_path $DIR/www/fastcgi;
	uwsgi_temp_path $DIR/www/uwsgi;
	scgi_temp_path $DIR/www/scgi;
	server { listen 127.0.0.1:$port; root $DIR/www; }
}
NGINX
[ "$(id -u)" -ne 0 ] || sed -i '1i user root;' "$DIR/nginx.conf"
mkfifo "$DIR/newline" "$DIR/line" "$DIR/more"
effd_launch <<TREE
version: 1
units:
  nginx:
    type: forking
    command: [nginx, -e, $DIR/nginx.log, -p, $DIR/www, -c, $DIR/nginx.conf]
    pid_file: $DIR/nginx.pid
    restart: {backoff: {initial: 10ms}}
  newline: {type: notify-fd, notify_fd: 4, shell: 'read x <$DIR/newline; echo >&4; exec $DIR/bin/family'}
  line: {shell: 'read x <$DIR/line; echo "now listening on 80"; exec $DIR/bin/family', readiness_probe: {log: {match: listening on}}}
  file: {command: $DIR/bin/family, readiness_probe: {file: {path: $DIR/up}, period: 100ms, failure_threshold: 1}}
  remains: {type: oneshot, remain_after_exit: true, shell: 'echo on >$DIR/network', stop: {command: [rm, $DIR/network]}}
  outside: {readiness_probe: {tcp: {port: $port}, period: 100ms}}
  after: {command: $DIR/bin/family, depends_on: [nginx, newline, line, file, remains, outside]}
  moved: {type: notify, shell: '$DIR/bin/family & echo \$! >$DIR/child; $DIR/bin/notify "=READY=1;MAINPID=\$!" & read x <$DIR/more; exit 3', restart: no}
  watched: {command: [$DIR/bin/notify, "WATCHDOG=trigger"], watchdog: 1h, restart: no}
TREE
wait_for up nginx remains outside
same "who waits" "$(state newline) $(state line) $(state file) $(state after)" "starting starting starting waiting"
echo >"$DIR/newline"
echo >"$DIR/line"
: >"$DIR/up"
wait_for up newline line file after
same "the page" "$(curl -s "http://127.0.0.1:$port/")" open
nginx=$(pid_of nginx)
same "nginx' own pid" "$nginx" "$(cat "$DIR/nginx.pid")"
same "the job that remains" "$(field remains .pid) $(cat "$DIR/network")" "null on"

# What the file tells is watched on; a unit that is not ready any more is taken back and not killed.
pid=$(pid_of file)
rm "$DIR/up"
wait_for starting file
same "not ready, and there" "$(pid_of file)" "$pid"

# The one in the background is the one that counts: when it is killed, the unit is started anew.
seq=$(last_seq)
kill -KILL "$nginx"
await_events 1 ".seq > $seq and .event == \"state\" and .to == \"up\"" nginx >/dev/null
same "how it ended" "$(field nginx '.last_exit | "\(.kind) \(.signal)"')" "signal SIGKILL"
[ "$(pid_of nginx)" != "$nginx" ] || fail "nginx has the pid that was killed"

# Another main process, by its own word: the end of the first one is not the unit's.
wait_for up moved
same "the main process" "$(pid_of moved)" "$(cat "$DIR/child")"
echo >"$DIR/more"
kill -TERM "$(cat "$DIR/child")"
await_events 1 '.event == "state" and .to == "failed"' moved >/dev/null
same "how it ended" "$(field moved '.last_exit | "\(.kind) \(.signal)"')" "signal SIGTERM"

# A watchdog that is pulled ends its unit; WATCHDOG_USEC and NOTIFY_SOCKET are there without type: notify.
await_events 1 '.event == "state" and .to == "failed"' watched >/dev/null
same "why" "$(field watched .last_exit.kind)" watchdog

expect_exit 0 ctl stop nginx remains
same "what is stopped" "$(state nginx) $(state remains)" "down down"
[ ! -e "$DIR/network" ] || fail "the stop command of a job that remains did not run"
[ ! -e "$DIR/nginx.pid" ] || fail "nginx did not end well"
effd_stop
