"""The report as one self-contained HTML page, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from emer.evals.report.tables import Table, html, markdown

TEMPLATE = Path(__file__).parent / "page.html"


@dataclass(frozen=True)
class Report:
    """What a report shows: tables, and plots as SVG by their caption."""

    title: str
    about: str
    tables: tuple[Table, ...]
    plots: Mapping[str, str]

    @property
    def page(self) -> str:
        """The HTML page; it fetches nothing."""
        template = Template(TEMPLATE.read_text(encoding="utf-8"))
        first, *others = self.tables
        body = [html(first), *_figures(self.plots.items()), *(html(table) for table in others)]
        return template.substitute(
            title=escape(self.title), about=escape(self.about), body="\n".join(body)
        )

    @property
    def markdown(self) -> str:
        """The tables in Markdown."""
        parts = [f"## {self.title}\n\n{self.about}", *(markdown(table) for table in self.tables)]
        return "\n\n".join(parts) + "\n"


def _figures(plots: Iterable[tuple[str, str]]) -> Iterable[str]:
    for caption, svg in plots:
        yield f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"
