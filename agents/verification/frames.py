"""Frames of answers: what the rules say around an observation or a reading.

"No, not clearly angry: ..." tells of labels, "without the voice, ..." of clues left out, "no
clue tells of a nod" of all clues. A frame is held against what it tells of; the rest of the
sentence is read like any other. Templates: `prompts/rules/{en,zh}/answer_*.md`.
"""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

from emer.agents.lexicon.cue_parser import read
from emer.agents.lexicon.lexicon import lexicon
from emer.agents.questions.person_focus import is_about, people_in
from emer.agents.questions.question import PARTS
from emer.agents.rules.fusion import weigh
from emer.agents.rules.phrases import cue_name, person_name, seconds
from emer.agents.verification.claims import Problem
from emer.agents.verification.conclusions import Ground
from emer.agents.verification.normalization import fold
from emer.agents.verification.vocabulary import families_of
from emer.prompts.prompt import Language, load, term
from emer.tools.types import Clue, Modality

Slots = Mapping[str, str]
Check = Callable[["Frame"], Iterator[str]]
_SLOT = re.compile(r"\$([A-Za-z]+)")
_ENDS = ".。"
_PHRASE = r"[^;；:：。]{1,120}?"
_SLOTS = {
    "label": r"[^,;:：，；。()（）]{1,40}?",
    "band": "low|medium|high|低|中等|高",
    "count": "once|twice|(?:three|four|five|six|several) times|[一两三四五六多]次"
    r"|\d{1,3}",
    "times": r"\d[\d., \-and、秒s]*?",
    "what": _PHRASE,
    "cues": _PHRASE,
    "who": r"[^:：;；]{1,60}?",
}
"""What may stand in a slot; in the others anything."""
_PLACED = (
    "on the left", "on the right", "in the middle", "second from the left",
    "third from the left", "fourth from the left",
)  # fmt: skip
_NUMBERS = ("one", "two", "three", "four", "five")
WITHOUT: Mapping[str, tuple[Modality, ...]] = {
    "without_audio": ("audio", "text"), "audio": ("audio",), "without_text": ("text",),
    "without_face": ("face", "scene"), "face": ("face",), "without_scene": ("scene",),
}  # fmt: skip
"""The modalities that a hypothetical answer leaves out, by the term that names them."""


@dataclass(frozen=True)
class Frame:
    """A matched template: its values, the clues cited, and all that is known."""

    language: Language
    slots: Slots
    cited: Sequence[Clue]
    ground: Ground

    @property
    def families(self) -> tuple[str, ...]:
        """The families of the emotion word in the slot `label`."""
        return tuple(families_of(fold(self.slots.get("label", ""))))


_PLACES = "|".join(re.escape(term(p, "zh")) for p in _PLACED)
_CHINESE_PERSON = re.compile(rf"(人物|声音)(\d+)(?:（({_PLACES})）)?")


def english_people(text: str) -> str:
    """A Chinese sentence with its people as in English: "person 1 (on the left)"."""

    def name(match: re.Match[str]) -> str:
        place = next((p for p in _PLACED if term(p, "zh") == match[3]), None)
        kind = "person" if match[1] == term("person", "zh") else "voice"
        return person_name(f"{kind} {match[2]}", place, "en")

    return _CHINESE_PERSON.sub(name, text)


def unframed(text: str, cited: Sequence[Clue], ground: Ground) -> tuple[list[str], list[Problem]]:
    """The sentences inside an answer's frame, and what is wrong with the frame."""
    for language in get_args(Language):
        for name, (rest, checks) in _FRAMES.items():
            match = _pattern(name, language).fullmatch(text.strip())
            if match is None:
                continue
            slots = {key.casefold(): value for key, value in match.groupdict().items()}
            frame = Frame(language, slots, cited, ground)
            problems = [Problem("unsupported", why) for check in checks for why in check(frame)]
            inside, more = _parts(frame, rest)
            return inside, [*problems, *more]
    return [text], []


def is_hypothetical(text: str) -> bool:
    """True for what is displayed without some clues: labels' bands do not bind it."""
    names = ("answer_same", "answer_band", "answer_other")
    patterns = [_pattern(name, language) for language in get_args(Language) for name in names]
    return any(pattern.fullmatch(text.strip()) for pattern in patterns)


