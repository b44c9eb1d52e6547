"""What the verifier can read: `words.toml`, cue patterns, emotion words."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from emer.agents.lexicon.lexicon import FOLDER as LEXICON
from emer.agents.lexicon.lexicon import WORD_CUES, Channel, lexicon, read_rows
from emer.agents.lexicon.literals import may_match
from emer.agents.lexicon.movements import movement_patterns, part_words, second_verbs
from emer.agents.rules.phrases import cue_name
from emer.agents.verification.normalization import fold

WORDS = Path(__file__).parent / "words.toml"
_ENDS = """
s es ed d e ing ly er y n en ens ened ening led ling ting ted tting tted ning ned nning nned ping
ped pping pped ging ged gging gged ies ied ness ful fully ment ion ions tion ate ates ated ating
ic ically ical is ise ised ises ising ize ized izes izing al ally able t tive tively ingly edly
ward wards ge ges ling le les ve ves ving ke kes king re red ring ze se sed ses sing sed lded lding
lds ce ces cing ced te tes ted tingly tation tant m ms med ming ure ures b bs h p ps r l ls k ks f
lic atory ed ive ous ously
"""
_FREE = re.compile(r"\[\^[^\]]*\]\{0,\d+\}\??|\.\{0,\d+\}\??|\\w\{[01],\d+\}")
"""Stretches of a cue's pattern that match words of any meaning."""
_WORD = re.compile(r"[^\W_]+")
_GROUP = re.compile(r"\(([^()]*)\)")
INHERENT: Mapping[str, tuple[tuple[str, bool], ...]] = {
    "smile_social": (("smile", False), ("smile_eyes", True)),
    "smile_eyes": (("smile", False), ("eyes_narrow", False)),
    "smile_closed": (("smile", False),),
    "smile_forced": (("smile", False),),
    "grimace": (("brow_furrow", False),),
    "jaw_drop": (("mouth_open", False),),
    "dull": (("soft", False),),
    "no_pauses": (("pauses", True), ("long_pause", True)),
    "long_pause": (("pauses", False),),
    "brows_rest": (("brow_furrow", True), ("brow_raise", True), ("smile", True)),
    "body_still": (("body_moves", True),),
    "head_turned": (("head_away", False),),
}
"""Cues, and whether denied, that another cue or observation states with itself."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase with its kind and its value in `words.toml`."""

    text: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A cue in a text: where, and which of its characters are free words of a pattern."""

    cue: str
    channel: Channel
    start: int
    end: int
    free: tuple[tuple[int, int], ...]


@lru_cache(maxsize=1)
def phrases() -> Mapping[str, Phrase]:
    """Phrases by their text, folded."""
    found: dict[str, Phrase] = {}
    with WORDS.open("rb") as file:
        table = tomllib.load(file)
    for kind, values in table.items():
        for value, texts in values.items():
            for spelled in (
                spelled for text in texts for spelled in expand(_named_clip(fold(text)))
            ):
                known = found.setdefault(spelled, Phrase(spelled, kind, value))
                if (known.kind, known.value) != (kind, value):
                    raise ValueError(f"{spelled!r} is {known.kind} and {kind}")
    return found


def _named_clip(text: str) -> str:
    """A phrase of a clip, with more names for one."""
    return text.replace("(clip|video", "(clip|video|footage|sequence|excerpt")


@lru_cache(maxsize=1)
def _lengths() -> Mapping[str, tuple[int, ...]]:
    """Lengths of phrases by their first word or character, the longest first."""
    by_head: dict[str, set[int]] = {}
    for text in phrases():
        by_head.setdefault(head_of(text, 0), set()).add(len(text))
    return {head: tuple(sorted(lengths, reverse=True)) for head, lengths in by_head.items()}


def expand(text: str) -> Iterator[str]:
    """The phrases of a folded text with "(a|b|)" in it, with single spaces.

    Only a group with a bar is one; "(" alone is a phrase.
    """
    group = next((m for m in _GROUP.finditer(text) if "|" in m.group(1)), None)
    if group is None:
        yield " ".join(text.split())
        return
    for choice in group.group(1).split("|"):
        yield from expand(text[: group.start()] + choice + text[group.end() :])


def head_of(text: str, at: int) -> str:
    """The word at a place of a text; a character where no Latin word begins there."""
    match = _WORD.match(text, at)
    return text[at] if match is None or not text[at].isascii() else _latin(match.group())


def _latin(word: str) -> str:
    return next((word[:i] for i, c in enumerate(word) if c >= "\u3400"), word)


def is_boundary(text: str, at: int) -> bool:
    """True unless a Latin word goes on across this place."""
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    return not (_is_latin(before) and _is_latin(after))


def _is_latin(character: str) -> bool:
    return (character.isalnum() or character == "_") and character < "\u3400"


def phrase_at(text: str, at: int, end: int = sys.maxsize) -> Phrase | None:
    """The longest phrase that begins at a place and ends at another one or before it."""
    for length in _lengths().get(head_of(text, at), ()):
        phrase = phrases().get(text[at : at + length]) if at + length <= end else None
        if phrase is not None and is_boundary(text, at + length):
            return phrase
    return None


@lru_cache(maxsize=1)
def _cue_patterns() -> Mapping[Channel, tuple[tuple[str, re.Pattern[str]], ...]]:
    """The lexicon's patterns with each stretch of free words as a group."""
    lexical = lexicon()
    macros = [row["pattern"] for row in read_rows(LEXICON / "macros.csv")]
    optional = [macro for macro in macros if macro.endswith("}")]
    table: dict[Channel, tuple[tuple[str, re.Pattern[str]], ...]] = {}
    for channel, pairs in lexical.patterns.items():
        marked: list[tuple[str, re.Pattern[str]]] = []
        for cue, pattern in pairs:
            text = _FREE.sub(lambda m: f"({m.group()})", pattern.pattern)
            for macro in optional:
                text = text.replace(macro, f"({macro})")
            if channel != "text" and not cue.startswith(WORD_CUES):
                marked.append((cue, re.compile(text)))
        marked += [(cue, re.compile(named)) for cue, named in _names(channel)]
        table[channel] = tuple(marked)
    return table


