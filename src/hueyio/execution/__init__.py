"""From a task to all that its end changes: run, classify, decide."""
