"""Words by which a caption's grammar is read: what people do, what no noun is, what no name is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_ACTS = """
answer appear approach argue ask bend bite blink blow bow breathe brush carry catch celebrate chat
cheer clap clasp clean clench climb close comb comfort cook cough cover cross crouch cry cut cycle
dance dig dress drink drive droop drop eat embrace enter exhale face fight fix fold frown furrow
gasp gaze gesture give glance glare grab greet grimace grin grip hammer hand hide hit hold hug hum
jump kick kiss kneel laugh lay lean leave lick lie lift listen look lower make move narrow nod open
paddle paint pat peek perform pet pick point pose pour pout pray press pull punch push put quiver
raise reach read rest ride rub run salute scowl scratch scream shake shiver shoot shout shove show
shrug sigh sign sing sip sit slam slap sleep smile smirk smoke sniff sob speak squint stand stare
step stir stretch swim talk teach tell throw tie tighten tilt touch tremble turn twitch type wait
walk wash wave wear weep whisper widen wink wipe work write yawn yell
"""
ACTS = frozenset(_ACTS.split())
"""Verbs of what people are seen to do; other verbs are not told from nouns."""
_PAST = "held wore stood sat spoke sang ate drank wrote ran took gave lay hid shook slept wept told"
PAST = frozenset(_PAST.split())

_LITTLE = """
a about above across after again against all along also alone among an and any are around as at
away back before behind being below beside between both but by can could did do does down during
each for from had has have he her here him his how in inside into is it its just like may might
must near nearby next nor not now of off on onto opposite or out outside over past she should since
so some still than that the their them then there these they us we this those through to together
too toward towards under until up upon was were what when where which while who whom whose why will
with within without would yet
"""
LITTLE = frozenset(_LITTLE.split())
"""Words of grammar: none of them is a noun that another word could stand before."""

_COMMON = """
i man men woman women boy boys girl girls child children person people kid kids baby couple group
crowd lady guy student students player players teacher everyone everybody someone somebody nobody
young old elderly middle-aged close-up portrait text title hair water smoke snow rain light
sunlight blood sweat food music traffic makeup sand grass fire steam dust fog confetti nothing
something everything yes no therefore however overall additionally meanwhile moreover furthermore
thus hence perhaps note finally answer
asian african american european indian chinese japanese korean british english french german
italian spanish russian mexican brazilian turkish arab arabic muslim jewish christian hispanic
latino latina caucasian black white western eastern hindi latin greek roman thai vietnamese
one two three four five six several many
january february march april may june july august september october november december
monday tuesday wednesday thursday friday saturday sunday christmas easter halloween thanksgiving
"""
KNOWN = frozenset(_COMMON.split()) | LITTLE
"""Words that have a capital and are nobody's name."""
_PLACE = """
airport avenue bay beach bridge building castle cathedral center centre church city coast college
court day desert eve festival forest garden hall hospital hotel house island lake logo mall mount
mountain museum ocean palace park plaza river road school sea square stadium station store street
studio temple theater theatre tower university valley wall year
"""
PLACES = frozenset(_PLACE.split())
"""Words in the names of places, buildings and days."""

QUOTED = re.compile(r'"[^"]*"|“[^”]*”')
"""What is quoted, as the words of a sign are."""
_KEPT = re.compile(r"\ue000(\d+)\ue001")


def does(word: str) -> bool:
    """Tell whether a word is a form of a verb of what people do."""
    return bool(forms(word) & ACTS) or word in PAST


def forms(word: str) -> set[str]:
    """Return what a word may be a form of: "smiling" of "smile", "sits" of "sit"."""
    found = {word}
    for ending in ("s", "es", "ing", "ed"):
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            found |= {stem, f"{stem}e", stem[:-1] if stem[-1:] == stem[-2:-1] else stem}
    return found | {f"{word[:-3]}y" if word.endswith(("ies", "ied")) else word}


def any_of(words: Iterable[str]) -> str:
    """Return a pattern of these words, the longest first."""
    return f"(?:{'|'.join(sorted(words, key=lambda word: (-len(word), word)))})"


def outside_quotes(text: str, change: Callable[[str], str]) -> str:
    """Return the text changed but for what is quoted, as signs are."""
    quoted = QUOTED.findall(text)
    numbers = iter(range(len(quoted)))
    bare = QUOTED.sub(lambda _: f"\ue000{next(numbers)}\ue001", text)
    return _KEPT.sub(lambda found: quoted[int(found.group(1))], change(bare))
