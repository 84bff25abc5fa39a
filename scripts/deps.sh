#!/bin/bash
# Installs what a Debian 12 lacks to build, test and run vigor. Does nothing when all is there.
set -euo pipefail

packages=(
  # build
  g++ make cmake ninja-build pkg-config libonnx-dev libprotobuf-dev protobuf-compiler libhdf5-dev
  libcli11-dev nlohmann-json3-dev libfmt-dev zlib1g-dev libjpeg-dev libpng-dev libssl-dev
  libopenmpi-dev openmpi-bin
  # test
  libgtest-dev libgmock-dev hdf5-tools libonnx-testdata clang-format clang-tidy
  python3-torch python3-onnx python3-numpy python3-h5py python3-pandas groff man-db zsh
  # bench: oneDNN is what we compare with; its CMake package asks for OpenCL
  libbenchmark-dev libdnnl-dev ocl-icd-opencl-dev
  # fuzz
  clang llvm libclang-rt-14-dev
  # docs: figures, pictures, the examples of docs/results.md
  python3-matplotlib python3-pil
  # make package, make package-check
  dpkg-dev debootstrap
  # demo
  dataset-fashion-mnist
)
# The page of `vigor report` is made by Node.js and tested in Chromium. Where these are there already,
# from wherever, Debian's packages might be in conflict with them.
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
command -v chromium >/dev/null || packages+=(chromium)

# What report/package-lock.json names; installed anew when that has changed.
install_node_modules() {
  cd "$(dirname "$0")/../report"
  cmp -s package-lock.json node_modules/installed-lock.json && return
  echo "deps: installing report/node_modules"
  npm ci
  cp package-lock.json node_modules/installed-lock.json
}

if ! type dpkg-query apt-get &>/dev/null; then
  echo "deps: this script knows Debian and its kin only; install the like of: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  install_node_modules
  exit 0
fi

root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || { echo "deps: run as root or install sudo" >&2; exit 1; }
  root=(sudo)
fi
echo "deps: installing ${missing[*]}"
"${root[@]}" apt-get update
"${root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install --yes --no-install-recommends "${missing[@]}"
install_node_modules
