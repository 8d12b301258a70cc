"""Small networks in NumPy."""
