"""Tones, histogram traces, and the HEX graph over exposure labels."""
