"""What can run a built model: one module per runtime."""
