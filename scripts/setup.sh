# Set-up: what FleetFlow needs, fetched once, pinned, and checked.
# Sourced by ff; expects lib.sh.
#
# A need is a *part*, up to three files in scripts/setup/:
#   PART.packages      Debian packages, one a line
#   PART.requirements  a Python environment, .deps/venv-PART: a lock with hashes
#   PART.sh            anything else, into .deps/
# What always holds: a part whose files have not changed since it was put in
# place costs nothing and asks no network; a part is in place wholly or not at
# all (its stamp is written last); nothing outside .deps/ is touched but
# Debian's own packages.

stamps=$root/.deps/stamps
# The least that every part's own set-up stands on.
base_part=base

setup_file() { printf '%s\n' "$root/scripts/setup/$1"; }
part_exists() { compgen -G "$(setup_file "$1").*" >/dev/null; }
parts() { find "$root/scripts/setup" -type f -printf '%f\n' | cut -d. -f1 | sort -u; }

packages_of() { sed -e 's/#.*//' -e '/^ *$/d' "$(setup_file "$1").packages" 2>/dev/null || true; }
missing_packages() { # PART...
  local part package
  for part in "$@"; do
    for package in $(packages_of "$part"); do
      dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' || echo "$package"
    done
  done | sort -u
}

# A part's stamp: its files' checksum, and where it lies (environments cannot be moved).
stamp_of() {
  { cat "$(setup_file "$1")".{requirements,sh,sha256} 2>/dev/null || true; echo "$root"; } | sha256sum | cut -d' ' -f1
}
is_in_place() { [[ "$(cat "$stamps/$1" 2>/dev/null)" == "$(stamp_of "$1")" ]]; }
has_more_than_packages() { [[ -e $(setup_file "$1").requirements || -e $(setup_file "$1").sh ]]; }

# plan_setup PART...: adds to the plan only what is not in place yet.
plan_setup() {
  local part missing=() planned=' '
  mapfile -t missing < <(missing_packages "$base_part" "$@")
  ((${#missing[@]} == 0)) || plan "Debian packages (${#missing[@]}: ${missing[0]} ...)" install_packages "${missing[@]}"
  for part in "$@"; do
    [[ $planned != *" $part "* ]] || continue
    planned+="$part "
    part_exists "$part" || { note "ff: no part called '$part'; there are: $(parts | tr '\n' ' ')"; exit 2; }
    if has_more_than_packages "$part" && ! is_in_place "$part"; then
      plan "Pinned parts: $part" put_in_place "$part"
    fi
  done
}

install_packages() {
  command -v apt-get >/dev/null || give_up "no apt-get here; FleetFlow sets itself up on Debian 12. Wanted: $*"
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || give_up "not root and no sudo; as root run: apt-get install $*"
    as_root=(sudo)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y)
  "${apt[@]}" update || note "the package lists could not be refreshed; trying with the old ones"
  "${apt[@]}" install --no-install-recommends "$@" ||
    give_up "Debian's packages could not be installed; is the network there? By hand: apt-get install $*"
}

put_in_place() { # PART
  local part=$1
  rm -f "$stamps/$part"
  [[ ! -e $(setup_file "$part").requirements ]] || make_venv "$part"
  [[ ! -e $(setup_file "$part").sh ]] || bash "$(setup_file "$part").sh"
  mkdir -p "$stamps"
  stamp_of "$part" >"$stamps/$part"
}

# The first Python with which environments can be made: Debian's or any other.
house_python() {
  local candidate
  for candidate in python3.11 /usr/bin/python3 python3; do
    if "$candidate" -c 'import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  give_up "no Python 3.11 or newer that can make environments; try: apt-get install python3-venv"
}

make_venv() { # PART: .deps/venv-PART with exactly what its lock names
  local venv=$root/.deps/venv-$1 tools
  tools=$(tools_venv)
  rm -rf "$venv"
  "$tools/bin/uv" venv --quiet --python "$(house_python)" "$venv"
  "$tools/bin/uv" pip sync --require-hashes --python "$venv/bin/python" "$(setup_file "$1").requirements" ||
    give_up "the Python packages of '$1' could not be had from PyPI; is the network there?"
}

# The environment with pip, uv and, where the machine has none, npm: it fetches all the others.
tools_venv() {
  local venv=$root/.deps/venv-tools
  if ! is_in_place tools || ! "$venv/bin/uv" --version >/dev/null 2>&1; then
    rm -rf "$venv"
    "$(house_python)" -m venv "$venv" >&2
    local locks=(-r "$(setup_file tools).requirements")
    command -v npm >/dev/null || locks+=(-r "$(setup_file npm).requirements")
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps "${locks[@]}" >&2 ||
      give_up "uv could not be had from PyPI; is the network there?"
    mkdir -p "$stamps"
    stamp_of tools >"$stamps/tools"
  fi
  printf '%s\n' "$venv"
}

# needs_of SCRIPT: the parts that its line '# needs: ...' names.
needs_of() { sed -n 's/^# needs: *//p' "$1" | head -n 1; }
