"""What can be wrong with a service level file."""


class SloError(ValueError):
    """The file is wrong; the message says where (file:line), what was found, and what is allowed."""
