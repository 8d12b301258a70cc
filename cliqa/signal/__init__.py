"""Numerics without files or options: every function takes and returns arrays."""