def _parts(frame: Frame, rest: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """The sentences in the slots; of `parts` those that no frame of its own takes."""
    inside: list[str] = []
    problems: list[Problem] = []
    for slot in rest:
        if slot == "appears":
            band = frame.slots.get("band", "")
            prompt = load(f"rules/{frame.language}/appears")
            values = {**frame.slots, "band": band}
            inside.append(prompt.substitute(**{n: values[n] for n in prompt.placeholders}))
        elif slot not in ("parts", "all"):
            inside.append(frame.slots[slot])
        else:
            words = [frame.slots[name] for name in ("parts", "state") if name in frame.slots]
            for part in re.split(r"; |；", "; ".join(words)):
                kept, wrong = unframed(part, frame.cited, frame.ground)
                inside += kept
                problems += wrong
    return inside, problems


@lru_cache
def _pattern(name: str, language: Language) -> re.Pattern[str]:
    template = load(f"rules/{language}/{name}").text.rstrip(_ENDS)
    pieces = _SLOT.split(template)
    parts = [
        re.escape(p) if i % 2 == 0 else f"(?P<{p}>{_SLOTS.get(p.casefold(), '.+?')})"
        for i, p in enumerate(pieces)
    ]
    return re.compile(f"{''.join(parts)}[{_ENDS}]?", re.IGNORECASE)


def _not_displayed(frame: Frame) -> Iterator[str]:
    """For "not clearly happy": a label of the explanation says otherwise."""
    name = frame.slots["label"]
    plain = {f: {lexicon().label_in(f, lang) for lang in ("en", "zh")} for f in frame.families}
    if not frame.families:
        yield f'"{name}" is no emotion that can be read'
    for family, words in plain.items():
        if family in frame.ground.bands and name in words:
            yield f"{name} is one of its own labels"


def _no_cue(frame: Frame) -> Iterator[str]:
    """For "no clue tells of a nod": a clue does."""
    what, clues = frame.slots["what"], _own(frame)
    keys = [key for key in lexicon().cues if cue_name(key, frame.language) == what]
    stated = {m.cue for r in read(clues) for m in r.mentions if not m.negated}
    if keys:
        groups = {lexicon().cues[key].group for key in keys}
        if any(lexicon().cues[cue].group in groups for cue in stated):
            yield f"a clue states {what}"
        return
    terms = ("it", "that moment", "who speaks", "people", "audio", "text", "face", "scene", *PARTS)
    named = next((t for t in terms if term(t, frame.language) == what), "")
    if not named and not families_of(fold(what)):
        yield f'it cannot be read: "{what}"'
    if named in PARTS and any(PARTS[named].search(clue.text.casefold()) for clue in clues):
        yield f"a clue tells of {what}"
    if named in ("audio", "text", "face", "scene") and any(c.modality == named for c in clues):
        yield f"a clue tells of {what}"


def _left_out(frame: Frame) -> Iterator[str]:
    """For "without the voice": a cited clue is of the voice."""
    what = frame.slots["what"]
    keys = [key for key in lexicon().cues if cue_name(key, frame.language) == what]
    groups = {lexicon().cues[key].group for key in keys}
    named = [k for k in (*WITHOUT, "without_person") if term(k, frame.language) in what]
    gone = {m for k in named for m in WITHOUT.get(k, ())}
    if not (keys or named):
        yield f'it cannot be read: "{what}"'
    for reading in read(frame.cited):
        stated = {lexicon().cues[m.cue].group for m in reading.mentions}
        if reading.clue.modality in gone or stated & groups:
            yield f"clue {reading.clue.id} is of {what}"


def _not_used(frame: Frame) -> Iterator[str]:
    """For "no clue rests on the voice": one does."""
    what = frame.slots["what"]
    gone = {m for k, ms in WITHOUT.items() if term(k, frame.language) in what for m in ms}
    if not gone:
        yield from _no_cue(frame)
    for clue in _own(frame):
        if clue.modality in gone:
            yield f"clue {clue.id} is of {what}"


def _would_support(frame: Frame) -> Iterator[str]:
    """For "a nod would support interested": the lexicon weighs it otherwise."""
    for words in re.split(r" or |或", frame.slots["cues"]):
        keys = [
            k for k in lexicon().cues if cue_name(k, frame.language).casefold() == words.casefold()
        ]
        weights = [frame.ground.weighting.log_odds(k, f) for k in keys for f in frame.families]
        if max(weights, default=0.0) <= 0:
            yield f"{words} would not support {frame.slots['label']}"


def _own(frame: Frame) -> list[Clue]:
    """The clues about the people of the cited ones, and about no one in particular."""
    people = people_in(frame.cited)
    return [c for c in frame.ground.clues if not people or is_about(c, people) is not False]


def _undecided(frame: Frame) -> Iterator[str]:
    for family in frame.families or ("",):
        standing = frame.ground.whole.get(family)
        if standing is None or standing.supports or standing.contradicts:
            yield f"clues speak for or against {frame.slots['label']}"


def _nothing_for(frame: Frame) -> Iterator[str]:
    standings = frame.ground.standings(_own(frame))
    if any(standings[f].supports for f in frame.families) or not frame.families:
        yield f"clues speak for {frame.slots['label']}"


def _nothing_against(frame: Frame) -> Iterator[str]:
    standings = frame.ground.standings(_own(frame))
    if any(standings[f].contradicts for f in frame.families) or not frame.families:
        yield f"clues speak against {frame.slots['label']}"


def _against(frame: Frame) -> Iterator[str]:
    standings = frame.ground.standings(frame.cited)
    if not any(standings[family].contradicts for family in frame.families):
        yield f"its clues do not speak against {frame.slots['label']}"


def _for(frame: Frame) -> Iterator[str]:
    standings = frame.ground.standings(frame.cited)
    if not any(standings[family].supports for family in frame.families):
        yield f"its clues do not speak for {frame.slots['label']}"


def _no_label(frame: Frame) -> Iterator[str]:
    if frame.ground.bands:
        yield "it has labels of its own"


def _one_person(frame: Frame) -> Iterator[str]:
    if len({person.name for person in people_in(frame.ground.clues)}) > 1:
        yield "its clues tell several people apart"


def _most(frame: Frame) -> Iterator[str]:
    """For "more clearly happy is person 1": another person is."""
    people = people_in(frame.ground.clues)
    odds = {}
    for person in people:
        same = [other for other in people if other.may_be(person)]
        own = [r for r in read(frame.ground.clues) if is_about(r.clue, same)]
        standings = {s.family: s for s in weigh(own, frame.ground.weighting)}
        name = person_name(person.name, person.place, frame.language)
        odds[name] = max((standings[f].log_odds for f in frame.families), default=0.0)
    if odds.get(frame.slots["who"], float("-inf")) < max(odds.values(), default=0.0):
        yield f"{frame.slots['who']} does not display it most"


def _people(frame: Frame) -> Iterator[str]:
    """For "the clues tell of person 1 and person 2": they do not."""
    known = " ".join(f"{p.name} {p.place}" for p in people_in(frame.ground.clues))
    if not known:
        return
    for words in re.findall(
        r"(?:person|voice) \d+|on the \w+|in the middle|\w+ from the \w+", frame.slots["people"]
    ):
        if words not in known:
            yield f"no clue tells of a person {words}"


def _people_count(frame: Frame) -> Iterator[str]:
    """For "2 people": its clue says another number."""
    words = frame.slots.get("count", "")
    text = " ".join(clue.text.casefold() for clue in frame.cited)
    word = _NUMBERS[int(words) - 1] if words.isdigit() and int(words) <= len(_NUMBERS) else words
    if not re.search(rf"\b(?:{re.escape(words)}|{word}) (?:person|people)\b|{words}个?人", text):
        yield f"no cited clue tells of {words} people"


def _times(frame: Frame) -> Iterator[str]:
    known = {seconds(clue.span, frame.language) for clue in frame.cited if clue.span}
    for time in re.split(r", | and |、", frame.slots["times"]):
        if time not in known:
            yield f"no cited clue is at {time}"


def _count(frame: Frame) -> Iterator[str]:
    """For "twice": its clues do not tell of one sign that often."""
    words, cues = frame.slots["count"].casefold(), lexicon().cues
    number = next((n for n in "123456" if term(n, frame.language) == words), "")
    groups = [{cues[m.cue].group for m in r.mentions} for r in read(frame.cited)]
    same = frozenset.intersection(*map(frozenset, groups)) if groups else frozenset()
    right = number == str(len(groups)) or words == term("more", frame.language)
    if not (right and same):
        yield f"its clues do not tell of {words}"


_FRAMES: Mapping[str, tuple[tuple[str, ...], tuple[Check, ...]]] = {
    "answer_no": (("state",), (_not_displayed,)),
    "part_not": ((), (_not_displayed,)),
    "part_unknown": ((), (_no_cue,)),
    "answer_unknown": (("state",), (_no_cue,)),
    "answer_undecided": (("state",), (_undecided,)),
    "answer_why_not": (("state",), (_against,)),
    "answer_no_clue_for": (("state",), (_nothing_for,)),
    "answer_nothing_against": (("state",), (_nothing_against,)),
    "answer_also_fits": ((), (_for,)),
    "answer_neither": (("all",), ()),
    "answer_both": (("parts",), ()),
    "answer_one": (("parts",), ()),
    "answer_some": (("parts",), ()),
    "answer_rather": (("parts",), ()),
    "answer_one_person": (("state",), (_one_person,)),
    "answer_more": (("appears",), (_most,)),
    "answer_equal": (("reading",), ()),
    "answer_steady": (("reading",), ()),
    "answer_course_three": (("one", "two", "three"), ()),
    "answer_course": (("one", "two"), ()),
    "answer_sure": (("appears",), ()),
    "answer_unsure": (("clues",), (_no_label,)),
    "answer_open": (("clues",), (_no_label,)),
    "answer_change": (("state",), (_would_support,)),
    "answer_same": (("reading",), (_left_out,)),
    "answer_band": (("reading",), (_left_out,)),
    "answer_all_lost": (("reading",), ()),
    "answer_lost": (("clues",), (_left_out,)),
    "answer_other": (("reading",), (_left_out,)),
    "answer_still_open": (("clues",), (_left_out, _no_label)),
    "answer_not_used": (("state",), (_not_used,)),
    "answer_with": (("reading",), ()),
    "answer_it_is": (("reading",), ()),
    "answer_yes": (("reading",), ()),
    "answer_no_sign": (("clues",), ()),
    "answer_counted": (("clues",), ()),
    "answer_at": (("clues",), (_times,)),
    "answer_count": (("clues",), (_count,)),
    "answer_people": ((), (_people,)),
    "answer_people_count": ((), (_people_count,)),
    "answer_moment": (("clues",), ()),
}
"""By template: the slots to be read like any sentence, and what the frame is held against.

In order: the first that matches is taken.
"""
