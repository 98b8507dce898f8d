"""Event loops and the threads beside them."""
