"""Whose voice is heard: voices and the people whose mouths move with them.

The sound tool numbers voices by themselves ("voice 2"). A voice is the person's whose mouth
moves as in speech while it is heard, and whose does not for another voice; where the mouth of
everyone in view is seen and still, it is of no one in view.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from emer.tools.types import Clue, Span

HEARD, TALKING = "voice_heard", "mouth_talking"
"""Cues of a voice's turns, and of a mouth that moves as in speech."""
ONLY = ""
"""Name of the voice where only one is distinguished."""
SEVERAL = "several voices"
"""Owner of a clue that was measured on more than one voice: no conclusion mixes it."""
SHARE = 0.4
"""Least share of a voice's time in which its person's mouth is seen to speak (by us).

A mouth is found to speak from a second on, and not while it is turned away or covered.
"""
AHEAD = 0.15
"""By how much that share exceeds that of every other person (chosen by us)."""
STILL = 0.7
"""Least share of a voice's time in which all mouths in view are still (chosen by us)."""
INSIDE = 0.8
"""Share of a clue's time with a voice that is in that voice's turns (chosen by us)."""

_SUBJECT = re.compile(r"^(?:The (?:person|speaker|voice)|Voice \d+)\b|^The (pitch|intonation)\b")
_NUMBER = re.compile(r"\b[Vv]oice \d+\b")
_HEARD = re.compile(r" is heard\b")

Turns = Sequence[Span]


@dataclass(frozen=True, slots=True)
class Hearing:
    """The voices of a clip and whose they are.

    Args:
        turns: When each voice is heard, by the name that the sound tool gave it.
        owners: The common name of the person whose voice it is, by voice.
        unseen: The voices that no one in view has.
    """

    turns: Mapping[str, Turns] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()

    def owner(self, clue: Clue) -> str | None:
        """The person or the voice that a clue of the sound is about; None for anyone."""
        if clue.modality != "audio" or not self.turns:
            return clue.person
        voice = clue.person
        if voice is None:
            voice = self._voice_in(clue.span)
        if voice == ONLY and voice in self.unseen:
            return "voice 1"
        return self.owners.get(voice, voice) or None

    def _voice_in(self, span: Span | None) -> str:
        """The voice that alone is heard in a span."""
        if len(self.turns) == 1:
            return next(iter(self.turns))
        shared = {
            voice: _overlap(turns, [span] if span is not None else turns)
            for voice, turns in self.turns.items()
        }
        most = max(shared, key=lambda voice: (shared[voice], voice))
        total = sum(shared.values())
        if total == 0:
            return ONLY
        return most if shared[most] >= INSIDE * total else SEVERAL

    def text(self, clue: Clue, owner: str | None) -> str:
        """The sentence of a clue of the sound with the name of its owner."""
        text = clue.text
        if any(mention.cue == HEARD for mention in clue.cues):
            voice = clue.person or ONLY
            gone = voice in self.unseen
            return _HEARD.sub(" is heard, and no one in view speaks,", text, 1) if gone else text
        if owner is None or owner in (clue.person, SEVERAL):
            return text
        if _NUMBER.search(text):
            return _NUMBER.sub(lambda m: _cased(owner, m[0][0].isupper()), text, count=1)
        return _SUBJECT.sub(lambda m: f"The {m[1]} of {owner}" if m[1] else _cased(owner), text)


def hearing(clues: Iterable[Clue], people: Mapping[tuple[str, str], str]) -> Hearing:
    """Voices in the clues of all tools; `people` are common names by tool and name."""
    turns: dict[str, Turns] = {}
    speaks: dict[str, list[Span]] = defaultdict(list)
    still: dict[str, list[Span]] = defaultdict(list)
    seen: set[str] = set()
    for clue in clues:
        mentions = {mention.cue: mention.negated for mention in clue.cues}
        if clue.modality == "audio" and HEARD in mentions:
            turns[clue.person or ONLY] = _spans(clue, "turns")
        elif clue.modality == "face" and clue.person is not None:
            name = people.get((clue.source.tool, clue.person), clue.person)
            seen.add(name)
            if TALKING in mentions:
                said = still if mentions[TALKING] else speaks
                said[name] += _spans(clue, "intervals")
    unseen = frozenset(
        voice
        for voice, times in turns.items()
        if seen
        and all(
            name in still and _share(times, still[name]) >= STILL and name not in speaks
            for name in seen
        )
    )
    return Hearing(turns, {} if unseen else _owners(turns, speaks, len(seen)), unseen)


def _owners(turns: Mapping[str, Turns], speaks: Mapping[str, Turns], people: int) -> dict[str, str]:
    """The person of each voice, where the mouths tell; each person has one voice."""
    if people < 2 and len(turns) < 2:
        return {}  # the clue of the one voice goes with the one person as it is
    shares = {
        (voice, name): _share(times, spans)
        for voice, times in turns.items()
        for name, spans in speaks.items()
    }
    owners: dict[str, str] = {}
    for (voice, name), share in sorted(shares.items(), key=lambda item: (-item[1], item[0])):
        rivals = [shares[pair] for pair in shares if (pair[0] == voice) != (pair[1] == name)]
        free = voice not in owners and name not in owners.values()
        if free and share >= SHARE and share >= max(rivals, default=0.0) + AHEAD:
            owners[voice] = name
    return owners


def _spans(clue: Clue, key: str) -> list[Span]:
    """Spans in the data of a clue, else its own."""
    listed = clue.data.get(key)
    spans = []
    for pair in listed if isinstance(listed, list) else []:
        match pair:
            case [int() | float() as start, int() | float() as end] if 0 <= start <= end:
                spans.append(Span(start=start, end=end))
    return spans or ([clue.span] if clue.span is not None else [])


def _share(times: Turns, spans: Turns) -> float:
    total = sum(time.length for time in times)
    return _overlap(times, spans) / total if total else 0.0


def _overlap(times: Turns, spans: Turns) -> float:
    """Seconds that two lists of spans share; the spans of a list do not overlap."""
    return sum(max(0.0, min(a.end, b.end) - max(a.start, b.start)) for a in times for b in spans)


def _cased(name: str, upper: bool = True) -> str:
    return name[0].upper() + name[1:] if upper else name
