"""Connections: how they are made, what runs on them, and what their errors mean."""
