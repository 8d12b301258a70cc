"""How blurred tiles of a picture are: which are looked at, what is measured of them, and how a network reads that."""
