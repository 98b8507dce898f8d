"""The pages of a queue: each reads what its template shows. None has a query of its own."""
