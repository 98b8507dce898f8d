"""Tasks, results and revocations as bytes."""
