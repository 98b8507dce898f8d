"""One module for each command that looks at a queue or steers it; what Click runs has the name of the module."""
