"""Two small wheels made by hand, as a lexicon and as the files they would be read from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

from emer.evals.metrics.bootstrap import Statistic, value
from emer.evals.metrics.wheel import Lexicon, Wheel

FORMS = {
    "glad": ("glad", "gladly", "gladness"),
    "merry": ("merry", "merrily", "gladly"),
    "grim": ("grim", "grimly"),
    "upset": ("upset", "upsets"),
    "no words": (),
}
SYNONYMS = {"glad": ("joy",), "merry": ("bliss", "joy"), "grim": ("sorrow",), "upset": ("anger",)}
WHEEL_A = (
    ("Joy", "glow", "bliss"),
    ("", "", "zest"),
    ("", "calm", "ease"),
    ("Sorrow", "gloom", "grief"),
    ("Anger", "heat", "rage"),
    ("", "", "grief"),
)
WHEEL_B = (("sorrow", "low", "grief"), ("bliss", "high", "zest"))
WORDS = ("joy", "glow", "bliss", "zest", "calm", "ease", "sorrow", "gloom", "grief", "anger",
         "heat", "rage", "low", "high")  # fmt: skip


def small_lexicon() -> Lexicon:
    """Return the lexicon that the files of `write_files` hold."""
    forms: dict[str, list[str]] = {}
    for word, found in FORMS.items():
        for form in dict.fromkeys((*found, word)):
            forms.setdefault(form, []).append(word)
    for word in WORDS:
        forms.setdefault(word, []).append(word)
    synonyms = {word: (word,) for word in WORDS} | SYNONYMS
    return Lexicon(
        edition="2026",
        forms={form: tuple(words) for form, words in forms.items()},
        synonyms=synonyms,
        wheels=(
            Wheel("wheel1", {
                "joy": {"glow": ("bliss", "zest"), "calm": ("ease",)},
                "sorrow": {"gloom": ("grief",)},
                "anger": {"heat": ("rage", "grief")},
            }),
            Wheel("wheel2", {"sorrow": {"low": ("grief",)}, "bliss": {"high": ("zest",)}}),
        ),
    )  # fmt: skip


def write_files(root: Path) -> Path:
    """Write the lexicon as the official files; both editions are the same, wheels 3-5 too."""
    folder = root / "wheels"
    folder.mkdir(parents=True)
    rows = [(w, ",".join(f)) for w, f in FORMS.items()] + [(w, w) for w in WORDS]
    text = "name,format\n" + "".join(f'{word},"{forms}"\n' for word, forms in rows)
    for edition in ("2025", "2026"):
        (folder / f"format_{edition}.csv").write_text(text)
    for number in range(1, 6):
        wheel = WHEEL_A if number != 2 else WHEEL_B
        _book(folder / f"wheel{number}.xlsx", [("level1", "level2", "level3"), *wheel])
    _book(folder / "synonym.xlsx", _synonym_rows())
    return root


def _synonym_rows() -> list[tuple[str, ...]]:
    """Return eight runs; only the third knows that merry is bliss, and in capitals."""
    by_target: dict[str, list[str]] = {word: [] for word in WORDS}
    for word, targets in SYNONYMS.items():
        for target in targets:
            by_target[target].append(word)
    header = tuple(f"{kind}_run{run}" for run in range(1, 9) for kind in ("word", "synonym"))
    return [header, *(_runs(word, found) for word, found in by_target.items())]


def _runs(word: str, synonyms: Sequence[str]) -> tuple[str, ...]:
    cells: list[str] = []
    for run in range(1, 9):
        known = [s for s in synonyms if (s, word) != ("merry", "bliss") or run == 3]
        cells += [word.upper() if run == 3 else word, str([s.title() for s in known])]
    return tuple(cells)


def _book(path: Path, rows: Sequence[Sequence[str]]) -> None:
    book = Workbook()
    for row in rows:
        book.active.append([cell or None for cell in row])
    book.save(path)


def percent(statistic: Statistic, clips: int) -> float:
    """Return a score on all clips, in percent."""
    return 100 * value(statistic, clips)
