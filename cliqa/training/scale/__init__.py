"""Resizing by a known factor, and the recipe of `scale_factor`."""
