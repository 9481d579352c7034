"""Errors that people can correct, text that is safe to show them, and commands they can type."""

import os
import shlex
from pathlib import Path
from unicodedata import category

_MOST_LETTERS = 400


class UserError(ValueError):
    """A request that cannot be carried out. The message is one line: what, why, what to do."""


def one_line(text: object) -> str:
    """Write text from elsewhere in one line without control characters.

    Names, messages and reasons come from files and from implementations. A terminal must
    not obey what they contain, and each must fit into one row of a table.
    """
    line = " ".join(str(text).split())
    if not line.isprintable():
        line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= _MOST_LETTERS else line[: _MOST_LETTERS - 3] + "..."


def printable(text: str, keep: str = "") -> str:
    r"""Write text so that a terminal obeys nothing in it: an escape becomes the letters `\x1b`.

    Escaped are control characters, signs that turn the direction of writing, lone surrogates, and
    all else that is invisible. Blanks stay as they are, and so do the characters in ``keep``.
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or letter in keep or category(letter) == "Zs"
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


def describe_error(error: BaseException) -> str:
    """Name an exception and give its message, in one line."""
    try:
        text = str(error)
    except Exception:  # an implementation's own exception class may fail here too
        text = ""
    return one_line(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def command_line(*words: object) -> str:
    """A command of forwardbench that can be pasted into a shell: `forwardbench show 'my run'`.

    A path is given as a `Path`, because one that begins with a hyphen must not become an option.
    """
    return " ".join(["forwardbench", *map(_shell_word, words)])


def _shell_word(word: object) -> str:
    text = str(word)
    if isinstance(word, Path) and text.startswith("-"):
        text = f"./{text}"
    if printable(text) == text:
        return shlex.quote(text)
    # In these quotes any byte can be written in plain letters.
    letters = (
        chr(byte) if 32 <= byte < 127 and byte not in b"\\'" else f"\\{byte:03o}"
        for byte in os.fsencode(text)
    )
    return f"$'{''.join(letters)}'"
