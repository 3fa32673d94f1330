#!/bin/bash
# SPDX-License-Identifier: MIT
# Real servers: nginx, redis-server and a worker that needs both, as Debian ships them.
. "${0%/*}/lib.sh"
need nginx redis-server redis-cli curl
compile serve
port=$("$DIR/bin/serve" 0 1)
mkdir "$DIR/www"
echo "the shop is open" >"$DIR/www/index.html"
cat >"$DIR/nginx.conf" <<NGINX
daemon off;
pid $DIR/nginx.pid;
error_log stderr;
env GREETING;
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
cat >"$DIR/worker.sh" <<WORKER
echo "page: \$(curl -s http://127.0.0.1:$port/)"
echo "count: \$(redis-cli -s $DIR/redis.sock incr jobs)"
exec tail -f /dev/null
WORKER
tree() { # GREETING
	cat <<TREE
version: 1
name: stack
defaults: {restart: {backoff: {initial: 50ms}}}
units:
  redis:
    command: [redis-server, --port, "0", --unixsocket, $DIR/redis.sock, --save, "", --appendonly, "no", --dir, $DIR/www]
    readiness_probe: {exec: {command: [redis-cli, -s, $DIR/redis.sock, ping]}, period: 5000ms, timeout: 5s}
  nginx:
    shell: 'echo "greets with \$GREETING"; exec nginx -e stderr -p $DIR/www -c $DIR/nginx.conf'
    environment: {GREETING: $1}
    stop: {signal: SIGQUIT}
    readiness_probe: {http_get: {port: $port}, period: 200ms, timeout: 1m}
  worker:
    shell: exec sh $DIR/worker.sh
    depends_on: [redis, nginx]
TREE
}

# Ready in order: what the worker needs is up before it begins.
effd_start < <(tree hello)
same "all is up" "$(ctl --json status | jq -r '.units | map(.state) | join(" ")')" "up up up up"
ctl --json events >"$DIR/events.json"
seq_of() { jq -s "map(select(.unit == \"$1\" and .event == \"state\" and .to == \"$2\"))[0].seq" "$DIR/events.json"; }
begun=$(seq_of worker starting)
[ "$(seq_of redis up)" -lt "$begun" ] && [ "$(seq_of nginx up)" -lt "$begun" ] ||
	fail "the worker began before redis and nginx were up: $(cat "$DIR/events.json")"
follow 2 '.text | startswith("page: ") or startswith("count: ")' logs -f worker >"$DIR/worker.json"
matches "what the worker got" "$(jq -r .text "$DIR/worker.json")" '^page: the shop is open$'
matches "what the worker got" "$(jq -r .text "$DIR/worker.json")" '^count: 1$'

# Killed: redis comes back, and only redis.
redis=$(pid_of redis) nginx=$(pid_of nginx) worker=$(pid_of worker)
seq=$(last_seq)
kill -KILL "$redis"
await_events 1 ".seq > $seq and .event == \"state\" and .to == \"up\"" redis >/dev/null
[ "$(pid_of redis)" != "$redis" ] || fail "redis has the pid that was killed"
same "redis' end" "$(field redis '.last_exit | "\(.kind) \(.signal) \(.code)"')" "signal SIGKILL null"
same "redis' restarts" "$(field redis .restarts)" 1
same "nginx is untouched" "$(pid_of nginx) $(field nginx .restarts)" "$nginx 0"
same "the worker is untouched" "$(pid_of worker) $(field worker .restarts)" "$worker 0"

# Another environment restarts nginx, and redis keeps its pid.
redis=$(pid_of redis)
tree welcome >"$TREE"
expect_exit 0 ctl --json reload
same "what reload says" "$(jq -c '.changes | map({unit, action, fields})' <<<"$OUT")" \
	'[{"unit":"nginx","action":"restart","fields":["environment"]}]'
wait_for up nginx
[ "$(pid_of nginx)" != "$nginx" ] || fail "nginx was not restarted"
nginx=$(pid_of nginx)
same "nginx' environments" "$(ctl --json logs nginx | jq -r .text | grep greets)" $'greets with hello\ngreets with welcome'
same "redis and the worker are untouched" "$(pid_of redis) $(pid_of worker)" "$redis $worker"
same "the page" "$(curl -s "http://127.0.0.1:$port/")" "the shop is open"

# A bad tree changes nothing, and says where it is bad.
tree again | sed -E 's/(period: [0-9]+)ms/\1/' >"$TREE"
expect_exit 1 ctl reload
matches "what is said of the bad tree" "$OUT$ERR" "tree\.yaml:7:[0-9]+: error\[E205\]"
matches "what is said of the bad tree" "$OUT$ERR" "tree\.yaml:12:[0-9]+: error\[E205\]"
same "nothing has changed" "$(pid_of redis) $(pid_of nginx) $(pid_of worker)" "$redis $nginx $worker"

effd_stop
for left in "$DIR/redis.sock" "$DIR/nginx.pid" "/proc/$redis" "/proc/$nginx" "/proc/$worker"; do
	[ ! -e "$left" ] || fail "$left is left"
done
