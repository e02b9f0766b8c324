"""What the office does, one file a group of duties; pages, protocols and stores live elsewhere."""
