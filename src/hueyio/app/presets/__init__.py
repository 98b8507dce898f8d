"""One Huey for each storage, in a module for each, so that only what is used gets imported."""
