"""What Django finds commands in."""
