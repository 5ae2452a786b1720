"""Where a network looked, and whether that can be believed."""
