"""Where tasks are kept: the contract, and one module per storage."""
