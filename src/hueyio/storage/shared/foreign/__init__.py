"""Writing in a transaction of the application's own, on whatever it has a connection by."""
