"""Programs in use as JSON: the contract of docs/agents.md."""

import msgspec

from straykey.core.inventory import Inventory
from straykey.formats.text import as_json


def to_document(inventory: Inventory) -> str:
    return as_json(msgspec.to_builtins(inventory), indent=2)
