"""Errors that people cause and can mend, and text that is safe to show them."""

_LONGEST = 400


class UserError(ValueError):
    """Something asked for that cannot be done; the message is one line: what, why, what to do."""


def one_line(text: object) -> str:
    """Bring somebody else's text into one line without control characters.

    Names, messages and reasons come from files and from contenders; a terminal must not
    obey them, and a table has one row for each.
    """
    line = " ".join(str(text).split())
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def describe_error(error: BaseException) -> str:
    """Name an exception and what it says, in one line."""
    try:
        text = str(error)
    except Exception:  # a contender's own exception may fail at this as well
        text = ""
    return one_line(f"{type(error).__name__}: {text}" if text else type(error).__name__)
