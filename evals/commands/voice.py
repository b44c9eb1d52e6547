"""`emer-eval voice` and `emer-eval fit voice`: labelled speech, a model of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from emer.agents.lexicon.cue_parser import read
from emer.agents.rules.fusion import weigh
from emer.agents.rules.labels import choose
from emer.evals.commands.options import note, print_json, progress
from emer.evals.data.speech import Utterance, counted, half_of_speakers, read_speech
from emer.evals.fit.voice import (
    FOLDS,
    Held,
    Voices,
    across,
    common,
    learn,
    leave_speakers_out,
    measure,
)
from emer.evals.metrics.bootstrap import Estimate, estimate
from emer.evals.metrics.voice import Heard, VoiceScores, score_voices, stated_arousal
from emer.evals.report.scorecard import Column
from emer.evals.report.tables import Group, Table, show
from emer.tools.errors import ConfigError, EmerError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.tool import Tool
from emer.tools.voice.voice_model import FILE

Half = Literal["all", "developed", "held"]
SHARE = Column("share", "share")
TOLD = (
    ("claimed", "arousal claimed"),
    ("right", "of these right"),
    ("right_low", "low found"),
    ("right_high", "high found"),
    ("named", "label named"),
    ("first_right", "of these right"),
)


@dataclass(frozen=True, slots=True)
class VoiceRequest:
    """Arguments of `emer-eval voice`."""

    source: Path
    tool: str
    half: Half
    seed: int


def run_voice(request: VoiceRequest, json: bool) -> None:
    """Print what the voice alone tells of labelled speech, by corpus."""
    utterances = _half(read_speech(request.source), request.half, request.seed)
    tool = load_tool(request.tool)
    with progress("listening", len(utterances)) as step:
        heard = [_heard(tool, each, step) for each in utterances]
    by_corpus = {name: [h for h in heard if h.corpus == name] for name in _corpora(utterances)}
    scores = {name: score_voices(own) for name, own in by_corpus.items()}
    if len(scores) > 1:
        scores["all"] = score_voices(heard)
    if json:
        print_json({name: asdict(each) for name, each in scores.items()})
        return
    show(_told(scores, request))
    for name, own in scores.items():
        if name != "all":
            show(_first(name, own))


def run_fit_voice(source: Path, out: Path, json: bool) -> None:
    """Learn a model of labelled voices, print its recall on other speakers, write it."""
    file = out / FILE
    if file.exists():
        raise ConfigError(f"{out} holds a model already; choose another --out, or move it")
    utterances = read_speech(source)
    with progress("measuring", len(utterances)) as step:
        voices, lost = measure(utterances, step)
    if lost:
        first = next(iter(lost))
        note(f"{len(lost)} of {len(utterances)} files are left out ({first}: {lost[first]})")
    voices = common(voices)
    with progress("cross-validation", FOLDS) as step:
        held = leave_speakers_out(voices, step)
    rows = _recalls(voices, held)
    model = learn(voices, held, f"voices of {source.resolve().name}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(model.model_dump_json(by_alias=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror}") from error
    if json:
        print_json({"file": str(file), "labels": model.labels, "recall": rows, "lost": lost})
        return
    show(_learnt(rows, utterances))
    print(f"written {file}; it stays yours: nothing of it is in emer")


def _half(utterances: Sequence[Utterance], half: Half, seed: int) -> Sequence[Utterance]:
    if half == "all":
        return utterances
    developed = half_of_speakers(utterances, seed)
    return [each for each in utterances if (each.speaker in developed) == (half == "developed")]


def _corpora(utterances: Sequence[Utterance]) -> list[str]:
    return sorted({each.corpus for each in utterances})


def _heard(tool: Tool, each: Utterance, step: Any) -> Heard:
    """What the tool's clues alone say; nothing where there is nothing to measure."""
    try:
        clues = tool.observe(Clip.open(each.path))
    except Unobservable:
        clues = ()
    except EmerError as error:
        raise ConfigError(f"{each.path.name}: {error}") from error
    readings = read(clues)
    chosen = choose(weigh(readings))
    step(each.path.name)
    first = chosen[0].standing.family if chosen else None
    return Heard(each.corpus, each.label, stated_arousal(readings), first)


def _told(scores: Mapping[str, VoiceScores], request: VoiceRequest) -> Table:
    rows = [
        [f"{name} (n = {own.files})", *(SHARE.cell(getattr(own, key)) for key, _ in TOLD)]
        for name, own in scores.items()
    ]
    lead = (
        f"{request.tool} and the rules alone, {request.half} speakers (seed {request.seed}). Low "
        "and high found: of all files of such a label. 95 % intervals (Wilson)."
    )
    return Table("Voice alone", lead, ["", *(title for _, title in TOLD)], [Group("", rows)])


def _first(name: str, scores: VoiceScores) -> Table:
    rows = [
        [label, ", ".join(f"{first} {n}" for first, n in sorted(of.items(), key=lambda x: -x[1]))]
        for label, of in scores.first.items()
    ]
    lead = "The first family that the rules name, by the true label; - is none."
    return Table(name, lead, ["label", "told first"], [Group("", rows)], numbers=False)


def _recalls(voices: Voices, pooled: Held) -> list[dict[str, Any]]:
    """Recall within each corpus, from each to each other, and in all together."""
    corpora = sorted(set(voices.corpora.tolist()))
    parts = {}
    for name in corpora:
        try:
            parts[name] = common(voices.rows(voices.corpora == name))
        except ConfigError as error:
            note(f"{name}: {error}")
    rows = [_row("all", "all", pooled)]
    if len(corpora) > 1:
        rows += [_row(name, name, leave_speakers_out(own)) for name, own in parts.items()]
        for train, test in ((a, b) for a in parts for b in parts if a != b):
            recall, n = across(parts[train], parts[test])
            rows.append({"learnt": train, "tried": test, "n": n, "recall": recall})
    return rows


def _row(learnt: str, tried: str, held: Held) -> dict[str, Any]:
    judged, n = held.judged, len(held.truth)
    ece = estimate({"ece": judged.ece}, n)["ece"]
    return {
        "learnt": f"{learnt}, other speakers", "tried": tried, "n": n, "labels": len(held.labels),
        "recall": held.recall(), "ece": ece,
    }  # fmt: skip


def _learnt(rows: Sequence[Mapping[str, Any]], utterances: Sequence[Utterance]) -> Table:
    cells = [
        [
            f"{row['learnt']} → {row['tried']} (n = {row['n']})",
            SHARE.cell(row["recall"]),
            _chance(row),
            SHARE.cell(row.get("ece")),
        ]
        for row in rows
    ]
    lead = (
        f"Unweighted average recall on speakers that were left out, {counted(utterances)}. "
        "ECE of the calibrated first label. 95 % intervals (bootstrap)."
    )
    columns = ["learnt from → tried on", "recall", "chance", "ECE"]
    return Table("Voices", lead, columns, [Group("", cells)])


def _chance(row: Mapping[str, Any]) -> str:
    if "labels" not in row:
        return "–"  # noqa: RUF001
    return SHARE.cell(Estimate(1 / row["labels"], np.nan, np.nan))
