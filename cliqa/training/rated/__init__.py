"""Photographs with ratings: their published layouts, and the fit of an encoder to them."""
