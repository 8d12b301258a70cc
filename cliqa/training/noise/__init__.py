"""Noise of a known strength, and the recipe of `grain_noise`."""
