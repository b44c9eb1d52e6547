"""`emer-eval grounding`: what passes and is lost of known sentences, and citations of runs."""

# ruff: noqa: RUF001  (the dash of a span is meant)
from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emer.agents.types import Block, Sentence
from emer.app.cli import app as emer
from emer.evals.cli import app
from emer.evals.data.sentences import SHIPPED, read_sentences
from emer.evals.metrics.attribution import (
    UNKNOWN,
    attribution,
    is_verifiable,
    stated_times,
    time_overlap,
)
from emer.evals.metrics.bootstrap import proportion
from emer.evals.metrics.emotion_words import language_of
from emer.evals.metrics.grounding import Tally, result, tally
from tests.fixtures import clues as kit
from tests.fixtures.command_line import FAKES, swaps
from tests.fixtures.paths import SPEECH

SMILES = "The person smiles clearly with the eyes narrowing at 2.1-2.8 s."
NOWHERE = "f00000000"
"""An id that no clue has."""


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def judged(text: str, verdict: str, kind: str = "made", *ids: str) -> dict[str, Any]:
    cited = list(ids or (kit.SMILE.id,))
    return {"kind": kind, "block": "video", "text": text, "clue_ids": cited, "verdict": verdict}


def contents(*sentences: dict[str, Any]) -> dict[str, Any]:
    clues = [clue.model_dump(mode="json") for clue in (kit.SMILE, kit.LIVELY)]
    return {"note": "", "duration": kit.DURATION, "clues": clues, "sentences": list(sentences)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of five sentences: one false one passes, one true one is lost."""
    path = tmp_path / "sentences.json"
    five = (
        judged("The person does not smile at 2.1-2.8 s.", "reject", "negation"),
        judged("他没有微笑。", "reject", "negation"),
        judged(SMILES, "reject", "mislabelled"),
        judged(SMILES, "accept", "true"),
        judged(SMILES, "accept", "true", kit.SMILE.id, NOWHERE),
    )
    path.write_text(json.dumps(contents(*five)), encoding="utf-8")
    return path


def test_counts_are_those_of_the_sentences(file: Path) -> None:
    told = json.loads(call("grounding", file, "--json").stdout)
    counts = {key: told[key] for key in ("false", "false_passed", "true", "true_kept")}
    assert counts == {"false": 3, "false_passed": 1, "true": 2, "true_kept": 2}
    assert told["true_as_written"] == 1
    assert told["by_kind"]["negation"] | told["by_kind"]["mislabelled"] == {
        "false": 1, "false_passed": 1, "true": 0, "true_kept": 0, "true_as_written": 0,
    }  # fmt: skip
    assert told["by_kind"]["negation"]["false"] == 2
    assert told["by_kind"]["negation"]["false_passed"] == 0
    assert told["by_language"]["zh"]["false"] == 1
    assert "sentences" not in told


def test_the_table_has_intervals_and_names_the_citation_of_nothing(file: Path) -> None:
    found = call("grounding", file)
    assert found.exit_code == 0, found.output
    rows = {line.split("  ")[0].strip(): line for line in found.stdout.splitlines()}
    assert "0 of 2 (0 to 66 %)" in rows["negation"]
    assert "1 of 3 (6 to 79 %)" in rows["all"]
    assert "1 of 2 (9 to 91 %)" in rows["true"]
    assert NOWHERE in found.stderr


def test_a_list_shows_each_sentence_with_what_became_of_it_and_why(file: Path) -> None:
    lines = call("grounding", file, "--list").stdout.splitlines()[:5]
    assert lines[0].startswith("reject negation: ") and "The person does not smile" in lines[0]
    assert lines[3].startswith("accept true: as written | ")
    assert lines[4].startswith("accept true: in its clue's words | ") and NOWHERE in lines[4]
    each = json.loads(call("grounding", file, "--list", "--json").stdout)["sentences"]
    assert [x["outcome"] == "kept" for x in each] == [False, False, True, True, False]
    assert (each[1]["text"], each[4]["shown"]) == ("他没有微笑。", kit.SMILE.text)


def test_a_false_sentence_in_the_clues_words_has_not_passed() -> None:
    assert tally(False, "replaced") == Tally(false=1)
    assert tally(True, "replaced") == Tally(true=1, true_kept=1)
    assert tally(True, "kept") + tally(False, "kept") == Tally(1, 1, 1, 1, 1)


def test_a_sentence_without_a_citation_is_struck(tmp_path: Path) -> None:
    path = tmp_path / "bare.json"
    bare = judged(SMILES, "reject") | {"clue_ids": [], "remark": "further keys are not read"}
    path.write_text(json.dumps(contents(bare)))
    told = json.loads(call("grounding", path, "--list", "--json").stdout)
    assert told["false_passed"] == 0 and told["sentences"][0]["outcome"] == "struck"


def test_what_cites_nothing_there_is_struck() -> None:
    sentence = Sentence(block="video", text=SMILES, clue_ids=(NOWHERE,))
    found = result(sentence, [kit.SMILE], kit.DURATION)
    assert (found.outcome, found.shown) == ("struck", "") and NOWHERE in found.why


def changed(**fields: Any) -> bytes:
    return json.dumps(contents(judged(SMILES, "accept")) | fields).encode()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[]", "object"),
        (b"{}", "duration: Field required"),
        (changed(sentences=[]), "sentences: Tuple should have at least 1 item"),
        (changed(sentences=[judged(SMILES, "maybe")]), "sentences[0].verdict: Input should be"),
        (changed(sentences=[judged("", "accept")]), "sentences[0].text"),
        (changed(sentences=[judged(SMILES, "accept") | {"block": "smell"}]), "sentences[0].block"),
        (changed(duration=-1), "duration"),
        (
            changed(clues=[kit.SMILE.model_dump(mode="json") | {"text": "The person frowns."}]),
            f"clues[0]: clue id {kit.SMILE.id} does not fit its content",
        ),
    ],
)
def test_a_file_that_is_none_is_one_line(raw: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(raw)
    found = call("grounding", path)
    assert found.exit_code == 2, found.output
    assert len(found.stderr.splitlines()) == 1
    assert "bad.json" in found.stderr and said in found.stderr


@pytest.mark.parametrize(
    ("name", "said"), [("absent.json", "absent.json cannot be read"), ("no-run", "no run")]
)
def test_what_is_not_there_is_named(name: str, said: str) -> None:
    found = call("grounding", name)
    assert found.exit_code == 2 and said in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_our_own_sentences_are_of_both_kinds_and_languages() -> None:
    files = [read_sentences(path) for path in SHIPPED.glob("*.json")]
    assert len(files) >= 6 and not any(file.unknown for file in files)
    assert all(file.provenance for file in files)
    every = [sentence for file in files for sentence in file.sentences]
    assert sum(s.verdict == "reject" for s in every) >= 130
    assert sum(s.verdict == "accept" for s in every) >= 80
    chinese = sum(language_of(s.text) == "zh" for s in every)
    assert 0.4 < chinese / len(every) < 0.6
    assert len({s.text for s in every}) > 0.97 * len(every)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(0, 65, 0.0, 0.0558), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)],
)
def test_an_interval_of_a_share(part: int, whole: int, low: float, high: float) -> None:
    assert proportion(part, whole) == pytest.approx((part / whole, low, high), abs=1e-4)


def test_no_cases_have_no_share() -> None:
    assert all(map(math.isnan, proportion(0, 0)))


def says(block: Block, text: str, *ids: str) -> Sentence:
    return Sentence(block=block, text=text, clue_ids=ids)


def test_citations_that_count() -> None:
    sentences = (
        says("video", SMILES, kit.SMILE.id, NOWHERE),
        says("video", SMILES, kit.SMILE.id, kit.LIVELY.id),
        says("video", "The person does not smile.", kit.SMILE.id),
        says("audio", "The intonation is lively.", NOWHERE),
        says("therefore", "That is all there is to say.", kit.SMILE.id),
    )
    counts = attribution(sentences, [kit.SMILE, kit.LIVELY], kit.DURATION)
    assert (counts.coverage.part, counts.coverage.whole) == (3, 4)
    assert (counts.recall.part, counts.recall.whole) == (2, 3)
    shares = {name: (s.part, s.whole) for name, s in counts.by_modality.items()}
    assert shares == {"face": (2, 3), "audio": (0, 1), UNKNOWN: (0, 2)}
    assert counts.attribution == pytest.approx(2 / (3 / 2 + 3))  # of 2/3 and 2/6
    assert counts.score == pytest.approx(3 / 4 * 4 / 9)
    assert counts.seconds == 1.0


def test_citations_none_of_which_counts() -> None:
    sentence = says("video", "The person does not smile.", kit.SMILE.id)
    counts = attribution([sentence], [kit.SMILE], kit.DURATION)
    assert (counts.coverage.part, counts.attribution, counts.score) == (1, 0.0, 0.0)


def test_an_explanation_without_sentences_has_no_scores() -> None:
    counts = attribution([], [kit.SMILE], kit.DURATION)
    assert (counts.score, counts.attribution, counts.seconds) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("At 2.1-2.8 s.", [(2.1, 2.8)]),
        ("From 0.3 to 2.5 seconds, most at 1.1 s.", [(0.3, 2.5), (1.1, 1.1)]),
        ("0.3秒到2.5秒之间", [(0.3, 2.5)]),
        ("2.1–2.8 s", [(2.1, 2.8)]),
        ("A pause of 1.2 s at 3.0 s.", [(3.0, 3.0)]),
        ("停顿了1.2秒", []),
        ("It falls by 4.2 semitones.", []),
    ],
)
def test_times_that_a_sentence_states(text: str, times: list[tuple[float, float]]) -> None:
    assert [(span.start, span.end) for span in stated_times(text)] == times


@pytest.mark.parametrize(
    ("text", "clues", "share"),
    [
        ("at 2.1-2.8 s", [kit.SMILE], 1.0),
        ("at 1.0-3.0 s", [kit.SMILE], 0.4),  # 0.7 s, and 0.05 s on either side
        ("at 1.0-3.0 s", [kit.SMILE, kit.FURROW], 0.925),  # nothing from 2.85 s on
        ("at 0.5 s", [kit.SMILE], 0.0),
        ("at 2.2 s and at 0.5 s", [kit.SMILE], 0.5),
        ("at 0.5 s", [kit.SMILE, kit.clue("scene", "It is dark.")], 1.0),
        ("early on", [kit.SMILE], None),
    ],
)
def test_overlap_of_stated_times_and_cited_spans(
    text: str, clues: list[Any], share: float | None
) -> None:
    found = time_overlap(text, clues)
    assert found == (share if share is None else pytest.approx(share, abs=1e-4))


@pytest.mark.parametrize(
    ("block", "text", "verifiable"),
    [
        ("video", "Something is there.", True),
        ("answer", "She smiles.", True),
        ("therefore", "At 2.1 s all is said.", True),
        ("therefore", "That is all.", False),
    ],
)
def test_a_sentence_is_verifiable_if_it_observes(block: Block, text: str, verifiable: bool) -> None:
    assert is_verifiable(says(block, text, kit.SMILE.id)) is verifiable


@pytest.fixture
def trace() -> Path:
    """Return the trace of a run with fake tools."""
    words = ["ask", str(SPEECH), *swaps(*FAKES), "--json"]
    return Path(json.loads(CliRunner().invoke(emer, words).stdout)["trace"])


def test_a_run_is_scored_by_id_and_by_trace(trace: Path) -> None:
    by_id = json.loads(call("grounding", trace.stem, "--json").stdout)
    assert (by_id["false"], by_id["true"], by_id["by_kind"]) == (0, 0, {})
    (run,) = by_id["runs"]
    assert (run["run_id"], run["reasoner"]) == (trace.stem, "rules")
    answer = run["answer"]
    assert 0 < answer["coverage"]["whole"] == answer["coverage"]["part"]
    assert answer["recall"]["part"] == answer["recall"]["whole"]
    assert sum(x["whole"] for x in answer["by_modality"].values()) == answer["precision"]["whole"]
    assert json.loads(call("grounding", trace, "--json").stdout) == by_id
    shown = call("grounding", trace, trace.stem)
    assert "in the answer" in shown.stdout and "2 runs" in shown.stdout


def other_version(lines: list[str]) -> list[str]:
    header = json.loads(lines[0])
    return [json.dumps(header | {"schema_version": 2}) + "\n", *lines[1:]]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (other_version, "is a trace of version 2"),
        (lambda lines: lines[:-1], "did not come to an end"),
        (lambda lines: lines[1:], "does not begin with a header"),
        (lambda lines: [lines[0], "{}\n", *lines[1:]], "line 2 is not an event"),
        (lambda _: [], "is not a trace of emer"),
    ],
)
def test_a_trace_that_cannot_be_scored_is_one_line(
    damage: Callable[[list[str]], list[str]], said: str, trace: Path, tmp_path: Path
) -> None:
    path = tmp_path / "damaged.jsonl"
    path.write_text("".join(damage(trace.read_text().splitlines(keepends=True))))
    found = call("grounding", path)
    assert found.exit_code == 2, found.output
    assert len(found.stderr.splitlines()) == 1
    assert "damaged.jsonl" in found.stderr and said in found.stderr
