"""Files on this machine: regular ones, whole copies, unfinished parts, one writer at a time."""
