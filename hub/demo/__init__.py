"""The demonstration: an invented city, its texts and its crowd, all through the desk and the rehearsal platforms."""