@lru_cache(maxsize=4096)
def movements_in(text: str, channel: Channel) -> tuple[Hit, ...]:
    """The cues that a folded text states as movements of a part, in order."""
    found = _hits_of(movement_patterns().get(channel, ()), text, channel)
    return tuple(found + [hit for hit in _second_verbs_in(text) if hit.channel == channel])


def _second_verbs_in(text: str) -> Iterator[Hit]:
    """Movements of a part named before another verb ("brows rise and knit")."""
    for part, verbs in second_verbs():
        subject = part.search(text)
        if subject is None:
            continue
        for cue, pattern in verbs:
            for match in pattern.finditer(text, subject.end()):
                between = part_words().sub(
                    lambda m: "" if m.group() == subject.group() else m.group(),  # noqa: B023
                    text[subject.end() : match.start()],
                )
                if _SUBJECT.search(between) is None and not part_words().search(between):
                    yield Hit(cue, lexicon().cues[cue].channel, match.start(1), match.end(1), ())


_SUBJECT = re.compile(
    r"\b(?:she|he|they|it|persons?|people|speaker|wom[ae]n|m[ae]n|camera|voice|smiles?|picture|shot"
    r"|hands?|someone|who|which)\b|[她他它人手声笑]"
)
"""Words that may be the subject of what follows them."""


def _names(channel: Channel) -> Iterator[tuple[str, str]]:
    """Cues and combinations by the name that the rules give them."""
    for key, cue in lexicon().cues.items():
        if cue.channel == channel and (channel == "text" or key.startswith(WORD_CUES)):
            yield key, rf"\b{re.escape(_bare(cue.phrase))}\b"
    for key, cue in lexicon().cues.items():
        if cue.channel == channel:
            yield key, re.escape(fold(cue_name(key, "zh")))
    for combo in lexicon().combos:
        if lexicon().cues[combo.members[0]].channel == channel:
            yield combo.key, re.escape(fold(cue_name(combo.key, "zh")))
        if lexicon().cues[combo.members[0]].channel == channel:
            yield combo.key, rf"\b{re.escape(_bare(combo.phrase))}\b"


def _bare(phrase: str) -> str:
    return re.sub(r"^(?:an?|the) ", "", fold(phrase))


@lru_cache(maxsize=4096)
def hits_in(text: str, channel: Channel) -> tuple[Hit, ...]:
    """The cues that a folded text names on a channel, in order."""
    return tuple(_hits_of(_cue_patterns()[channel], text, channel))


def _hits_of(
    patterns: Sequence[tuple[str, re.Pattern[str]]], text: str, channel: Channel
) -> list[Hit]:
    found = []
    for cue, pattern in patterns:
        match = pattern.search(text) if may_match(pattern, text) else None
        while match is not None:
            free = tuple(_free(text, match))
            if match.group():
                found.append(Hit(cue, channel, match.start(), match.end(), free))
            # A cue of its own may stand in the free words.
            behind = min((start for start, _ in free), default=match.end())
            match = pattern.search(text, max(behind, match.start() + 1))
    return sorted(found, key=lambda hit: (hit.start, -hit.end, hit.cue))


def _free(text: str, match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Where a match holds free words; endings of its own words are none."""
    for number in range(1, len(match.groups()) + 1):
        start, end = match.span(number)
        if start < 0 or start == end:
            continue
        is_ending = start > 0 and not is_boundary(text, start) and text[start:end].isalpha()
        if is_ending and text[start:end] in _endings() and is_boundary(text, end):
            continue
        while start > 0 and not is_boundary(text, start):
            start -= 1
        while end < len(text) and not is_boundary(text, end):
            end += 1
        yield start, end


@lru_cache(maxsize=1)
def _endings() -> frozenset[str]:
    doubled = (c + end for c in "bdfgklmnprtvz" for end in ("ing", "ed", "er", "y"))
    return frozenset((*_ENDS.split(), *doubled))


@lru_cache(maxsize=1)
def emotion_pattern() -> re.Pattern[str]:
    """Any word of any emotion family, the longest first."""
    english, chinese = set(), set()
    for label in lexicon().labels:
        english |= {fold(form).replace("-", " ") for form in (label.name, *label.words)}
        chinese |= {form for form in label.words_zh if len(form) > 1}
    english |= set(lexicon().families)
    one, other = (
        "|".join(re.escape(form) for form in sorted(forms, key=lambda f: (-len(f), f)))
        for forms in (english, chinese)
    )
    return re.compile(rf"\b(?:{one})\b|(?:{other})".replace(r"\ ", "[ -]"))


@lru_cache(maxsize=512)
def families_of(word: str) -> tuple[str, ...]:
    """The families that have this word, folded."""
    plain = word.replace("-", " ")
    found = [
        label.family
        for label in lexicon().labels
        if plain in {fold(f).replace("-", " ") for f in (label.name, *label.words, *label.words_zh)}
    ]
    return tuple(dict.fromkeys(found)) or ((plain,) if plain in lexicon().families else ())
