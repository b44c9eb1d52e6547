"""The report's plots as SVG: intervals, confusion, calibration, cost."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np

from emer.evals.metrics.calibration import Judged
from emer.evals.metrics.open_vocabulary import Confusion
from emer.evals.report.leaderboard import Board, Row
from emer.evals.systems.system import Input

COLOURS: Mapping[Input, str] = {
    "nothing": "#8a8a8a",
    "clip": "#3b6fb6",
    "human clues": "#c2703d",
    "human clues, masked": "#2f8f6b",
    "subtitle": "#8c5fa8",
}
STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def intervals(board: Board) -> str:
    """Main F of every system with its interval, grouped by input."""
    rows = [row for group in board.groups.values() for row in group]

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for place, row in enumerate(reversed(rows)):
            score, colour = row.scores[board.ruler.main], COLOURS[row.card.input]
            low, high = 100 * score.low, 100 * score.high
            axes.plot([low, high], [place, place], color=colour, linewidth=2, alpha=0.55)
            axes.plot(100 * score.value, place, "o", color=colour, markersize=5)
        floors = [row.scores[board.ruler.main].value for row in board.groups.get("nothing", [])]
        floor = 100 * max(floors, default=0)
        axes.axvline(floor, color=COLOURS["nothing"], linestyle=":", linewidth=1)
        axes.set_yticks(range(len(rows)), [row.card.name for row in reversed(rows)])
        axes.set_xlabel(f"{_title(board)} F (percent); dotted: the best floor")
        axes.set_ylim(-0.7, len(rows) - 0.3)
        _legend(axes, [row.card.input for row in rows], loc="upper left", bbox_to_anchor=(1, 1))

    return _figure((8.4, 0.8 + 0.22 * len(rows)), paint, "intervals")


def confusions(tables: Mapping[str, Confusion]) -> str:
    """One heat map for each system: human class by predicted class."""
    import matplotlib

    def paint(figure: Any) -> None:
        panels = figure.subplots(1, len(tables), squeeze=False)[0]
        for axes, (name, confusion) in zip(panels, tables.items(), strict=True):
            classes, weights = confusion.classes, confusion.weights
            axes.imshow(confusion.shares, cmap=matplotlib.colormaps["Blues"], vmin=0, vmax=1)
            axes.set_xticks(range(len(classes) + 1), [*classes, "none"], rotation=40, ha="right")
            ticks = [f"{c} ({w:.0f})" for c, w in zip(classes, weights, strict=True)]
            axes.set_yticks(range(len(classes)), ticks)
            axes.set_title(name, fontsize=9)
            axes.set_xlabel("predicted")
            for (row, column), share in np.ndenumerate(confusion.shares):
                if share >= 0.005:
                    colour = "white" if share > 0.55 else "#333333"
                    axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center",
                              fontsize=7, color=colour)  # fmt: skip
        panels[0].set_ylabel("human (clips)")

    return _figure((4.3 * len(tables), 3.6), paint, "confusion")


def calibration(judged: Mapping[str, Judged]) -> str:
    """Stated probability against share right, and share right against coverage."""

    def paint(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        left.plot([0, 1], [0, 1], color="#8a8a8a", linestyle=":", linewidth=1)
        for name, one in judged.items():
            bins = one.bins()
            stated, shares = [p for p, _, _ in bins], [r for _, r, _ in bins]
            sizes = [8 + 2 * n for _, _, n in bins]
            (line,) = left.plot(stated, shares, "-", label=name)
            colour = line.get_color()
            left.scatter(stated, shares, s=sizes, color=colour, alpha=0.6)
            curve = one.risk_coverage()
            right.plot([c for c, _ in curve], [s for _, s in curve], color=colour)
        for axes, label in ((left, "stated probability"),
                            (right, "coverage (share of clips answered)")):  # fmt: skip
            axes.set(xlabel=label, ylabel="share right", xlim=(0, 1), ylim=(0, 1.02))
        left.legend(frameon=False, fontsize=8)
        left.set_title("calibration (dots: clips per bin)", fontsize=9)
        right.set_title("selective accuracy", fontsize=9)

    return _figure((8.4, 3.6), paint, "calibration")


def cost(board: Board) -> str:
    """Level-1 F against seconds per clip, for systems whose cost was measured."""
    rows = [row for row in board.rows if "seconds" in row.scores]

    def paint(figure: Any) -> None:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0.08, 0.13, 0.6, 0.82))
        for row in rows:
            seconds, score = row.scores["seconds"].value, row.scores[board.ruler.main]
            colour = COLOURS[row.card.input]
            axes.plot([seconds] * 2, [100 * score.low, 100 * score.high], color=colour, alpha=0.4)
            axes.plot(seconds, 100 * score.value, "o", color=colour, markersize=5)
        axes.set_xscale("log")
        axes.margins(x=0.15)
        axes.set(xlabel="seconds per clip (this machine)", ylabel=f"{_title(board)} F (percent)")
        _name_points(axes, rows, board.ruler.main)
        _legend(axes, [row.card.input for row in rows])

    return _figure((8.4, 4.4), paint, "cost")


def _name_points(axes: Any, rows: Sequence[Row], main: str) -> None:
    """Write each point's name beside the axes, pushed apart where points are close."""
    low, high = axes.get_ylim()
    ordered = sorted(rows, key=lambda row: row.scores[main].value)
    heights = _spread([100 * row.scores[main].value for row in ordered], low, high)
    for row, height in zip(ordered, heights, strict=True):
        axes.annotate(
            row.card.name,
            (row.scores["seconds"].value, 100 * row.scores[main].value),
            (1.02, height),
            xycoords="data",
            textcoords=axes.get_yaxis_transform(),
            fontsize=8,
            va="center",
            arrowprops={"arrowstyle": "-", "color": "#c8c8c8", "linewidth": 0.6},
        )
    axes.set_ylim(low, high)


def _spread(heights: Sequence[float], low: float, high: float) -> list[float]:
    """Ascending heights with room for a line between them."""
    gap = min(0.05 * (high - low), (high - low) / max(1, len(heights)))
    spread: list[float] = []
    for height in heights:
        spread.append(max(height, spread[-1] + gap) if spread else height)
    excess = max(0.0, spread[-1] - high) if spread else 0.0
    return [height - excess for height in spread]


def _title(board: Board) -> str:
    return "emotion wheel, level 1" if board.ruler.main == "level1" else "exact"


def _legend(axes: Any, inputs: Sequence[Input], **place: Any) -> None:
    from matplotlib.lines import Line2D

    groups = dict.fromkeys(inputs)
    handles = [Line2D([], [], color=COLOURS[i], marker="o", linewidth=2, label=i) for i in groups]
    axes.legend(handles=handles, frameon=False, fontsize=8, **{"loc": "lower right", **place})


def _figure(size: tuple[float, float], paint: Callable[[Any], None], salt: str) -> str:
    """The painted figure as an <svg> element without external resources."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        # A matplotlibrc in the working folder could have LaTeX run.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**STYLE, "svg.hashsalt": salt})
        figure = Figure(figsize=size, layout="constrained")
        paint(figure)
        text = StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
