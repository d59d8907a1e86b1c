"""Measure the examples and render the results; never installed by users."""


class UserError(Exception):
    """Raised if the user can fix the cause; the message is one line that says how."""
