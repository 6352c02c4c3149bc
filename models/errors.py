"""The base of every error that a user can correct.

It stands here because `models` imports nothing of `core`; everything else takes it from `core.errors`.
"""


class DermalensError(Exception):
    """An error that the user can correct; the message says in one line what is wrong and what to do.

    The command line prints the message and ends with exit status 2; a page shows it in a box.
    """
