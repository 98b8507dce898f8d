"""The dashboard: its pages, its actions, and who may do what."""
