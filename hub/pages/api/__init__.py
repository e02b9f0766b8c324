"""The JSON interface under /api/v1: bodies, answers and one file per subject; the deciding is the desk's."""
