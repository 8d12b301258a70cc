#!/usr/bin/env bash
# The three filters one after another: through folders of links, or (with --pipe) through pipes. Both keep the same images.
#
#     examples/chain.sh [--pipe] IMAGES OUTPUT
#
# JPEG comes first: the noise filter was trained on files of quality 80 and above.
set -euo pipefail
python=${PYTHON:-python3}
if [ $# -lt 2 ]; then
  echo "usage: $0 [--pipe] IMAGES OUTPUT" >&2
  exit 2
fi

if [ "${1:-}" = --pipe ]; then
  images=$2 output=$3
  find -L "$images" -type f -print0 | sort -z |
    "$python" -m cliqa.filter_low_quality_jpeg -i - --null --print |
    "$python" -m cliqa.filter_noisy_photo -i - --null --print |
    "$python" -m cliqa.filter_low_quality_resize -i - --null -o "$output" --symlink
else
  images=$1 output=$2
  "$python" -m cliqa.filter_low_quality_jpeg -i "$images" -o "$output.jpeg" -r --symlink
  "$python" -m cliqa.filter_noisy_photo -i "$output.jpeg" -o "$output.noise" -r --symlink
  "$python" -m cliqa.filter_low_quality_resize -i "$output.noise" -o "$output" -r --symlink
fi
