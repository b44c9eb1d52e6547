"""Patterns of movements: a part of the face, body or voice, and what it does.

Made from `movements.toml`, which lists each part and each verb once. Only the verifier reads
them; what a sign counts for is in `weights.csv`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from emer.agents.lexicon.lexicon import Channel, lexicon

MOVEMENTS = Path(__file__).parent / "movements.toml"
Patterns = tuple[tuple[str, re.Pattern[str]], ...]
"""Cues or observations, each with a pattern whose groups are free words."""
_ARTICLES = r"((?:(?:the|her|his|their|its|both|a|an|own) ){0,2})"
_ADVERBS = (
    r"((?:(?:(?:is|are|was|were|has|have|had|been|being|be) |(?:do|does|did|may|might|could|can) "
    r"|(?:held|kept|stays?|remains?|keeps?|gets?) |(?:seems?|appears?|begins?|starts?) to "
    r"|(?:not|then|also|both|again|still|now|once|twice|first|later|soon) "
    r"|once more |a (?:little|bit) |[a-z]+ly )){0,4})"
)
"""Words between a part and its verb; each is read by itself."""
_BEING = (
    r"(?:is|are|was|were|being|sounds?|stays?|remains?|becomes?|turns?|grows?|sits?|lies|runs|keeps"
    r"|has an?)"
)


@lru_cache(maxsize=1)
def _movements() -> Mapping[str, Mapping[str, Any]]:
    with MOVEMENTS.open("rb") as file:
        return tomllib.load(file)


@lru_cache(maxsize=1)
def movement_patterns() -> Mapping[Channel, Patterns]:
    """Patterns of parts and what they do, by channel; groups are free words."""
    table = _movements()
    found: dict[Channel, list[tuple[str, re.Pattern[str]]]] = {"visual": [], "audio": []}
    moves = [(cue, pair) for cue, pairs in table["cue"].items() for pair in pairs]
    shapes = [
        *((cue, shape) for cue, pair in moves for shape in _moving(table, pair)),
        *((c, s) for c, (noun, w) in table["adjectives"].items() for s in _like(table, noun, w)),
        *((cue, shape) for cue, of in table["more"].items() for shape in of),
    ]
    for cue, shape in shapes:
        pattern = re.compile(shape.replace("<the>", _ARTICLES))
        known = lexicon().cues.get(cue)  # else an observation of `words.toml`
        found[known.channel if known else "visual"].append((cue, pattern))
    return {channel: tuple(pairs) for channel, pairs in found.items()}


def _moving(table: Mapping[str, Mapping[str, Any]], pair: tuple[str, str]) -> Iterator[str]:
    """Patterns of a part and a motion: "brows lift", "a lift of the brows"."""
    part, motion = table["part"][pair[0]], table["motion"][pair[1]]
    for particle, forms, _ in _verbs(motion["go"], table["irregular"]):
        behind = f" {particle}" if particle else "(?: upwards?| downwards?)?"
        yield rf"\b{part}(?:, which)? {_ADVERBS}(?:{forms}){behind}\b"
    for particle, forms, past in _verbs(motion["do"], table["irregular"]):
        behind = f" {particle}" if particle else "(?: upwards?| downwards?)?"
        yield rf"\b{part} {_ADVERBS}(?:{past}){behind}\b"
        yield rf"\b(?:{forms}) <the>{part}{behind}\b"
        yield rf"\b(?:{forms}) {particle} <the>{part}\b" if particle else rf"\b(?:{past}) {part}\b"
    if nouns := "|".join(motion.get("noun", "").split()):
        yield rf"\b(?:{nouns})s? (?:of|in) <the>{part}\b"
        yield rf"\b{part} (?:{nouns})s?\b"


def _verbs(words: str, irregular: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Particles with the forms, and the past forms, of the verbs that have them."""
    by_particle: dict[str, list[tuple[str, str]]] = {}
    for word in words.split():
        base, _, particle = word.replace("+", " ").partition(" ")
        by_particle.setdefault(particle, []).append(_forms(base, irregular))
    for particle, pairs in by_particle.items():
        yield particle, "|".join(forms for forms, _ in pairs), "|".join(past for _, past in pairs)


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


_NOUN = (
    r" (?:(?:inner|outer|upper|lower) )?(?:eye|brow|lid|lip|mouth|corner|jaw|chin|head|shoulder"
    r"|hand|arm|body|torso|gaze|voice|pitch|tone|intonation|smile|muscle|teeth)"
)
"""What follows a participle that is of another part ("and widely opened eyes")."""
_NEXT = r"(?:\band|\bbut|\bthen|,) (?:[a-z]+ly |then |later |soon |again |both )*"


def _named(table: Mapping[str, Mapping[str, Any]], part: str) -> str:
    return str(table["part"][part]).replace("<the>", r"(?:\w+ ){0,2}")


@lru_cache(maxsize=1)
def part_words() -> re.Pattern[str]:
    """Any part, in English or Chinese."""
    parts = [_named(_movements(), part) for part in _movements()["part"]]
    return re.compile(rf"\b(?:{'|'.join(parts)})\b|(?<!镜)头|眉|眼|目光|视线|嘴|肩|身|下巴|音|语调")


@lru_cache(maxsize=1)
def second_verbs() -> tuple[tuple[re.Pattern[str], Patterns], ...]:
    """By part: the verbs that may follow it at a distance, each with its cue."""
    table = _movements()
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for cue, pairs in table["cue"].items():
        for part, motion in pairs if cue in lexicon().cues else ():
            words = f"{table['motion'][motion]['go']} {table['motion'][motion]['do']}"
            for particle, forms, _ in _verbs(words, table["irregular"]):
                behind = f"(?: {particle})" if particle else ""
                shape = rf"{_NEXT}((?:{forms})(?: them| it)?{behind}(?: them| it)?)\b"
                pattern = re.compile(rf"{shape}(?! (?:the|her|his|their|an?) |{_NOUN})")
                found.setdefault(_named(table, part), []).append((cue, pattern))
    english = [(re.compile(rf"\b{part}\b"), tuple(verbs)) for part, verbs in found.items()]
    chinese = [
        (re.compile(part), tuple((cue, _next_zh(verb)) for cue, verb in verbs.items()))
        for part, verbs in table["second_zh"].items()
    ]
    return (*english, *chinese)


def _next_zh(verb: str) -> re.Pattern[str]:
    return re.compile(rf"[,又再后并而](?:[^不没未无,.;]{{0,3}}?)({verb})")
