# What the front door's scripts share: saying what happens, giving up in one
# line, and the small Python environment that fetches everything else.
# Sourced, never run; expects $root (the repository) to be set.

missing_need=3 # exit code: something FleetFlow needs is absent and could not be had

say() { printf '%s\n' "$*"; }
give_up() { # One line, on stderr: what is missing and what to do.
  printf 'ff: %s\n' "$*" >&2
  exit "$missing_need"
}

# The first Python that can make a virtual environment.
python_of_house() {
  local candidate
  for candidate in python3.11 /usr/bin/python3 python3 python3.12 python3.13; do
    if "$candidate" -c 'import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  give_up "no Python 3.11 or newer with venv; try: apt-get install python3-venv"
}

# Path of the environment with pip, uv and (where the machine has none) npm.
tool_venv() {
  local venv=$root/.deps/venv-tools
  if [[ ! -e $venv/complete ]]; then
    rm -rf "$venv"
    "$(python_of_house)" -m venv "$venv" >&2
    local wanted=(-r "$root/scripts/requirements-tools.txt")
    command -v npm >/dev/null || wanted+=(-r "$root/scripts/requirements-npm.txt")
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps "${wanted[@]}" >&2 ||
      give_up "could not install uv from PyPI; is the package index reachable?"
    touch "$venv/complete"
  fi
  printf '%s\n' "$venv"
}
