"""From what a captioner says is felt to what it can have seen: "is sad" becomes "is sad-looking".

A picture shows how a person looks. Whoever reads the clue may weigh the word; nobody is told
that it is known.
"""

from __future__ import annotations

import re

_FELT = """
afraid aggrieved agitated alarmed amazed amused angry annoyed anxious apathetic apprehensive
ashamed astonished at-ease attentive averse awkward bashful bewildered bored calm caring
cheerful composed concentrated concerned confused contemptuous content contented curious
dejected delighted depressed desperate determined devastated disappointed discontent
discontented disdainful disgusted dismissive displeased dissatisfied distressed doubtful
downcast easygoing elated embarrassed enraged excited exhausted expectant fatigued fearful
focused friendly frightened frustrated furious gloomy grateful grieving guilty happy heartbroken
helpless hopeful horrified ill-at-ease impatient indifferent indignant interested irritable
irritated jealous joyful joyous let-down lonely loving low-spirited mad melancholy mournful
nervous outraged overjoyed panicked peaceful perplexed playful pleased powerless proud puzzled
regretful relaxed relieved remorseful reproachful resentful resolute revolted sad sarcastic
satisfied scared sceptical scornful serious shocked shy skeptical solemn sorrowful stern
stressed stunned surprised suspicious sympathetic tense terrified thankful thrilled tired
troubled uneasy unhappy upset weary worried
"""
FELT = frozenset(_FELT.split())
"""Adjectives of feeling; the lexicon's are among them (tests/tools/caption/test_wording.py)."""

_SEEMS = re.compile(
    r"\b(?:look|looks|looking|looked|appear|appears|appearing|seem|seems|seeming|like|"
    r"expression of|as if)\b"
    r"(?!\s+(?:at|away|down|up|to(?! be)|towards?|into|out|over|back|around|for)\b)"
    r"[\w\s]{0,20}$"
)
_FEELS = re.compile(
    r"\b(?:feels|feel|felt|feeling)\b"
    r"(?=\s+(?:(?:very|so|quite|rather|a|bit|little|too|\w+ly)\s+){0,3}([\w-]+))"
)
_LETTERS = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")


def as_seen(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text with feelings told as looks, and the words that were."""
    plain = _FEELS.sub(_looks, text)
    told: list[str] = []

    def change(found: re.Match[str]) -> str:
        word = found.group()
        if word.casefold() not in FELT:
            return word
        told.append(word.casefold())
        return word if _SEEMS.search(plain[: found.start()]) else f"{word}-looking"

    return _LETTERS.sub(change, plain), tuple(dict.fromkeys(told))


def _looks(found: re.Match[str]) -> str:
    """Return "looks" for "feels", where a feeling follows and not a thing that is touched."""
    if found.group(1).casefold() not in FELT:
        return found.group()
    return "looking" if found.group() == "feeling" else "looks"
