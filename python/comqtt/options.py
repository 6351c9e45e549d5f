"""Options: a dict as in the YAML file, nested or with dotted keys, becomes the texts that the library takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flatten(options: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """{"capabilities": {"receive_maximum": 20}} -> {"capabilities.receive-maximum": "20"}."""
    flat: dict[str, str] = {}
    for key, value in options.items():
        name = prefix + str(key).replace("_", "-")
        if isinstance(value, Mapping):
            flat.update(flatten(value, name + "."))
        else:
            flat[name] = to_text(value)
    return flat


def to_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
