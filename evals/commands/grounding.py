"""`emer-eval grounding`: known sentences through the verifier, citations of runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emer.agents.types import Sentence
from emer.evals.commands.options import note, print_json
from emer.evals.data.sentences import SHIPPED, Judged, SentenceFile, read_sentences
from emer.evals.metrics.attribution import Attribution, Share, attribution
from emer.evals.metrics.emotion_words import language_of
from emer.evals.metrics.grounding import Result, Tally, result, tally
from emer.evals.report.tables import Group, Table, show
from emer.graphs.settings import load_settings
from emer.graphs.trace.events import Explained
from emer.graphs.trace.jsonl import Trace, read_trace
from emer.graphs.trace.runs import find_run, reasoner_of
from emer.tools.errors import ConfigError
from emer.tools.text import printable

TRACE_VERSION = 1
LANGUAGES = {"en": "in English", "zh": "in Chinese"}
OUTCOMES = {"kept": "as written", "replaced": "in its clue's words", "struck": "struck out"}


@dataclass(frozen=True, slots=True)
class Tried:
    """A sentence of a file, and what became of it."""

    source: str
    sentence: Judged
    result: Result

    @property
    def tally(self) -> Tally:
        return tally(self.sentence.verdict == "accept", self.result.outcome)

    @property
    def line(self) -> str:
        """What a list shows: the verdict wanted, what became of it, the words, the reason."""
        outcome = OUTCOMES[self.result.outcome]
        head = f"{self.sentence.verdict} {self.sentence.kind}: {outcome}"
        return f"{head} | {self.sentence.text} | {self.result.why}"


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """Citation scores of a run, before the verifier and in the answer."""

    run_id: str
    reasoner: str
    draft: Attribution
    answer: Attribution


def run_grounding(sources: tuple[str, ...], lines: bool, json: bool) -> None:
    """Print what passes and is lost by kind, and the citation scores of runs."""
    names = sources or tuple(str(path) for path in sorted(SHIPPED.glob("*.json")))
    files = {name: read_sentences(Path(name)) for name in names if _is_file(name)}
    runs = [_scored(name) for name in names if not _is_file(name)]
    for name, file in files.items():
        if file.unknown:
            note(f"{name}: cited ids that no clue has: {', '.join(sorted(file.unknown))}")
    tried = [each for name, file in files.items() for each in _try(name, file)]
    if json:
        print_json(as_json(tried, runs, lines))
        return
    if lines:
        print("\n".join(printable(each.line) for each in tried) + "\n")
    if tried:
        show(_table(tried))
    if runs:
        show(_citations(runs))


def as_json(tried: Sequence[Tried], runs: Sequence[ScoredRun], lines: bool) -> dict[str, Any]:
    """Counts in all, by kind, language and file; with `lines` each sentence too."""
    sentences = [
        {"file": t.source, **t.sentence.model_dump(mode="json"), **asdict(t.result)} for t in tried
    ]
    return {
        **asdict(_sum(tried)),
        "by_kind": {kind: asdict(_sum(own)) for kind, own in _by_kind(tried).items()},
        "by_language": {name: asdict(_sum(own)) for name, own in _by_language(tried).items()},
        "runs": [_run_json(run) for run in runs],
        **({"sentences": sentences} if lines else {}),
    }


def _is_file(name: str) -> bool:
    """Whether an argument means a file of sentences; else a run, by id or trace."""
    path = Path(name)
    return path.suffix == ".json" or (path.suffix != ".jsonl" and path.is_file())


def _try(name: str, file: SentenceFile) -> Iterator[Tried]:
    for judged in file.sentences:
        found = Result("struck", "", "it cites no clue")
        if judged.clue_ids:
            sentence = Sentence(block=judged.block, text=judged.text, clue_ids=judged.clue_ids)
            found = result(sentence, file.clues, file.duration)
        yield Tried(Path(name).name, judged, found)


def _scored(name: str) -> ScoredRun:
    path = find_run(load_settings().traces, name)
    trace = read_trace(path)
    if trace.header.schema_version != TRACE_VERSION:
        raise ConfigError(
            f"{path} is a trace of version {trace.header.schema_version}; "
            f"this version of emer reads {TRACE_VERSION}"
        )
    if trace.finished is None:
        raise ConfigError(f"{path}: the run did not come to an end, so it has no answer to score")
    return ScoredRun(
        trace.header.run_id,
        reasoner_of(trace.header),
        _attribution(trace, _draft(trace)),
        _attribution(trace, trace.finished.explanation.sentences),
    )


def _draft(trace: Trace) -> Sequence[Sentence]:
    """The sentences as they were first written, before any was struck."""
    written = (event for event in trace.effective if isinstance(event, Explained))
    first = next(written, None)
    return first.explanation.sentences if first else ()


def _attribution(trace: Trace, sentences: Sequence[Sentence]) -> Attribution:
    return attribution(sentences, trace.clues, trace.header.clip.duration)


def _sum(tried: Sequence[Tried]) -> Tally:
    return sum((each.tally for each in tried), Tally())


def _by_kind(tried: Sequence[Tried]) -> Mapping[str, list[Tried]]:
    """Sentences by kind, the false kinds first, in the order of their first sentence."""
    kinds: dict[str, list[Tried]] = defaultdict(list)
    for each in sorted(tried, key=lambda t: t.sentence.verdict == "accept"):
        kinds[each.sentence.kind].append(each)
    return kinds


def _by_language(tried: Sequence[Tried]) -> Mapping[str, list[Tried]]:
    languages: dict[str, list[Tried]] = defaultdict(list)
    for each in tried:
        languages[language_of(each.sentence.text)].append(each)
    return languages


def _table(tried: Sequence[Tried]) -> Table:
    kinds = [_row(kind, own) for kind, own in _by_kind(tried).items()]
    languages = [_row(LANGUAGES[name], own) for name, own in _by_language(tried).items()]
    groups = [
        Group("By kind", kinds),
        Group("By language", languages),
        Group("", [_row("all", tried)]),
    ]
    lead = (
        "Each sentence alone through the verifier; counts with 95 % Wilson intervals. A false one "
        "passes if it is left as written; a true one is lost if it is struck out."
    )
    titles = ["sentences", "false that pass", "true lost", "true as written", "in clue's words"]
    return Table("Grounding", lead, titles, groups)


def _row(name: str, tried: Sequence[Tried]) -> list[str]:
    counts = _sum(tried)
    parts = (
        Share(counts.false_passed, counts.false),
        Share(counts.true - counts.true_kept, counts.true),
        Share(counts.true_as_written, counts.true),
        Share(counts.true_kept - counts.true_as_written, counts.true),
    )
    return [name, *map(_cell, parts)]


def _cell(share: Share) -> str:
    if not share.whole:
        return ""
    _, low, high = share.estimate
    return f"{share.part} of {share.whole} ({100 * low:.0f} to {100 * high:.0f} %)"


def _citations(runs: Sequence[ScoredRun]) -> Table:
    groups = [
        Group(
            f"{run.run_id}, {run.reasoner}",
            [_scores("as first written", run.draft), _scores("in the answer", run.answer)],
        )
        for run in runs
    ]
    if len(runs) > 1:
        drafts, answers = _total(run.draft for run in runs), _total(run.answer for run in runs)
        rows = [_scores("as first written", drafts), _scores("in the answer", answers)]
        groups.append(Group(f"{len(runs)} runs", rows))
    titles = ["sentences", "coverage", "recall", "precision", "attribution", "score", "seconds"]
    lead = (
        "Of verifiable sentences, in the manner of MuRGAt: the share that cites; of those, the "
        "share that the clues carry; the share of citations that count; the harmonic mean of the "
        "two, and its product with coverage; the share of stated times in the cited spans."
    )
    modalities = _total(run.answer for run in runs).by_modality
    notes = [f"Citations that count in the answers, {m}: {_cell(s)}" for m, s in modalities.items()]
    return Table("Citations", lead, titles, groups, notes)


def _total(each: Iterator[Attribution]) -> Attribution:
    total = Attribution()
    for counts in each:
        total.add(counts)
    return total


def _scores(name: str, counts: Attribution) -> list[str]:
    shares = map(_cell, (counts.coverage, counts.recall, counts.precision))
    values = (counts.attribution, counts.score, counts.seconds)
    return [name, *shares, *("" if x is None else f"{x:.2f}" for x in values)]


def _run_json(run: ScoredRun) -> dict[str, Any]:
    scores = {"draft": _counts_json(run.draft), "answer": _counts_json(run.answer)}
    return {"run_id": run.run_id, "reasoner": run.reasoner, **scores}


def _counts_json(counts: Attribution) -> dict[str, Any]:
    shares = {
        "coverage": counts.coverage,
        "recall": counts.recall,
        "precision": counts.precision,
    }
    return {
        **{name: asdict(share) for name, share in shares.items()},
        "attribution": counts.attribution,
        "score": counts.score,
        "seconds": counts.seconds,
        "by_modality": {name: asdict(share) for name, share in counts.by_modality.items()},
    }
