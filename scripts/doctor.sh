# ./ff doctor: each thing FleetFlow needs, whether it is here, and what to do.
# Sourced by ff. Asks no network and changes nothing.

# What a bare machine needs for everything, measured with the parts all in place.
free_gb_min=10
memory_gb_min=4

examine() {
  local ill=0 part system
  system=$(. /etc/os-release 2>/dev/null && echo "${PRETTY_NAME:-unknown}")
  if [[ $system == *bookworm* ]]; then present "system" "$system"; else wrong "system" "$system" "set-up is made for Debian 12"; fi
  if [[ $(uname -m) == x86_64 ]]; then present "processor" "x86_64, $(nproc) cores"
  else absent "processor" "$(uname -m)" "the pinned DuckDB is built for x86_64"; fi
  if ((EUID == 0)) || command -v sudo >/dev/null; then present "rights" "root or sudo"
  else wrong "rights" "neither root nor sudo" "only needed while a package below is missing"; fi
  examine_size "free disk" "$(df --output=avail -B1G "$root" | tail -n 1)" "$free_gb_min" "make room, or ./ff clean"
  examine_size "memory" "$(awk '/MemTotal/ {print int($2 / 1048576)}' /proc/meminfo)" "$memory_gb_min" "builds and tests may be slow or fail"

  examine_packages base yes
  examine_packages engine yes
  examine_part engine yes
  for part in $(parts); do
    case $part in base | engine | tools | npm) continue ;; esac
    examine_packages "$part" no
    examine_part "$part" no
  done

  if [[ -x $program ]]; then present "program" "${program#"$root/"}"
  else wrong "program" "not built yet" "./ff build"; fi
  local samples=${FLEETFLOW_SAMPLES:-$root/../shared/data}
  if [[ -d $samples ]]; then present "samples" "$samples"
  else wrong "samples" "$samples is absent" "optional; tests that need it are skipped"; fi
  ((ill == 0)) || exit "$exit_missing"
}

line() { printf '%-8s %-18s %s%s\n' "$1" "$2" "$3" "${4:+  -> $4}"; }
present() { line ok "$@"; }
wrong() { line note "$@"; }
absent() {
  line MISSING "$@"
  ill=1
}

examine_size() { # NAME GB GB_MIN WHAT_TO_DO
  if (($2 >= $3)); then present "$1" "$2 GB"; else wrong "$1" "$2 GB, $3 wanted" "$4"; fi
}

examine_packages() { # PART NEEDED(yes, no)
  local package version
  for package in $(packages_of "$1"); do
    version=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$package" 2>/dev/null || true)
    if [[ $version == installed* ]]; then present "$package" "${version#* }"
    elif [[ $2 == yes ]]; then absent "$package" "not installed" "./ff setup $1"
    else wrong "$package" "not installed" "./ff setup $1 (comes by itself when needed)"; fi
  done
}

examine_part() { # PART NEEDED(yes, no)
  has_more_than_packages "$1" || return 0
  local state="not in place"
  [[ ! -e $stamps/$1 ]] || state="of an older set-up"
  if is_in_place "$1"; then present "part $1" "$(versions_of "$1")"
  elif [[ $2 == yes ]]; then absent "part $1" "$state" "./ff setup $1"
  else wrong "part $1" "$state" "./ff setup $1 (comes by itself when needed)"; fi
}

versions_of() { # PART
  if [[ $1 == engine ]]; then sed -n 's/^duckdb=/DuckDB /p; s/^duckdb_iceberg=/for Iceberg /p' "$(setup_file engine).sh" | paste -sd, | sed 's/,/, /; s/$/, simdjson 3.12.3/'
  elif [[ -e $(setup_file "$1").requirements ]]; then echo "$(grep -c '^[a-z0-9]' "$(setup_file "$1").requirements") Python packages"
  else echo "$(wc -l <"$(setup_file "$1").sha256") files"; fi
}
