"""What can go wrong with the stack, apart from the alerts it raises."""


class StackError(RuntimeError):
    """A component did not come up, or is not there; the message holds what to try and the tail of its log."""
