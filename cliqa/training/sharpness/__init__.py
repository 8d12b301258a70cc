"""Blurred pictures of known blur, and the recipe of `sharpness`."""
