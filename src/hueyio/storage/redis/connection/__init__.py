"""What connects: finding the server, connections and what becomes of them, errors."""
