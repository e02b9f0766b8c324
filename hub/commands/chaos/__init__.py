"""The chaos bench's rooms: its town of real processes, what is published there, what goes wrong, and the reckoning."""
