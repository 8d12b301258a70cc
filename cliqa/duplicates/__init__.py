"""Copies of one picture: fingerprints, who resembles whom, what kind of copy it is, and which file is the better one."""
