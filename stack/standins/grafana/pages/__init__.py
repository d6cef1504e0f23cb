"""Plain HTML pages for people: what is provisioned, and what its panels show now."""
