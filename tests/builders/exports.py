"""What the catalogue's exports write."""

from forwardbench.outputs.bundle import Bundle
from forwardbench.outputs.catalogue import export_entries

FORMATS = {entry.name: entry for entry in export_entries()}


def write(name: str, bundle: Bundle) -> str:
    """What a format makes of a bundle."""
    text: str = FORMATS[name].load().write(bundle)
    return text
