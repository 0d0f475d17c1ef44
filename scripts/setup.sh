#!/usr/bin/env bash
# Installs the system packages that building and testing Unroll need (Debian 12, Ubuntu 24.04). LibTorch and clang-tidy
# are not among them: configuring fetches them.
set -euo pipefail

packages=(
  g++ cmake ninja-build              # build
  python3 python3-pip                # fetch LibTorch
  libbenchmark-dev libcxxopts-dev libfmt-dev libgtest-dev libhwy-dev libssl-dev nlohmann-json3-dev
  libgloo-dev iproute2               # training in several processes, and its test on two hosts
  gnuplot-nox                        # pictures of runs
  clang-format gcovr                 # format, coverage
  strace clang libclang-rt-dev       # reliability
)

if ! command -v apt-get >/dev/null; then
  echo "setup.sh: this system has no apt-get; install the equivalents of: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "setup.sh: every package is installed already"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "setup.sh: neither root nor sudo; have these packages installed: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "setup.sh: installing ${missing[*]}"
"${as_root[@]}" apt-get update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"
