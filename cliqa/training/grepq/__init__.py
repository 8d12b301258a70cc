"""The label-free encoders, the damage that they learn from, and the recipes of `grepq` and `aesthetic`."""
