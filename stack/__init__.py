"""The stack under test: its components, their configuration, and the runtimes that run them."""
