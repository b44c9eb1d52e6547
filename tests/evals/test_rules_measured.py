"""The rules reasoner as the benchmark sees it: how it bears spoilt evidence, and its floors."""

from __future__ import annotations

from pathlib import Path

import pytest

from emer.agents.rules.reasoner import Rules
from emer.agents.types import Inquiry
from emer.evals.data.datasets import read_set
from emer.evals.data.locations import DataFolder
from emer.evals.metrics.bootstrap import value
from emer.evals.metrics.faithfulness import Evidence, corrupt
from emer.evals.report.measure import Job, measure
from emer.evals.report.scorecard import Ruler
from emer.evals.systems.oracle import OnHumanClues
from emer.graphs.settings import DEFAULT
from emer.tools.types import Clue
from tests.fixtures.evals import plain_reasoner as kit

RULES = Rules()
DURATION = 6.0
AFRAID = [
    kit.clue("The inner eyebrows are raised.", span=(0.0, 1.0)),
    kit.clue("The eyes are wide open.", span=(0.2, 1.2)),
    kit.clue("The voice trembles.", "audio", (0.2, 1.4)),
]
ANGRY = [
    kit.clue("The voice is loud.", "audio", (0.2, 1.2)),
    kit.clue("The voice is tense and sharp.", "audio", (0.3, 1.3)),
    kit.clue("The brows are furrowed.", span=(0.0, 1.0)),
    kit.clue("The lips are pressed together.", span=(0.0, 1.0)),
]
HAPPY = [
    kit.clue("The voice is lively.", "audio", (0.2, 1.2)),
    kit.clue("The pitch is raised.", "audio", (0.3, 1.3)),
    kit.clue("The person smiles.", span=(0.0, 1.0)),
]


@pytest.mark.parametrize(
    ("clues", "label"), [(AFRAID, "worried"), (ANGRY, "angry"), (HAPPY, "happy")]
)
def test_each_way_of_spoiling_its_evidence_lowers_a_claim(clues: list[Clue], label: str) -> None:
    inquiry = Inquiry(question=DEFAULT, clues=tuple(clues), duration=DURATION)
    (first, *_) = RULES.explain(inquiry, RULES.decide(inquiry)).labels
    assert first.name == label
    found = {c.kind: c for c in corrupt(Evidence(RULES, DEFAULT, clues, DURATION), first)}
    assert set(found) == {"drop", "flip", "shift"}
    for spoilt in found.values():
        assert spoilt.fits, spoilt
        assert spoilt.after < spoilt.before, spoilt


def test_what_speaks_against_a_claim_at_its_moment_does_not_from_afar() -> None:
    smile = kit.clue("The person smiles.", span=(0.0, 1.0))
    near, far = (
        kit.clue("The corners of the mouth are turned down.", span=span)
        for span in ((0.2, 1.0), (4.0, 5.0))
    )
    alone, beside, apart = (
        Evidence(RULES, DEFAULT, clues, DURATION).claim("happy", clues)
        for clues in ([smile], [smile, near], [smile, far])
    )
    assert beside < apart == alone


COLUMNS = ("exact", "m1", "level1", "level2")
FLOORS = dict(zip(COLUMNS, (0.33, 0.43, 0.70, 0.58), strict=True))
"""What no change may fall below on EMER-v2, human clues without emotion words (chosen by us).

Raised on 2026-11-30, when the words of speakers were read anew (evals/LOG.md).
"""
LEAST_BY_WORDS = 0.40
"""Level 1 on the words alone; no answer to at most a third of the clips."""
MOST_ECE = 0.08
MOST_BEHIND = 0.04
"""How far Chinese clues may stay behind English ones of the same texts."""


def test_the_floors_on_human_clues(shared: Path) -> None:
    folder = DataFolder(shared / "data" / "emer")
    if not {"emer_v2", "emer_v2_labels"} <= folder.files.keys():
        pytest.skip(f"no EMER-v2 in {folder.root}")
    dataset = read_set(folder)
    ruler = Ruler(dataset, folder.lexicon())
    systems = [
        OnHumanClues(RULES, masked=masked, language=language)
        for masked in (True, False)
        for language in ("en", "zh")
    ]  # fmt: skip
    systems.append(OnHumanClues(RULES, parts=("subtitle",)))
    entries = measure(ruler, [Job(system, offline=False) for system in systems])
    scores = [
        {name: value(e.statistics[name], len(ruler.golds)) for name in (*COLUMNS, "ece")}
        for e in entries
    ]
    masked, masked_zh, full, full_zh, words = scores
    assert {k: masked[k] for k, least in FLOORS.items() if masked[k] < least} == {}
    assert max(masked["ece"], full["ece"]) <= MOST_ECE
    for english, chinese in ((masked, masked_zh), (full, full_zh)):
        assert max(english[name] - chinese[name] for name in COLUMNS) <= MOST_BEHIND
    answered = sum(bool(each.labels) for each in entries[-1].predictions)
    assert words["level1"] >= LEAST_BY_WORDS and answered >= 2 / 3 * len(ruler.golds)
