"""The parts of `bench alerts`: the household, the citizens who write, the board that is open, the reckoning."""
