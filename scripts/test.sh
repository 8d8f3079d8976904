# The test runner behind ./ff test. Sourced by ff.
#
# A suite is a script tests/suites/NN-name.sh. It runs from the repository's
# root, may print what it likes, and ends with a line 'N passed, N failed'
# (', N skipped' may follow). Its head says what it is for and what it needs:
#   # suite: the sentence that --list shows
#   # needs: parts of scripts/setup/ beyond the engine
#   # by name only        (it is long: a plain ./ff test leaves it out)
# In its environment: FLEETFLOW (the program) and FLEETFLOW_SAMPLES (the folder
# of sample data, if there is one).
# A suite without that line, or with an exit code its count does not explain,
# counts as one more failure: silence is no success.

suite_seconds_max=1500

suites() { find "$root/tests/suites" -name '[0-9][0-9]-*.sh' | sort; }
suite_name() { basename "$1" .sh | cut -d- -f2-; }
suite_script() { compgen -G "$root/tests/suites/[0-9][0-9]-$1.sh"; }
is_by_name_only() { grep -q '^# by name only' "$1"; }

list_suites() {
  local script
  while read -r script; do
    printf '  %-10s %s%s\n' "$(suite_name "$script")" "$(sed -n 's/^# suite: *//p' "$script")" \
      "$(is_by_name_only "$script" && echo ' (by name only)')"
  done < <(suites)
}

run_tests() {
  local scripts=() script word words=()
  if [[ ${1:-} == --list ]]; then
    list_suites
    return
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
  ((${#scripts[@]})) || mapfile -t scripts < <(while read -r script; do is_by_name_only "$script" || echo "$script"; done < <(suites))

  local needs
  read -ra needs < <(for script in "${scripts[@]}"; do needs_of "$script"; done | tr '\n' ' ') || true # no newline at the end
  prepare release engine "${needs[@]}"

  export FLEETFLOW=$program
  local samples=$root/../shared/data
  if [[ -z ${FLEETFLOW_SAMPLES:-} && -d $samples ]]; then FLEETFLOW_SAMPLES=$(cd "$samples" && pwd); fi
  export FLEETFLOW_SAMPLES=${FLEETFLOW_SAMPLES:-}
  [[ -n $FLEETFLOW_SAMPLES ]] || note "no sample data (FLEETFLOW_SAMPLES is unset and ../shared/data absent): tests that need it are skipped"

  set --
  local i count=${#scripts[@]} table=() total=(0 0 0)
  for ((i = 0; i < count; i++)); do
    ((i < count - 1)) || set -- "${words[@]}"
    run_suite "[$((i + 1))/$count] $(suite_name "${scripts[i]}")" "${scripts[i]}" "$@"
  done
  printf '\n%-12s %8s %8s %8s %8s\n' suite passed failed skipped seconds
  printf '%-12s %8d %8d %8d %8d\n' "${table[@]}"
  echo
  echo "${total[0]} passed, ${total[1]} failed$( ((total[2])) && echo ", ${total[2]} skipped")"
  ((total[1] == 0))
}

# run_suite LABEL SCRIPT WORD...: adds to run_tests' table and total.
run_suite() {
  local label=$1 script=$2 started=$SECONDS status=0 name passed=0 failed=0 skipped=0
  name=$(suite_name "$script")
  local log=$logs/$name.log
  mkdir -p "$logs"
  : >"$log"
  [[ -t 2 ]] || note "$label"
  (cd "$root" && exec timeout --kill-after=10 "$suite_seconds_max" bash "$script" "${@:3}") >"$log" 2>&1 </dev/null &
  watch "$label" "$!" "$log" || status=$?

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
  echo "$label: $passed passed, $failed failed, $skipped skipped in $((SECONDS - started)) s"
  table+=("$name" "$passed" "$failed" "$skipped" "$((SECONDS - started))")
  total=($((total[0] + passed)) $((total[1] + failed)) $((total[2] + skipped)))
}
