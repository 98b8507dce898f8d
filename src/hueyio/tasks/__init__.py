"""One call, and what declares it; no I/O."""
