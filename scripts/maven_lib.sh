# Pinned Java parts: jars by Maven's own client, each checked by its SHA-256. Sourced by scripts/setup/PART.sh, which then
# stands in a folder of its own that goes with it.
#
# scripts/setup/PART.sha256 names every file, so a dependency that moved, came or went is an error, not a surprise.
# Maven's plugins are pinned by version; what they fetch for themselves stays in .deps/m2 and is never run by FleetFlow.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/scripts/lib.sh"
source "$root/scripts/setup.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

dependency_plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

maven() { mvn --quiet --batch-mode -Dmaven.repo.local="$root/.deps/m2" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn "$@"; }

# jars_with_dependencies FOLDER GROUP:NAME:VERSION...: everything they need at run time.
jars_with_dependencies() {
  local folder=$1 coordinate group name version
  shift
  {
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>fleetflow</groupId><artifactId>part</artifactId><version>1</version><dependencies>'
    for coordinate in "$@"; do
      IFS=: read -r group name version <<<"$coordinate"
      echo "<dependency><groupId>$group</groupId><artifactId>$name</artifactId><version>$version</version></dependency>"
    done
    echo '</dependencies></project>'
  } >pom.xml
  maven "$dependency_plugin:copy-dependencies" -DincludeScope=runtime -DoutputDirectory="$folder" ||
    give_up "$1 could not be had from Maven Central; is the network there?"
}

# one_artifact FOLDER GROUP:NAME:VERSION[:TYPE[:CLASSIFIER]]: that file alone.
one_artifact() {
  maven "$dependency_plugin:copy" -Dartifact="$2" -DoutputDirectory="$1" || give_up "$2 could not be had from Maven Central; is the network there?"
}

# checked_exactly PART FOLDER: the folder holds the files that PART.sha256 names, no other, with these contents. If not,
# build/logs/PART.sha256 says what it holds.
checked_exactly() {
  mkdir -p "$logs"
  (cd "$2" && LC_ALL=C sha256sum *) >"$logs/$1.sha256"
  diff "$(setup_file "$1").sha256" "$logs/$1.sha256" || give_up "the files of '$1' are not those that scripts/setup/$1.sha256 names (have: build/logs/$1.sha256)"
}

# put_in_deps FOLDER: in the place of the one under .deps/ of that name.
put_in_deps() { rm -rf "$root/.deps/$1" && mv "$1" "$root/.deps/$1"; }
