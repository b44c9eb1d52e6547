"""What the verifier can read: `words.toml`, cue patterns, emotion words."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from emer.agents.lexicon.lexicon import FOLDER as LEXICON
from emer.agents.lexicon.lexicon import WORD_CUES, Channel, lexicon, read_rows
from emer.agents.lexicon.literals import may_match
from emer.agents.rules.phrases import cue_name
from emer.agents.verification.normalization import fold

WORDS = Path(__file__).parent / "words.toml"
MOVEMENTS = Path(__file__).parent / "movements.toml"
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
    "smile_eyes": (("smile", False),),
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
            texts = [
                text.replace("(clip|video", "(clip|video|footage|sequence|excerpt")
                for text in texts
            ]
            for spelled in (spelled for text in texts for spelled in expand(fold(text))):
                known = found.setdefault(spelled, Phrase(spelled, kind, value))
                if (known.kind, known.value) != (kind, value):
                    raise ValueError(f"{spelled!r} is {known.kind} and {kind}")
    return found


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


@lru_cache(maxsize=1)
def _movement_patterns() -> Mapping[Channel, tuple[tuple[str, re.Pattern[str]], ...]]:
    """Patterns of parts and what they do, from `movements.toml`; groups are free words."""
    table = _movements()
    found: dict[Channel, list[tuple[str, re.Pattern[str]]]] = {"visual": [], "audio": []}
    shapes = [
        *(
            (cue, s)
            for cue, of in table["cue"].items()
            for pair in of
            for s in _moving(table, pair)
        ),
        *((c, s) for c, (noun, w) in table["adjectives"].items() for s in _like(table, noun, w)),
        *((cue, shape) for cue, of in table["more"].items() for shape in of),
    ]
    for cue, shape in shapes:
        pattern = re.compile(shape.replace("<the>", _ARTICLES))
        known = lexicon().cues.get(cue)  # else an observation of `words.toml`
        found[known.channel if known else "visual"].append((cue, pattern))
    return {channel: tuple(pairs) for channel, pairs in found.items()}


_ARTICLES = r"((?:(?:the|her|his|their|its|both|a|an|own) ){0,2})"
_ADVERBS = (
    r"((?:(?:(?:is|are|was|were|has|have|had|been|being|be) |(?:do|does|did|may|might|could|can) "
    r"|(?:held|kept|stays?|remains?|keeps?|gets?) |(?:seems?|appears?|begins?|starts?) to |(?:not|then|also|both|again|still|now|once|twice|first|later|soon) "
    r"|once more |a (?:little|bit) |[a-z]+ly )){0,4})"
)
"""Words between a part and its verb; each is read by itself."""
_BEING = r"(?:is|are|was|were|sounds?|stays?|remains?|becomes?|turns?|grows?|sits?|lies|runs|keeps|has an?|being)"


def _moving(table: Mapping[str, Mapping[str, Any]], pair: tuple[str, str]) -> Iterator[str]:
    """Patterns of a part and a motion: "brows lift", "lifts her brows", "a lift of the brows"."""
    part, motion = table["part"][pair[0]], table["motion"][pair[1]]
    for verbs, is_with_object in ((motion["go"], False), (motion["do"], True)):
        for verb in verbs.split():
            base, _, particle = verb.replace("+", " ").partition(" ")
            forms, past = _forms(base, table["irregular"])
            behind = f" {particle}" if particle else "(?: upwards?| downwards?)?"
            if not is_with_object:
                yield rf"\b{part}(?:, which)? {_ADVERBS}(?:{forms}){behind}\b"
                continue
            yield rf"\b{part} {_ADVERBS}(?:{past}){behind}\b"
            yield rf"\b(?:{forms}) <the>{part}{behind}\b"
            if particle:
                yield rf"\b(?:{forms}) {particle} <the>{part}\b"
            else:
                yield rf"\b(?:{past}) {part}\b"
    if nouns := "|".join(motion.get("noun", "").split()):
        yield rf"\b(?:{nouns})s? (?:of|in) <the>{part}\b"
        yield rf"\b{part} (?:{nouns})s?\b"


def _like(table: Mapping[str, Mapping[str, Any]], noun: str, words: str) -> Iterator[str]:
    """Patterns of an adjective with a word for a voice, alone or beside another one."""
    every = "|".join(sorted({w for _, ws in table["adjectives"].values() for w in ws.split()}))
    part, own = table["voice"][noun], "|".join(words.split())
    joint = r"(?:, and |,? and |, )"
    yield rf"\b(?:{own})(?:{joint}({every}))?(?:{joint}({every}))? {part}\b"
    yield rf"\b({every}){joint}(?:{own}) {part}\b"
    yield rf"\b(?:{own})(?:{joint}({every}))?, (?:the|her|his|their) {part}\b"
    yield rf"\b({every}){joint}(?:{own}), (?:the|her|his|their) {part}\b"
    quality = r"an? {} (?:edge|quality|ring|timbre|sound|note)\b"
    for pair in (rf"(?:{own})(?:{joint}({every}))?", rf"({every}){joint}(?:{own})"):
        yield rf"\b(?:has|with|takes on|acquires|gains|carries) {quality.format(pair)}"
    yield (
        rf"\b{part} {_ADVERBS}{_BEING} {_ADVERBS}(?:({every}){joint})?(?:{own})\b"
        r"(?: (?:edge|quality|tone|timbre|ring|sound))?"
    )
    yield (
        rf"\b{part} {_ADVERBS}{_BEING} {_ADVERBS}(?:{own}){joint}({every})\b"
        r"(?: (?:edge|quality|tone|timbre|ring|sound))?"
    )


def _forms(verb: str, irregular: Mapping[str, str]) -> tuple[str, str]:
    """The forms of an English verb, and its past forms, as choices of a pattern."""
    stem = verb.removesuffix("e")
    doubled = stem + stem[-1] if verb in _DOUBLED else stem
    past = irregular.get(verb, f"{doubled}ed").replace(" ", "|")
    third = f"{verb}es" if verb.endswith(("s", "sh", "ch", "o")) else f"{verb}s"
    return f"{verb}|{third}|{doubled}ing|{past}", past


_DOUBLED = ("drop", "dip", "tip", "knit", "shut", "slip", "sag", "swim", "stir", "sit")


@lru_cache(maxsize=4096)
def movements_in(text: str, channel: Channel) -> tuple[Hit, ...]:
    """The cues that a folded text states as movements of a part, in order."""
    found = _hits_of(_movement_patterns().get(channel, ()), text, channel)
    return tuple(found + [hit for hit in _second_verbs_in(text) if hit.channel == channel])


def _second_verbs_in(text: str) -> Iterator[Hit]:
    """Movements of a part named before another verb ("her brows rise and draw together")."""
    for part, verbs in _second_verbs():
        subject = part.search(text)
        if subject is None:
            continue
        for cue, pattern in verbs:
            for match in pattern.finditer(text, subject.end()):
                between = _part_words().sub(
                    lambda m: "" if m.group() == subject.group() else m.group(),  # noqa: B023
                    text[subject.end() : match.start()],
                )
                if _SUBJECT.search(between) is None and not _part_words().search(between):
                    yield Hit(cue, lexicon().cues[cue].channel, match.start(1), match.end(1), ())


_SUBJECT = re.compile(
    r"\b(?:she|he|they|it|persons?|people|speaker|wom[ae]n|m[ae]n|camera|voice|smiles?|picture|shot"
    r"|hands?|someone|who|which)\b|[她他它人手声笑]"
)
"""Words that may be the subject of what follows them."""


@lru_cache(maxsize=1)
def _part_words() -> re.Pattern[str]:
    parts = [part.replace("<the>", r"(?:\w+ ){0,2}") for part in _movements()["part"].values()]
    return re.compile(rf"\b(?:{'|'.join(parts)})\b|(?<!镜)头|眉|眼|目光|视线|嘴|肩|身|下巴|音|语调")


@lru_cache(maxsize=1)
def _second_verbs() -> tuple[tuple[re.Pattern[str], list[tuple[str, re.Pattern[str]]]], ...]:
    """By part: the verbs that may follow it at a distance, each with its cue."""
    table = _movements()
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for cue, pairs in table["cue"].items():
        for part, motion in pairs if cue in lexicon().cues else ():
            for verb in f"{table['motion'][motion]['go']} {table['motion'][motion]['do']}".split():
                base, _, particle = verb.replace("+", " ").partition(" ")
                forms, _ = _forms(base, table["irregular"])
                shape = (
                    rf"(?:{forms})(?: them| it)?(?: {particle})" if particle else rf"(?:{forms})"
                )
                shape = rf"(?:\band|\bbut|\bthen|,) (?:[a-z]+ly |then |later |soon |again |both )*({shape}(?: them| it)?)\b"
                pattern = re.compile(rf"{shape}(?! (?:the|her|his|their|an?) )")
                found.setdefault(table["part"][part].replace("<the>", r"(?:\w+ ){0,2}"), []).append(
                    (cue, pattern)
                )
    english = [(re.compile(rf"\b{part}\b"), verbs) for part, verbs in found.items()]
    chinese = [
        (
            re.compile(part),
            [
                (cue, re.compile(rf"[,又再后并而](?:[^不没未无,.;]{{0,3}}?)({verb})"))
                for cue, verb in verbs.items()
            ],
        )
        for part, verbs in table["second_zh"].items()
    ]
    return (*english, *chinese)


@lru_cache(maxsize=1)
def _movements() -> Mapping[str, Mapping[str, Any]]:
    with MOVEMENTS.open("rb") as file:
        return tomllib.load(file)


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
