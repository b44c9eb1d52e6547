"""Passages of an explanation in reading order, and the short markers of its clues.

Every view (terminal, notebook, plain text) is made of these, so that all say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from emer.agents.rules.phrases import alternative_text, label_name, refusal_text
from emer.agents.types import Explanation, Label, Sentence
from emer.prompts.prompt import load, term, translated_reason

Kind = Literal["answer", "block", "labels", "alternative", "missing"]


class Part(NamedTuple):
    """A sentence, or an item of a list, with the ids of the clues it rests on."""

    text: str
    clue_ids: tuple[str, ...] = ()


class Passage(NamedTuple):
    """Sentences that are read together; of kind "labels" the items of a list."""

    kind: Kind
    parts: tuple[Part, ...]


def passages(explanation: Explanation) -> tuple[Passage, ...]:
    """The answer in one line, the blocks, labels, other readings and what is missing."""
    if explanation.declined is not None:
        text = refusal_text(explanation.declined, explanation.language)
        return (Passage("answer", (Part(text),)),)
    return (Passage("answer", (answer_line(explanation),)), *_rest(explanation))


def answer_line(explanation: Explanation) -> Part:
    """The direct answer in one sentence, with the reason where the question got none.

    Without a sentence that answers, the labels stand for it.
    """
    if explanation.declined is not None:
        return Part(refusal_text(explanation.declined, explanation.language))
    language = explanation.language
    answers = explanation.by_modality.get("answer", ())
    reasons = [m.why for m in explanation.missing if m.modality == "question"]
    if not (answers or reasons or explanation.labels):
        reasons = [m.why for m in explanation.missing[:1]]
    texts = [answers[0].text] if answers else []
    if reasons:
        whys = "; ".join(translated_reason(why, language) for why in reasons)
        texts.append(load(f"rules/{language}/unanswered").substitute(why=whys))
    if not texts:
        texts = [_reading(explanation)]
    return Part(" ".join(texts), answers[0].clue_ids if answers else ())


def markers(explanation: Explanation) -> dict[str, str]:
    """Marker of each cited clue by its id: "f1" is the first face clue that is cited."""
    counts: Counter[str] = Counter()
    by_id: dict[str, str] = {}
    for passage in passages(explanation):
        for part in passage.parts:
            for clue_id in part.clue_ids:
                if clue_id not in by_id:
                    counts[clue_id[0]] += 1
                    by_id[clue_id] = f"{clue_id[0]}{counts[clue_id[0]]}"
    return by_id


def cited(part: Part, names: Mapping[str, str]) -> str:
    """The citation of a part: " [f1, a2]", or nothing."""
    ids = ", ".join(names.get(clue_id, clue_id) for clue_id in part.clue_ids)
    return f" [{ids}]" if ids else ""


def render(explanation: Explanation) -> str:
    """The explanation as plain text, with markers of its clues."""
    names = markers(explanation)
    paragraphs: dict[str, list[str]] = {"text": [], "lists": []}
    for passage in passages(explanation):
        parts = [part.text + cited(part, names) for part in passage.parts]
        if passage.kind in ("answer", "block"):
            paragraphs["text"].append(" ".join(parts))
        else:
            title = f"{heading(passage.kind, explanation)}: " if passage.kind == "labels" else ""
            paragraphs["lists"].append(title + "; ".join(parts))
    return "\n\n".join([*paragraphs["text"], "\n".join(paragraphs["lists"])]).strip()


def heading(kind: Kind, explanation: Explanation) -> str:
    """Word in front of a list: "Labels"."""
    return term(f"heading_{kind}", explanation.language)


def _rest(explanation: Explanation) -> Iterator[Passage]:
    language = explanation.language
    for block, sentences in explanation.by_modality.items():
        texts = sentences[1:] if block == "answer" else sentences
        if texts:
            yield Passage("block", tuple(_part(sentence) for sentence in texts))
    if explanation.labels:
        labels = (Part(_label(label, explanation), label.clue_ids) for label in explanation.labels)
        yield Passage("labels", tuple(labels))
    for other in explanation.alternatives:
        yield Passage("alternative", (Part(alternative_text(other, language), other.clue_ids),))
    for gap in explanation.missing:
        if gap.modality != "question":
            what = term(gap.modality, language)
            why = translated_reason(gap.why, language)
            text = load(f"rules/{language}/unobserved").substitute(what=what, why=why)
            yield Passage("missing", (Part(text),))


def _part(sentence: Sentence) -> Part:
    return Part(sentence.text, sentence.clue_ids)


def _label(label: Label, explanation: Explanation) -> str:
    return _banded(label.name, label, explanation)


def _reading(explanation: Explanation) -> str:
    """The labels as an answer, or that there are none."""
    language = explanation.language
    if not explanation.labels:
        return load(f"rules/{language}/no_reading").text
    names = (
        _banded(label_name(label.name, language), label, explanation)
        for label in explanation.labels
    )
    return load(f"rules/{language}/reading").substitute(labels=", ".join(names))


def _banded(name: str, label: Label, explanation: Explanation) -> str:
    """A label's name with its band: "happy (low)"."""
    band = term(label.band, explanation.language)
    return f"{name}\uff08{band}\uff09" if explanation.language == "zh" else f"{name} ({band})"
