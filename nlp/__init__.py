"""Reading Chinese civic texts: pure, no input or output beyond its own model files; no stores, no pages."""
