#!/bin/bash
# SPDX-License-Identifier: MIT
# What other supervisors read becomes a tree that is checked and runs: each kind with programs that are there. What cannot
# come along is told, on the standard error or in the document, and ends with 1.
. "${0%/*}/lib.sh"
unset PORT

imported() { # KIND FILE…: to $TREE, without a word of errors; effctl check takes it
	expect_exit 0 "$BUILD/effctl" import "$@"
	echo "$OUT" >"$TREE"
	expect_exit 0 "$BUILD/effctl" check --strict "$TREE"
}
runs() { effd_start <"$TREE.new"; }
run_imported() { # KIND FILE…
	imported "$@"
	cp "$TREE" "$TREE.new"
	runs
}

# ── supervisord, with a file that is included ──

mkdir conf.d
cat >supervisord.conf <<'INI'
[supervisord]
environment=COLOUR="blue"
[program:web]
command=/bin/sh -c 'echo "web $COLOUR %(process_num)d"; exec sleep 1000000'   ; stays
numprocs=2
process_name=%(program_name)s_%(process_num)02d
startsecs=0
[include]
files = conf.d/*.ini
INI
cat >conf.d/once.ini <<'INI'
[program:once]
command=/bin/sh -c "pwd; exit 2"
directory=/usr
exitcodes=0,2
autorestart=unexpected
startsecs=0
[program:later]
command=/bin/sleep 1000000
autostart=false
INI
expect_exit 0 "$BUILD/effctl" import supervisord supervisord.conf
matches "the report" "$ERR" '^supervisord.conf:7: assumed: web: startsecs: '
echo "$OUT" >"$TREE.new"
runs
wait_for up web web/web_00 web/web_01
wait_for done once
same "a program that is not to start" "$(state later)" down
matches "the environment of all" "$(ctl logs web/web_01)" 'web blue 1$'
matches "the folder" "$(ctl logs once)" '/usr$'
effd_stop

# Where nothing is included, that is said.
printf '[program:a]\ncommand=/bin/true\n[include]\nfiles = none.d/*.conf\n' >none.conf
expect_exit 0 "$BUILD/effctl" import supervisord none.conf
matches "a pattern that matches nothing" "$ERR" '^none.conf:4: no equal: no file matches `none.d/\*.conf`$'

# ── Compose ──

cat >compose.yaml <<'YAML'
services:
  migrate:
    command: sh -c "echo migrated > $DIR/migrated"
  web:
    command: ["sh", "-c", "cat $DIR/migrated; echo 'costs 5$$'; exec sleep 1000000"]
    restart: always
    depends_on: {migrate: {condition: service_completed_successfully}}
    healthcheck: {test: "test -e $DIR/migrated", interval: 1s}
YAML
run_imported compose compose.yaml
wait_for up web
same "what others wait for" "$(state migrate)" "done"
matches "a dollar" "$(ctl logs web)" 'costs 5\$'
effd_stop

# ── a Procfile ──

cat >Procfile <<'PROCFILE'
web: echo "port $PORT of $NAME" && exec sleep 1000000
worker: sleep 1000000
PROCFILE
echo "NAME=shop" >.env
run_imported procfile Procfile
wait_for up web worker
await_output() { ctl logs web | grep -q 'port 5000 of shop$'; }
eventually await_output
effd_stop

# ── systemd ──

cat >db.service <<UNIT
[Unit]
Description=The database
[Service]
Environment="GREETING=it is up"
ExecStart=/bin/sh -c 'echo "\$\$GREETING"; exec /bin/sleep 1000000'
ExecReload=/bin/kill -HUP \$MAINPID
[Install]
WantedBy=multi-user.target
UNIT
cat >web.service <<UNIT
[Unit]
Requires=db.service
After=db.service network.target
[Service]
Type=oneshot
RemainAfterExit=yes
Environment=A=one "B=two words"
ExecStartPre=-/bin/false
ExecStartPre=/bin/sh -c 'exit 0'
ExecStart=/usr/bin/printf '<%%s>' \${A} \$B
[Install]
WantedBy=multi-user.target
UNIT
run_imported systemd db.service web.service
wait_for up db web
printed() { ctl logs web | grep -q '<one><two><words>$'; }
eventually printed
matches "an environment" "$(ctl logs db)" 'it is up$'
effd_stop

# ── what cannot come along ──

expect_exit 1 "$BUILD/effctl" import compose /nonexistent.yaml
same "nothing was printed" "$OUT" ""
matches "a file that is not there" "$ERR" '^/nonexistent.yaml: refused: cannot read it: No such file'
printf 'services:\n  a: {command: sleep 1}\n  b: {image: x}\n' >some.yaml
expect_exit 1 "$BUILD/effctl" --json import compose some.yaml
same "what was refused" "$(jq -r '.report[] | "\(.kind) \(.file) \(.line) \(.unit)"' <<<"$OUT")" "refused some.yaml 3 b"
same "the rest" "$(jq -c '.tree.units' <<<"$OUT")" '{"a":{"command":["sleep","1"]}}'
jq .tree <<<"$OUT" >"$TREE"
expect_exit 0 "$BUILD/effctl" check "$TREE"
expect_exit 2 "$BUILD/effctl" import cobol some.yaml
matches "the kinds" "$ERR" '^  supervisord '
expect_exit 2 "$BUILD/effctl" import compose
