"""Faults of exposure, and the recipe of `exposure`."""
