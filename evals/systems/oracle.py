"""A reasoner on human clues (oracle perception): measured apart from the tools.

Human sentences about a clip become clues as tools might give them: one clue a sentence, and
one text clue for the subtitle. People gave no times and no measure of quality, so there are
none: no span, quality 1. The reasoner gets all clues at once or modality by modality.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from emer.agents.lexicon.lexicon import weighting_of
from emer.agents.reasoner import Reasoner, Reporting
from emer.agents.types import Budget, Decision, Explanation, Inquiry, Missing
from emer.agents.verification.verifier import Verdict, settle, verify
from emer.evals.data.types import PARTS, Described, Part, Sample
from emer.evals.metrics.emotion_words import Language
from emer.evals.systems.provenance import code_of, reports_of, with_usage
from emer.evals.systems.system import Card, Cost, Draft, Input, Prediction
from emer.graphs.settings import DEFAULT
from emer.tools.errors import ConfigError
from emer.tools.tool import ToolCard
from emer.tools.types import Clue, Param, Quality, Source

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)


DURATION = 5.0
"""Assumed clip length in seconds: most clips of MER last 2 to 5."""

AS_TOOL: dict[Part, ToolCard] = {
    "visual": ToolCard(name="human-visual", modality="face", description="What people saw."),
    "acoustic": ToolCard(name="human-acoustic", modality="audio", description="What they heard."),
    "subtitle": ToolCard(name="human-subtitle", modality="text", description="What was said."),
}
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'])|(?<=[。；！？])")


def clues_of(described: Described, parts: Collection[Part] = PARTS) -> list[Clue]:
    """Clues of some parts of a description."""
    texts: dict[Part, str] = {part: getattr(described, part) for part in PARTS if part in parts}
    sentences = {part: _END.split(text) for part, text in texts.items() if text}
    if "subtitle" in sentences:
        sentences["subtitle"] = [f'The subtitle reads: "{texts["subtitle"]}"']
    return [
        Clue(
            modality=AS_TOOL[part].modality,
            span=None,
            text=sentence.strip(),
            quality=Quality(score=1.0),
            source=Source(tool=AS_TOOL[part].name, version=described.language),
        )
        for part, each in sentences.items()
        for sentence in each
        if sentence.strip()
    ]


@dataclass(frozen=True)
class OnHumanClues:
    """A reasoner on human clues, at once or `stepwise` by modality."""

    reasoner: Reasoner
    language: Language = "en"
    masked: bool = True
    parts: tuple[Part, ...] = PARTS
    stepwise: bool = False
    arguments: Mapping[str, Param] = field(default_factory=dict)
    """Arguments of the reasoner on which its answers depend."""

    @property
    def card(self) -> Card:
        what = f"{', '.join(self.parts)}, {self.language}"
        return Card(
            name="/".join([self.reasoner.name, *self._variant]),
            input=self._input,
            what=f"{what}, stepwise" if self.stepwise else what,
            provenance={
                "reasoner": self.reasoner.name,
                "code": code_of(self.reasoner),
                "language": self.language,
                "masked": self.masked,
                "parts": "+".join(self.parts),
                "stepwise": self.stepwise,
                **self.arguments,
            },
        )

    def answer(self, sample: Sample) -> Prediction:
        with reports_of(self.reasoner) as reports:
            prediction = self._answer(sample)
        if not isinstance(self.reasoner, Reporting):
            return prediction
        return prediction.model_copy(update={"cost": with_usage(prediction.cost, reports)})

    def _answer(self, sample: Sample) -> Prediction:
        described = sample.description(self.language, self.masked)
        if described is None and self.parts == ("subtitle",):
            described = Described(language=self.language, masked=False, subtitle=sample.subtitle)
        if described is None:
            form = f"masked {self.language}" if self.masked else self.language
            raise ConfigError(f"{sample.name} has no {form} human description")
        start = time.perf_counter()
        steps = [(p,) for p in self.parts] if self.stepwise else [self.parts]
        clues: list[Clue] = []
        for place, step in enumerate(steps):
            clues += clues_of(described, step)
            later = [part for parts in steps[place + 1 :] for part in parts]
            decision = self._decide(clues, later)
            if decision.stop_reason is not None:
                break
        explanation, draft = explain(self.reasoner, clues, decision)
        seconds, calls = time.perf_counter() - start, len({clue.source.tool for clue in clues})
        return Prediction(
            name=sample.name,
            labels=tuple(label.name for label in explanation.labels),
            explanation=explanation,
            clues=tuple(clues),
            hypotheses=decision.hypotheses,
            duration=DURATION,
            draft=draft,
            cost=Cost(seconds=seconds, tool_calls=calls, rounds=place + 1),
        )

    @property
    def _input(self) -> Input:
        if self.parts == ("subtitle",):
            return "subtitle"
        return "human clues, masked" if self.masked else "human clues"

    @property
    def _variant(self) -> Iterator[str]:
        """The words of the name that tell it from other variants."""
        text_only = self.parts == ("subtitle",)
        if text_only:
            yield "text only"
        else:
            yield "masked" if self.masked else "full"
        if self.language == "zh":
            yield "zh"
        if self.parts != PARTS and not text_only:
            yield "+".join(self.parts)
        if self.stepwise and not text_only:
            yield "stepwise"

    def _decide(self, clues: Sequence[Clue], later: Sequence[Part]) -> Decision:
        tools = tuple(AS_TOOL[part] for part in later)
        budget = Budget(rounds=len(later), tool_calls=len(later))
        inquiry = _inquiry(clues).model_copy(update={"tools": tools, "budget": budget})
        decision = self.reasoner.decide(inquiry)
        if later and decision.stop_reason != "sure":
            return decision.model_copy(update={"stop_reason": None})
        return decision


def explain(
    reasoner: Reasoner, clues: Sequence[Clue], decision: Decision
) -> tuple[Explanation, Draft]:
    """Explanation as the controller releases it, rewritten once at most, then struck.

    With it come the verifier's counts of the first draft.
    """
    present = {clue.modality for clue in clues}
    missing = tuple(
        Missing(modality=tool.modality, why="no human clue")
        for tool in AS_TOOL.values()
        if tool.modality not in present
    )
    if not clues:
        return Explanation(missing=missing), Draft(parts=0, unsupported=0, contradicted=0)
    inquiry = _inquiry(clues).model_copy(update={"missing": missing})
    by = weighting_of(reasoner)
    written = reasoner.explain(inquiry, decision)
    verdict = verify(written, clues, DURATION, by)
    draft = judged(verdict)
    if verdict.rejected:
        again = inquiry.model_copy(update={"rejected": verdict.rejected})
        written = reasoner.explain(again, decision)
        verdict = verify(written, clues, DURATION, by)
    return settle(written, verdict, clues), draft


def judged(verdict: Verdict) -> Draft:
    """Counts of a verdict on sentences and labels."""
    status = [finding.status for finding in (*verdict.sentences, *verdict.labels)]
    return Draft(
        parts=len(status),
        unsupported=status.count("unsupported"),
        contradicted=status.count("contradicted"),
    )


def _inquiry(clues: Sequence[Clue]) -> Inquiry:
    return Inquiry(question=DEFAULT, clues=tuple(clues), duration=DURATION)
