"""Detectors of emerging issues, one file each; single texts are read in the files above."""
