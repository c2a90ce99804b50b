"""Where templates and static files are: inside an installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]


def in_checkout() -> bool:
    """Whether the files stand beside the package, to be edited."""
    return not (_PACKAGE / "static").is_dir()


def folder(name: str) -> Path:
    """The folder `templates` or `static`."""
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"hookbin's {name} are missing; install it again")
