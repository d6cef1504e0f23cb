"""What the tests of scenarios share."""

# The malformed drills are inputs of test_malformed.py; collected as drills, each would rightly be an error.
collect_ignore_glob = ["malformed/*"]
