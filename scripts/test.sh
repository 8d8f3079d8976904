# The test runner behind ./ff test. Sourced by ff.
#
# A suite is a script tests/suites/NN-name.sh. It runs from the repository's
# root, may print what it likes, and ends with a line 'N passed, N failed'
# (', N skipped' may follow). Its head says what it is for and what it needs:
#   # suite: the sentence that --list shows
#   # needs: parts of scripts/setup/ beyond the engine
#   # seconds: about how long it takes; the longest begin first, so that the lanes end together
#   # alone               (it measures time or wants all cores: nothing runs beside it)
#   # by name only        (it is long: a plain ./ff test leaves it out)
# In its environment: FLEETFLOW (the program) and FLEETFLOW_SAMPLES (the folder
# of sample data, if there is one).
# Suites run beside each other, in lanes. So each writes into a folder made for
# it, or to a place below build/ that no other suite names, and takes its ports
# from free_ports (scripts/stack/server.py).
# A suite without that closing line, or with an exit code its count does not explain,
# counts as one more failure: silence is no success.

suite_seconds_max=1500
lanes_max=3 # unless asked for: some suites start servers

suites() { find "$root/tests/suites" -name '[0-9][0-9]-*.sh' | sort; }
suite_name() { basename "$1" .sh | cut -d- -f2-; }
suite_script() { compgen -G "$root/tests/suites/[0-9][0-9]-$1.sh"; }
is_by_name_only() { grep -q '^# by name only' "$1"; }
is_alone() { grep -q '^# alone' "$1"; }
seconds_of() { sed -n 's/^# seconds: *//p' "$1" | grep . || echo 0; }

