"""Detectors of emerging issues: kinds lists them, clusters is the first and the other files are its parts."""
