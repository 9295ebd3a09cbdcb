#!/usr/bin/env bash
# refresh_readme.sh [BINARY]: writes the table of all keys into README.md anew, from the binary (build/weir by default).
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${1:-build/weir}

table=$(mktemp)
trap 'rm -f "$table"' EXIT
"$binary" schema --markdown >"$table"
[ "$(grep -c -e '^<!-- keys -->$' -e '^<!-- end of keys -->$' README.md)" -eq 2 ] ||
    { echo "README.md lacks the markers of the table" >&2; exit 1; }
sed -i -e '/^<!-- keys -->$/,/^<!-- end of keys -->$/{/^<!--/!d}' \
    -e '/^<!-- keys -->$/{G;r '"$table"'
a\

}' README.md
