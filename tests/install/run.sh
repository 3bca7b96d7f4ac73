#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# run.sh CMAKE BUILD_DIR DRIVER_DIR LIBDIR
set -euo pipefail
cmake=$1 build=$2 driver=$3 libdir=$4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cmake" --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/undis"

"$cmake" -G Ninja -S "$driver" -B "$work/by-cmake" -DCMAKE_PREFIX_PATH="$work/undis" >/dev/null
"$cmake" --build "$work/by-cmake"

export PKG_CONFIG_PATH="$work/undis/$libdir/pkgconfig"
cc=$(pkg-config --variable=cc undis)
$cc -DNDIS630=1 -o "$work/by-pkg-config.so" "$driver/driver.c"

for image in "$work/by-cmake/driver.so" "$work/by-pkg-config.so"; do
  nm -D --defined-only "$image" | grep -q ' T DriverEntry$' || { echo "$image exports no DriverEntry"; exit 1; }
done
