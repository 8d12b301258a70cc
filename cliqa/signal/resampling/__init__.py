"""Periodic traces of interpolation, and the network that reads a factor from them."""
