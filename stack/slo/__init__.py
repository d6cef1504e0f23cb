"""Service levels: one OpenSLO file in, the rules of both profiles out."""
