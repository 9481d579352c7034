"""The base of every error that people cause and can mend."""


class UserError(ValueError):
    """Something asked for that cannot be done; the message is one line: what, why, what to do."""
