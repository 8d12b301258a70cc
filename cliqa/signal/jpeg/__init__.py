"""What JPEG leaves in pixels: lattices of quantized coefficients, grids, double compression, the last save."""
