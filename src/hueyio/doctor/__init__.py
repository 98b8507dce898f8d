"""Says why nothing is consumed: what is examined of a queue, and what follows from it."""
