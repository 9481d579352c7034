"""rich's console for tables and bars: it writes to `screen`, and obeys no text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from forwardbench.commands.shared.screen import Outlet
from forwardbench.errors import printable

_KEPT = "\n"
"""What a cell or a sentence may hold besides letters."""


class SafeConsole(Console):
    """A console on a stream of `screen`; it shows control characters as escapes."""

    def __init__(self, name: str, **options: Any) -> None:
        plain = {"highlight": False, "markup": False, "emoji": False}
        super().__init__(file=cast(IO[str], Outlet(name)), **plain | options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Make a text of a string; escaped before it is measured, so that columns fit."""
        return super().render_str(printable(text, _KEPT), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the parts of anything; rich's own control sequences are parts of another kind."""
        for part in super().render(renderable, options):
            yield part if part.control else part._replace(text=printable(part.text, _KEPT))
