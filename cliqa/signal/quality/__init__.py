"""Natural scene statistics and traces of distortions."""
