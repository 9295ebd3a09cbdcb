#!/bin/sh
# For `meson install`: the configuration to begin with, unless there is one already.
set -eu
target=${DESTDIR:-}/etc/weir/weir.yaml
[ -e "$target" ] || install -D -m 0644 "$(dirname "$0")/../conf/installed.yaml" "$target"
