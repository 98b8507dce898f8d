"""Take tasks back, and see who runs them."""
