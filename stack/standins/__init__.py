"""Stand-ins: what serves in place of an engine that cannot be had; held to recorded exchanges, and named in every report."""
