"""From what a captioner says is felt to what it can have seen: "is sad" becomes "is sad-looking".

A picture shows how a person looks. Whoever reads the clue may weigh the word; nobody is told
that it is known.
"""

from __future__ import annotations

import re

from emer.tools.caption.grammar import outside_quotes

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

_NOUNS = """
affection agitation agony amazement amusement anger anguish annoyance anticipation anxiety
apprehension astonishment aversion awe bewilderment bliss boredom calmness compassion concern
confusion contempt contentment curiosity defiance dejection delight despair desperation
determination disappointment disapproval disbelief discomfort discontent disdain disgust dismay
displeasure dissatisfaction distaste distress distrust doubt dread ecstasy elation embarrassment
emotion emotions enthusiasm envy exasperation excitement fear feelings friendliness fright
frustration fury gratitude grief guilt happiness hate hatred helplessness hesitation hope
hopelessness horror hostility hurt impatience indifference indignation interest irritation jealousy
joy loneliness longing love melancholy misery mistrust nervousness nostalgia outrage pain panic
pity pleasure pride rage regret relief remorse resentment revulsion sadness sarcasm satisfaction
scorn seriousness shame shock shyness sorrow stress surprise suspicion sympathy tenderness tension
terror triumph uncertainty unease uneasiness unhappiness weariness worries worry wrath
"""
NOUNS = frozenset(_NOUNS.split())
"""Nouns of feeling; the lexicon's are among them, too."""

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
_LETTERS = re.compile(r"(?!(?:composed|content) of\b)[A-Za-z]+(?:-[A-Za-z]+)*")


def as_seen(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text with feelings told as looks, and the words that were."""
    told: list[str] = []
    seen = outside_quotes(text, lambda bare: _as_seen(bare, told))
    return seen, tuple(dict.fromkeys(told))


def _as_seen(text: str, told: list[str]) -> str:
    plain = _FEELS.sub(_looks, text)

    def change(found: re.Match[str]) -> str:
        word = found.group()
        seems = _SEEMS.search(plain[: found.start()])
        if word.casefold() in FELT or (seems and word.casefold() in NOUNS):
            told.append(word.casefold())
        return word if seems or word.casefold() not in FELT else f"{word}-looking"

    return _LETTERS.sub(change, plain)


def _looks(found: re.Match[str]) -> str:
    """Return "looks" for "feels", where a feeling follows and not a thing that is touched."""
    if found.group(1).casefold() not in FELT:
        return found.group()
    return "looking" if found.group() == "feeling" else "looks"
