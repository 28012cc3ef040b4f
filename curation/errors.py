"""The one exception family that a person sees as a sentence instead of a traceback.

A message says three things: what was seen, what was expected, and what to do.
"""


class InosukeError(Exception):
    """Something that the person who typed the command can mend.

    ``exit_status`` is 1 when the command ran and something is wrong with the data, 2 when the command or a
    configuration file was written wrongly.
    """

    exit_status = 1


class UsageError(InosukeError):
    """The command line or a configuration file is wrong."""

    exit_status = 2
