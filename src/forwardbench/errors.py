"""Errors that people can correct, and text that is safe to show them."""

_MOST_LETTERS = 400


class UserError(ValueError):
    """A request that cannot be carried out. The message is one line: what, why, what to do."""


def one_line(text: object) -> str:
    """Write text from elsewhere in one line without control characters.

    Names, messages and reasons come from files and from implementations. A terminal must
    not obey what they contain, and each must fit into one row of a table.
    """
    line = " ".join(str(text).split())
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= _MOST_LETTERS else line[: _MOST_LETTERS - 3] + "..."


def describe_error(error: BaseException) -> str:
    """Name an exception and give its message, in one line."""
    try:
        text = str(error)
    except Exception:  # an implementation's own exception class may fail here too
        text = ""
    return one_line(f"{type(error).__name__}: {text}" if text else type(error).__name__)
