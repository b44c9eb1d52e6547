"""A tool as a user would write one, to be swapped in on the command line."""

from __future__ import annotations

from emer.tools.testing.fakes import FakeTool


class Frowns(FakeTool):
    """Sees a frown."""

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__("frowns", "face", [("The person frowns clearly.", 0.0, 0.1)])
