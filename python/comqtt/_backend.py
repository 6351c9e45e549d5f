"""The compiled module: inside the package when installed, beside it in a build folder."""

from __future__ import annotations

try:
    from comqtt import _comqtt
except ImportError:
    import _comqtt  # type: ignore[import-not-found,no-redef]

__all__ = ["_comqtt"]
