"""Runtimes: ways to run the components of the stack, behind one Protocol."""
