"""Correlation, ridge regression, thresholds from labels."""
