#!/bin/bash
# Installs the Debian package of `make package` on a bare Debian in a folder, and analyses the demo
# network there. Needs root and debootstrap; takes the mirror that apt uses here.
set -euo pipefail
cd "$(dirname "$0")/.."

package=$(echo out/vigor_*.deb)
. /etc/os-release
mirror=$(apt-get indextargets --format '$(SITE)' "Created-By: Packages" "Codename: $VERSION_CODENAME" | head -1)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

debootstrap --variant=minbase "$VERSION_CODENAME" "$root" "$mirror" >"$root.log" || {
  tail "$root.log"
  exit 1
}
rm "$root.log"
# How apt reaches the mirror from here.
cp /etc/resolv.conf "$root/etc/"
cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
cp "$package" "$root/tmp/vigor.deb"

inside() {
  echo "\$ $*"
  chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
}
inside apt-get update -q
inside apt-get install -qq --no-install-recommends /tmp/vigor.deb dataset-fashion-mnist >/dev/null
inside vigor --version
inside vigor analyze /usr/share/vigor/lenet5_fashion_mnist.onnx \
  --data fashion-mnist --scale 1/255 --inputs 100 --audit 0.1% -o /tmp/demo.h5
inside vigor show /tmp/demo.h5
inside vigor report /tmp/demo.h5 -o /tmp/demo.html
inside test -s /usr/share/man/man1/vigor.1 -o -s /usr/share/man/man1/vigor.1.gz
inside test -s /usr/share/doc/vigor/copyright
