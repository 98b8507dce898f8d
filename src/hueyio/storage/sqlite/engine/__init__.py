"""What runs under a session: threads, connections and transactions. It knows nothing of what operations do."""
