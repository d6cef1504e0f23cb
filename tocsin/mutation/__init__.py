"""Mutation testing of the observability configuration: delete one thing at a time, and see whether a drill turns red."""
