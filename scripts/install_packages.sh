#!/usr/bin/env bash
# install_packages.sh SET...: makes sure that the Debian packages of these sets (build, test, fuzz) are there.
# Installs only what is missing; silent, and without the network, when nothing is.
set -euo pipefail

build="g++ meson ninja-build pkg-config libevent-dev libnghttp2-dev libssl-dev libyaml-cpp-dev libcli11-dev libfmt-dev libspdlog-dev
       nlohmann-json3-dev prometheus-cpp-dev libsystemd-dev"
test="doctest-dev python3 python3-pytest python3-pytest-xdist gunicorn python3-flask python3-uvicorn python3-websockets python3-yaml
      curl openssl node-llhttp nghttp2-client python3-h2 prometheus systemd chromium fonts-liberation testssl.sh"
fuzz="clang libclang-rt-14-dev"

wanted=()
for set in "$@"; do
    case $set in
        build) wanted+=($build) ;;
        test)
            wanted+=($test)
            command -v node >/dev/null || wanted+=(nodejs)
            command -v npm >/dev/null || wanted+=(npm)
            ;;
        fuzz) wanted+=($fuzz) ;;
        *) echo "install_packages.sh: no such set: $set" >&2; exit 2 ;;
    esac
done

installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p' || true)
missing=()
for package in "${wanted[@]}"; do
    grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
