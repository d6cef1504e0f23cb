"""Server-side expressions over query results."""
