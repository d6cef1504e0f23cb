"""What must hold: thin clients of the backends, and for each expectation a gather (I/O) and a judge (pure)."""
