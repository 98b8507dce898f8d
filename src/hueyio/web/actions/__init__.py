"""What visitors can do to a queue: each action asks, does, is noted in the audit log, and says what it did."""
