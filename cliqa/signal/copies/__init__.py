"""Which fingerprints are alike, and how one picture lies in another."""
