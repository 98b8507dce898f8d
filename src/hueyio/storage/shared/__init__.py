"""What several storages are made of."""
