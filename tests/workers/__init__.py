"""Real worker processes, and what can be done to them."""