# longest_first SCRIPT...: their indices; those that run alone come last.
longest_first() {
  local i scripts=("$@")
  for ((i = 0; i < $#; i++)); do
    echo "$(is_alone "${scripts[i]}" && echo 1 || echo 0) $(seconds_of "${scripts[i]}") $i"
  done | sort -k 1,1n -k 2,2nr -k 3,3n | cut -d' ' -f3
}

list_suites() {
  local script
  while read -r script; do
    printf '  %-10s %s%s\n' "$(suite_name "$script")" "$(sed -n 's/^# suite: *//p' "$script")" \
      "$(is_by_name_only "$script" && echo ' (by name only)')"
  done < <(suites)
}

run_tests() {
  local scripts=() order=() words=() script word lanes
  lanes=$(($(nproc) < lanes_max ? $(nproc) : lanes_max))
  if [[ ${1:-} == --list ]]; then
    list_suites
    return
  elif [[ ${1:-} == --lanes ]]; then
    [[ ${2:-} =~ ^[1-9][0-9]?$ ]] || { note "ff: --lanes wants a number"; exit 2; }
    lanes=$2
    shift 2
  fi
  while (($#)) && script=$(suite_script "$1"); do
    scripts+=("$script")
    shift
  done
  for word in "$@"; do # A suite runs from the root; a path was meant from here.
    if [[ -e $word ]]; then words+=("$(realpath "$word")"); else words+=("$word"); fi
  done
  if ((${#words[@]} && !${#scripts[@]})); then
    note "ff: no suite called '${words[0]}'; there are:"
    list_suites >&2
    exit 2
  fi
  if ((${#scripts[@]})); then
    order=("${!scripts[@]}")
  else
    mapfile -t scripts < <(while read -r script; do is_by_name_only "$script" || echo "$script"; done < <(suites))
    mapfile -t order < <(longest_first "${scripts[@]}")
  fi

  local needs
  read -ra needs < <(for script in "${scripts[@]}"; do needs_of "$script"; done | tr '\n' ' ') || true # no newline at the end
  prepare release engine "${needs[@]}"

  export FLEETFLOW=$program
  local samples=$root/../shared/data
  if [[ -z ${FLEETFLOW_SAMPLES:-} && -d $samples ]]; then FLEETFLOW_SAMPLES=$(cd "$samples" && pwd); fi
  export FLEETFLOW_SAMPLES=${FLEETFLOW_SAMPLES:-}
  [[ -n $FLEETFLOW_SAMPLES ]] || note "no sample data (FLEETFLOW_SAMPLES is unset and ../shared/data absent): tests that need it are skipped"

  local started=$SECONDS rows=() total=(0 0 0)
  run_suites
  printf '\n%-12s %8s %8s %8s %8s\n' suite passed failed skipped seconds
  printf '%s\n' "${rows[@]}"
  printf '\n%d s, lanes: %d\n' "$((SECONDS - started))" "$lanes"
  echo "${total[0]} passed, ${total[1]} failed$( ((total[2])) && echo ", ${total[2]} skipped")"
  ((total[1] == 0))
}

# run_suites: run_tests' scripts in its order, beside each other in its lanes; the words go to the last one.
run_suites() {
  local count=${#order[@]} begun=0 ended=0 ticks=0 i pid status given
  local -A running=() begun_at=() # by process: which script, since when
  mkdir -p "$logs"
  trap 'kill "${!running[@]}" 2>/dev/null || true; exit 130' INT TERM
  while ((ended < count)); do
    while ((begun < count)) && has_room "${scripts[order[begun]]}"; do
      i=${order[begun]} given=()
      ((++begun < count)) || given=("${words[@]}")
      [[ -t 2 ]] || note "[$begun/$count] $(suite_name "${scripts[i]}")"
      (cd "$root" && exec timeout --kill-after=10 "$suite_seconds_max" bash "${scripts[i]}" "${given[@]}") >"$(suite_log "${scripts[i]}")" 2>&1 </dev/null &
      running[$!]=$i begun_at[$!]=$SECONDS
    done
    show_running "$((ticks++))"
    for pid in "${!running[@]}"; do
      kill -0 "$pid" 2>/dev/null && continue
      status=0
      wait "$pid" || status=$?
      judge_suite "${running[$pid]}" "$status" "$((SECONDS - begun_at[$pid]))"
      unset "running[$pid]"
      ((++ended))
    done
  done
  trap - INT TERM
}

suite_log() { echo "$logs/$(suite_name "$1").log"; }

# has_room SCRIPT: whether it may begin beside those that run.
has_room() {
  local i
  ((${#running[@]})) || return 0
  ((${#running[@]} < lanes)) && ! is_alone "$1" || return
  for i in "${running[@]}"; do ! is_alone "${scripts[i]}" || return; done
}

# show_running TICK: on a terminal one line that moves; elsewhere a line every half minute.
show_running() {
  local marks='|/-\' pid line=
  for pid in "${!running[@]}"; do line+="${line:+, }$(suite_name "${scripts[running[$pid]]}") $((SECONDS - begun_at[$pid])) s"; done
  if [[ -t 2 ]]; then
    printf '\r\033[K%s [%s/%s] %s' "${marks:$1%4:1}" "$ended" "$count" "$line" >&2
    sleep 0.5
  else
    (($1 == 0 || $1 % 150)) || note "  still at it: $line"
    sleep 0.2
  fi
}

# judge_suite INDEX EXIT-STATUS SECONDS: says how it went; adds to run_tests' rows and total.
judge_suite() {
  local script=${scripts[$1]} status=$2 seconds=$3 name log passed=0 failed=0 skipped=0
  name=$(suite_name "$script") log=$(suite_log "$script")
  [[ -t 2 ]] && printf '\r\033[K' >&2

  local line='^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$'
  if [[ $(grep -E "$line" "$log" | tail -n 1) =~ $line ]]; then
    passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]} skipped=${BASH_REMATCH[4]:-0}
    ((status == 0 || failed > 0)) || failed=1
  else
    note "$name ended (exit $status) without saying 'N passed, N failed'"
    failed=1
  fi
  if ((failed)); then
    tail -n 40 "$log" | sed 's/^/    /'
    echo "    ... the whole log: ${log#"$root/"}"
  fi
  echo "$name: $passed passed, $failed failed, $skipped skipped in $seconds s"
  rows[$1]=$(printf '%-12s %8d %8d %8d %8d' "$name" "$passed" "$failed" "$skipped" "$seconds")
  total=($((total[0] + passed)) $((total[1] + failed)) $((total[2] + skipped)))
}
