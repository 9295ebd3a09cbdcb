#!/usr/bin/env bash
# container_root.sh FOLDER [BINARY]: the files of a container with weir in it, and nothing else: the binary
# (build/weir by default), the libraries that it needs, and the certificates that this machine trusts.
#   tar -C FOLDER -c . | docker import --change 'ENTRYPOINT ["/usr/bin/weir"]' --change 'USER 65534' - weir
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: container_root.sh FOLDER [BINARY]" >&2; exit 2; }
folder=$1
binary=${2:-$(dirname "$0")/../build/weir}

mkdir -p "$folder"/{etc/weir,tmp,run}
install -D -m 0755 "$binary" "$folder/usr/bin/weir"
ldd "$binary" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    install -D -m 0755 "$(readlink -f "$library")" "$folder$library"
done
certificates=/etc/ssl/certs/ca-certificates.crt
[ ! -e $certificates ] || install -D -m 0644 $certificates "$folder/usr/lib/ssl/cert.pem"
