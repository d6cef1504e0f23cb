"""Alert rules: when they are evaluated, and what state their instances are in."""
