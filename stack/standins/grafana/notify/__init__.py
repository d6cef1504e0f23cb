"""From a firing alert to a sent webhook."""
