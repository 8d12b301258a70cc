"""Statistics of noise: by block, by region, by pixel."""
