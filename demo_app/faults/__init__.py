"""Faults that the app lets be switched on, each only as long as somebody keeps renewing it."""
