"""Where kept pictures go: a folder, tars, a list of keys; never over anything that exists."""
