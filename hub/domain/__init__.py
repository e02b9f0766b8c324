"""What is true in the office, as data, states and legal moves; no input or output lives here."""
