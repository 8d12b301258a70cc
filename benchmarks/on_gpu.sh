#!/bin/sh
# Everything that wants a GPU, in one go of about four minutes: the CUDA tests, scores and pace of the networks alone, then throughput.
#
#     sh benchmarks/on_gpu.sh photos/ out/
#
# Each step has a time limit, so that one that hangs leaves the others their turn; what they print is in OUT.
set -u
data=$1 out=$2
mkdir -p "$out"
run() { name=$1; shift; echo "== $name"; timeout "$LIMIT" "$@" >"$out/$name.txt" 2>&1; echo "   status $?"; tail -n 30 "$out/$name.txt"; }

LIMIT=60 run tests python -m pytest -q -n 0 tests/metrics/test_cuda.py
LIMIT=60 run scores python benchmarks/gpu_scores.py --data "$data"
for size in 1080p 12mp; do
    LIMIT=90 run "throughput-$size" python benchmarks/throughput.py --data "$data" --device cuda:0 --workers "$(nproc)" --sizes $size \
        --rounds 1 --images 384 --copies 16 --reference-images 16 --metrics grepq,aesthetic \
        jpeg_quality,grain_noise,scale_factor,jpeg_qf,exposure,aesthetic,grepq
done
