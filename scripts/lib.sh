# What the front door's scripts share: saying what happens, running long steps
# with visible progress, and giving up in one line.
# Sourced, never run; expects $root (the repository) to be set.
#
# Progress goes to stderr, so that `ff query ... > file` holds the answer only.
# On a terminal a step is one line that ticks; elsewhere (CI, a pipe) it is a
# plain line at its start, every half minute and at its end.

exit_missing=3 # something FleetFlow needs is absent and could not be had

logs=$root/build/logs

note() { printf '%s\n' "$*" >&2; }

# give_up MESSAGE: one line that names what is missing and what to do.
give_up() {
  note "ff: $*"
  exit "$exit_missing"
}

# A plan is a list of steps, known in full before the first one runs, so that
# each can say 'step n of m'. A step is a label and a command.
plan_labels=() plan_commands=()
plan() { # LABEL COMMAND...
  plan_labels+=("$1")
  plan_commands+=("$(printf '%q ' "${@:2}")")
}
run_plan() {
  local i count=${#plan_labels[@]}
  mkdir -p "$logs"
  ((count == 0)) || : >"$logs/setup.log"
  for ((i = 0; i < count; i++)); do
    run_step "[$((i + 1))/$count] ${plan_labels[i]}" "${plan_commands[i]}"
  done
  plan_labels=() plan_commands=()
}

# run_step LABEL COMMAND: a shell command whose words go to a log. When it fails
# its exit code is ours; it gave up in one line, or we show the end of its log.
run_step() {
  local label=$1 command=$2 started=$SECONDS status=0
  local log=$logs/setup.log
  printf '== %s\n' "$label" >>"$log"
  [[ -t 2 ]] || note "$label"
  (set -e; eval "$command") >>"$log" 2>&1 </dev/null &
  watch "$label" "$!" "$log" || status=$?
  if ((status == 0)); then
    note "$label: done in $((SECONDS - started)) s"
    return
  fi
  if ((status == exit_missing)); then
    note "$(grep '^ff: ' "$log" | tail -n 1) (log: ${log#"$root/"})"
  else
    tail -n 25 "$log" >&2
    note "ff: '${label#*] }' failed (exit $status); the whole log: ${log#"$root/"}"
  fi
  exit "$status"
}

# watch LABEL PID LOG: shows that a child lives until it ends; its exit status.
watch() {
  local label=$1 pid=$2 log=$3 started=$SECONDS marks='|/-\' tick=0 last
  trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    if [[ -t 2 ]]; then
      last=$(tail -n 1 "$log" | tr -d '\r' | cut -c 1-40)
      printf '\r\033[K%s %s %d s  %s' "${marks:tick++%4:1}" "$label" "$((SECONDS - started))" "$last" >&2
      sleep 0.5
    else
      sleep 0.2
      ((++tick % 150)) || note "  still at it after $((SECONDS - started)) s"
    fi
  done
  [[ -t 2 ]] && printf '\r\033[K' >&2
  trap - INT TERM
  wait "$pid"
}
