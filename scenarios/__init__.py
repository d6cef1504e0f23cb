"""What to do: scenarios, their faults and traffic, and the history of what happened."""
