#!/usr/bin/env bash
# Starts programs of Debian that embed CPython, gives each a small workload, and has pygc look at them:
# the running process, a core of it, the core by the audit. They are healthy, so that whatever pygc says has to
# be true.
#   tools/programs.sh            all: gdb vim uwsgi apache2 postgresql ipykernel
#   tools/programs.sh vim gdb    these
# Needs root, for the packages and for processes of other users. Prints a table and what was found; a
# program that could not be started is in the table with the reason. Fails when there is one, or when a
# check is not clean. What was said of each stays in build/programs.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
packages=(gdb vim-nox uwsgi-core uwsgi-plugin-python3 apache2 libapache2-mod-wsgi-py3
  postgresql postgresql-plpython3-15 python3-ipykernel python3-jupyter-client curl)
pygc=build/release/bin/pygc
out=build/programs
seconds=600 # how long a program waits at most
failed=0
# Other users must be able to read what they run.
work=$(mktemp -d)
chmod 755 "$work"
cp tests/programs/* "$work/"

started=() # processes to end, each by its id
trap 'end_all; rm -rf "$work"' EXIT
end_all() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do
    timeout 20 tail --pid="$pid" -f /dev/null || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  started=()
}

# wait_until COMMAND...: for a minute at most
wait_until() {
  local i
  for ((i = 0; i < 600; ++i)); do
    ! "$@" >/dev/null 2>&1 || return 0
    sleep 0.1
  done
  return 1
}
children_of() { ps -o pid= --ppid "$1" | tr -d ' '; }

# Each start_NAME sets `pids` to what is to be looked at, as ROLE=PID, or fails and leaves the reason in
# $work/said. What a program reads from is `input`, which never ends.
mkfifo "$work/input"
exec {input}<>"$work/input"

start_gdb() {
  gdb -nx -q -iex 'set debuginfod enabled off' -x "$work/debugger.py" <&"$input" >"$work/said" 2>&1 &
  started+=($!)
  pids=(gdb=$!)
  wait_until grep -q READY "$work/said"
}

start_vim() {
  vim -u NONE -N -e -s -c "py3 import sys; sys.path.insert(0, '$work')" \
    -c 'py3 import vim, workload; held = [vim.current.buffer, vim.windows[0], vim.vars, vim.current.range]' \
    -c 'py3 vim.command("let g:answer = py3eval(\"[1, {}]\")")' \
    -c "py3 open('$work/ready', 'w').write('x')" <&"$input" >"$work/said" 2>&1 &
  started+=($!)
  pids=(vim=$!)
  wait_until test -s "$work/ready"
}

start_uwsgi() {
  uwsgi --plugins python3 --socket "$work/socket" --http-socket 127.0.0.1:8931 --master --processes 1 --threads 2 \
    --enable-threads --die-on-term --manage-script-name --mount "/one=$work/wsgi.py" --mount "/two=$work/wsgi.py" \
    <&"$input" >"$work/said" 2>&1 &
  local master=$!
  started+=("$master")
  wait_until curl -sf http://127.0.0.1:8931/one || return 1
  curl -sf http://127.0.0.1:8931/two >/dev/null || return 1
  pids=("worker=$(children_of "$master" | head -1)" "master=$master")
}

start_apache2() {
  cat >"$work/httpd.conf" <<END
ServerRoot $work
ServerName localhost
PidFile $work/httpd.pid
Listen 127.0.0.1:8932
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule wsgi_module /usr/lib/apache2/modules/mod_wsgi.so
StartServers 1
ServerLimit 1
ErrorLog $work/said
User www-data
Group www-data
WSGIDaemonProcess daemon processes=1 threads=3 display-name=daemon
WSGIScriptAlias /one $work/wsgi.py application-group=one
WSGIScriptAlias /two $work/wsgi.py application-group=two
WSGIScriptAlias /main $work/wsgi.py application-group=%{GLOBAL}
WSGIScriptAlias /three $work/wsgi.py process-group=daemon application-group=three
WSGIScriptAlias /four $work/wsgi.py process-group=daemon application-group=four
<Directory $work>
  Require all granted
</Directory>
END
  apache2 -d "$work" -f "$work/httpd.conf" -DFOREGROUND <&"$input" >"$work/output" 2>&1 &
  local master=$! path pid
  started+=("$master")
  for path in one two main three four; do
    wait_until curl -sf "http://127.0.0.1:8932/$path" || return 1
  done
  pids=()
  for pid in $(children_of "$master"); do
    if grep -q daemon "/proc/$pid/cmdline"; then
      pids+=("daemon=$pid")
    else
      pids+=("embedded=$pid")
    fi
  done
}

start_postgresql() {
  local bin
  bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
  install -d -o postgres "$work/database"
  runuser -u postgres -- "$bin/initdb" -D "$work/database/data" >"$work/said" 2>&1 || return 1
  runuser -u postgres -- "$bin/postgres" -D "$work/database/data" -k "$work/database" -h '' \
    <&"$input" >"$work/said" 2>&1 &
  started+=($!)
  wait_until runuser -u postgres -- "$bin/psql" -h "$work/database" -c 'SELECT 1' || return 1
  runuser -u postgres -- "$bin/psql" -h "$work/database" -At -v "folder=$work" -v ON_ERROR_STOP=1 -f "$work/plpython.sql" \
    -c "SELECT 'backend ' || pg_backend_pid()" -c "SELECT pg_sleep($seconds)" >"$work/session" 2>&1 &
  started+=($!)
  wait_until grep -q '^backend' "$work/session" || { cat "$work/session" >>"$work/said"; return 1; }
  pids=("backend=$(sed -n 's/^backend //p' "$work/session")")
}

start_ipykernel() {
  /usr/bin/python3 "$work/kernel.py" "$seconds" <&"$input" >"$work/said" 2>&1 &
  started+=($!)
  wait_until grep -q '^kernel [0-9]' "$work/said" || return 1
  pids=("kernel=$(sed -n 's/^kernel //p' "$work/said")" "client=$!")
  started+=("${pids[0]#*=}")
}

look_at() { # PROGRAM ROLE PID
  local to=$out/$1-$2
  "$pygc" check --pid "$3" --json --output "$to-running.json" 2>"$to-running.err" || true
  gcore -o "$work/core" "$3" >"$to-gcore.log" 2>&1 || true
  "$pygc" check "$work/core.$3" --json --output "$to-core.json" 2>"$to-core.err" || true
  "$pygc" audit "$work/core.$3" --json --output "$to-audit.json" 2>"$to-audit.err" || true
  if [ -n "${PYGC_KEEP_CORES:-}" ]; then mv "$work/core.$3" "$to.core"; else rm -f "$work/core.$3"; fi
  # The host's own Python reads the documents.
  /usr/bin/python3 tests/programs/row.py "$1" "$2" "$to" || failed=1
}

install_packages "${packages[@]}"
build release pygc pygc-replayer-native pygc-replayer-emulated
rm -rf "$out"
mkdir -p "$out"
export PYGC_CACHE_DIR=$PWD/$out/cache
[ $# -gt 0 ] || set -- gdb vim uwsgi apache2 postgresql ipykernel
say "programs"
echo "| program | version | process | interpreters | objects | running | its core | audit |"
echo "|---|---|---|---|---|---|---|---|"
for program in "$@"; do
  rm -f "$work/said" "$work/ready" "$work/session"
  pids=()
  if "start_$program" && [ ${#pids[@]} -gt 0 ]; then
    for each in "${pids[@]}"; do look_at "$program" "${each%%=*}" "${each#*=}"; done
  else
    echo "| $program | not started: $(tail -n 1 "$work/said" 2>/dev/null | cut -c 1-120 | tr '|' ' ') | | | | | | |"
    failed=1
  fi
  end_all
done
exit "$failed"
