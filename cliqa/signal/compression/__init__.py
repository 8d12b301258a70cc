"""What lossy codecs leave in pixels: evidence for the metric `compression`."""
