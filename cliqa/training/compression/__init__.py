"""The recipe of `compression`, and what only it needs."""
