"""From a call to the storage."""
