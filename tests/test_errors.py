"""Text that is safe to show, and commands that can be pasted."""

import ast
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders.places import SOURCES
from forwardbench.commands.main import COMMANDS
from forwardbench.errors import command_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("é 中 𝄞 \u00a0\u3000", "é 中 𝄞 \u00a0\u3000"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egpj.exe\u2066", r"\u202egpj.exe\u2066"),
        ("\udcff", r"\udcff"),
        ("\U000e0041", r"\U000e0041"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("a\r\nb\u2028c\td\x7f", r"a\r\nb\u2028c\td\x7f"),
        ("C:\\run", "C:\\run"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text, shown):
    """Controls, turns of direction, lone surrogates and what cannot be seen become letters."""
    assert printable(text) == shown
    assert printable(shown) == shown


def test_line_breaks_may_be_kept():
    """Text of several lines keeps them, and nothing else."""
    assert printable("a\n\tb\r\x1b", keep="\n\t") == "a\n\tb\\r\\x1b"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("show", Path("results/run-1")), "forwardbench show results/run-1"),
        (("show", Path("my run")), "forwardbench show 'my run'"),
        (("show", Path("it's; $(x) `y`")), """forwardbench show 'it'"'"'s; $(x) `y`'"""),
        (("run", "--resume", Path("-x"), "--quick"), "forwardbench run --resume ./-x --quick"),
        (("show", Path("a\n\x1b'\\é")), r"forwardbench show $'a\012\033\047\134\303\251'"),
        (("show", Path("\udcff")), r"forwardbench show $'\377'"),
    ],
)  # fmt: skip
def test_a_suggested_command_is_quoted_for_a_shell(words, command):
    """Blanks, quotes, hyphens, control characters and bytes that are no letters."""
    assert command_line(*words) == command


@given(text=st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1))
@example(text="$'\n'\\x41\N{BELL}1")
def test_a_shell_reads_the_word_that_was_meant(text):
    """What Python's own reader of shell words, or bash, makes of it is the text itself."""
    word = command_line(text).removeprefix("forwardbench ")
    assert printable(word) == word
    if word.startswith("$'"):
        done = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
        assert done.stdout == text.encode()
    else:
        assert shlex.split(word) == [text]


def unquoted_commands(source):
    """Commands of forwardbench with a value in them that `command_line` has not seen."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.JoinedStr):
            continue
        # A case is digits, hyphens and an x.
        text = "".join(
            str(part.value) if isinstance(part, ast.Constant) else "N" if is_case(part) else "\0"
            for part in node.values
        )
        yield from re.findall(rf"forwardbench (?:{'|'.join(COMMANDS)})\b[^;)]*\0", text)


def is_case(part):
    """Whether a part of a text is the name of a case."""
    return isinstance(part.value, ast.Name) and part.value.id == "case"


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("f'go on with: forwardbench run --resume {path}'", 1),
        ("f'why: ' f'forwardbench show {folder.path}'", 1),
        ("f'go on with: {command_line(1)}'", 0),
        ("f'forwardbench {version}'", 0),
        ("f'forwardbench verify --shape {case}'", 0),
    ],
)
def test_an_unquoted_command_is_found(source, count):
    """What the next test looks for is what it finds."""
    assert len([*unquoted_commands(source)]) == count


def test_every_command_with_a_value_is_made_in_one_place():
    """No message puts a path into a command by itself."""
    found = {str(path): [*unquoted_commands(path.read_text())] for path in SOURCES.rglob("*.py")}
    assert {name: commands for name, commands in found.items() if commands} == {}
