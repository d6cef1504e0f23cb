"""Tocsin: fire drills for an observability stack."""

__version__ = "0.1.0"
