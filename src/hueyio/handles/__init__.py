"""What users hold: declared tasks and results."""
