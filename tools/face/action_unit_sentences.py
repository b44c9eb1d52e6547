"""Sentences about action units: what moves, how much, and when it is strongest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from emer.tools.face.action_units import UPPER_UNITS, Event
from emer.tools.face.analysis import Portrait
from emer.tools.face.findings import Finding, touches
from emer.tools.text import when
from emer.tools.timeseries import Mask, Stretch, frame_time

AMOUNT: Final = {
    "A": "slightly", "B": "slightly", "C": "clearly", "D": "strongly", "E": "strongly"
}  # fmt: skip
WORDS: Final = {
    "pulled_corners": "pulls the corners of the mouth back {amount} while the brows are drawn "
    "together",
    "one_corner": "raises one corner of the mouth, the {side} one, {amount}",
    "corners_down": "turns the corners of the mouth down {amount}",
    "brow_raise": "raises the eyebrows {amount}",
    "inner_brow_raise": "raises the inner eyebrows {amount}",
    "outer_brow_raise": "raises the outer eyebrows {amount}",
    "frown": "furrows the brows {amount}",
    "drawn_up": "raises the inner eyebrows and draws the brows together {amount}",
    "wide_eyes": "opens the eyes wide",
    "pressed_lips": "presses the lips together {amount}",
    "pucker": "puckers the lips {amount}",
    "stretched_lips": "stretches the lips sideways {amount}",
    "chin_raise": "pushes the chin up {amount}",
    "jaw_drop": "lowers the jaw {amount} while the mouth stays shut",
    "jaw_aside": "moves the jaw sideways {amount}, to the person's own {side}",
    "cheek_raise": "raises the cheeks {amount}",
    "lid_tighten": "tightens the eyelids {amount}",
    "nose_wrinkle": "wrinkles the nose {amount}",
    "upper_lip_raise": "raises the upper lip {amount}",
    "dimple": "draws the corners of the mouth in {amount}",
    "lower_lip_down": "pulls the lower lip down {amount}",
    "funnel": "pushes the lips forward like a funnel {amount}",
    "lips_rolled": "rolls the lips in {amount}",
    "jaw_forward": "pushes the jaw forward {amount}",
    "cheek_puff": "puffs the cheeks {amount}",
}
CODES: Final = {
    "pressed_lips": "AU23/24/28, ", "pucker": "AU18/22, ", "jaw_drop": "",
    "cheek_raise": "", "dimple": "",
}  # fmt: skip
"""What is said instead of "AU1+2, ". A lowered jaw (AU26), raised cheeks (AU6) and a dimple on both
sides (AU14) are not coded in the words: read alone, the codes stand for an open mouth, a smile
with the eyes, and one corner of the mouth."""
TELLING: Final = {
    "smile": 3.0, "pulled_corners": 3.0, "brow_raise": 2.0, "frown": 2.2, "drawn_up": 2.2,
    "inner_brow_raise": 1.8,
    "corners_down": 1.8, "wide_eyes": 2.0, "one_corner": 1.4, "pressed_lips": 1.6,
    "outer_brow_raise": 1.0, "stretched_lips": 1.0, "chin_raise": 1.3, "pucker": 0.8,
    "jaw_drop": 0.8, "jaw_aside": 1.0,
    "cheek_raise": 0.8, "lid_tighten": 1.2, "nose_wrinkle": 2.0, "upper_lip_raise": 1.6,
    "dimple": 0.8, "lower_lip_down": 0.8, "funnel": 0.8, "lips_rolled": 1.0, "jaw_forward": 0.6,
    "cheek_puff": 0.8,
}  # fmt: skip
"""How much a unit tells an observer: decides which events are said when there are many."""
NEVER_RESTS: Final = "measured against an average face, since this face never rests in the clip"
TOO_SHORT: Final = "measured against an average face: the clip is too short for a baseline"


def of_units(portrait: Portrait, inside: Mask) -> Iterator[Finding]:
    """Yield the strongest events of each unit, at most three."""
    if portrait.rest.smiling_throughout:
        yield _constant_smile(portrait)
    names = sorted({e.name for e in portrait.events})
    for name in names:
        events = [e for e in portrait.events if e.name == name and touches(e.frames, inside)]
        if name == "smile" and portrait.rest.smiling_throughout:
            continue
        strongest = sorted(events, key=lambda e: (-_strength(e), e.onset))
        for rank, event in enumerate(strongest[:2]):
            yield _of_event(portrait, event, strongest, rank)


def _strength(event: Event) -> float:
    """Return how much there is to see: size against noise, and how long it lasts."""
    lasts = min(event.offset - event.onset, 2.0)
    size = float(np.sqrt("ABCDE".index(event.letter)))
    return min(event.z, 10.0) / 2.5 * (0.4 + 0.6 * lasts) * size


def _of_event(portrait: Portrait, event: Event, alike: Sequence[Event], rank: int) -> Finding:
    words = _smile_words(portrait, event) if event.name == "smile" else WORDS[event.name]
    said = words.format(amount=AMOUNT[event.letter], side=event.side)
    units = CODES.get(event.name, f"AU{'+'.join(str(u) for u in event.units)}, ")
    at = f"at {when(event.onset, event.offset)}"
    more = f"; it happens {len(alike)} times in all" if rank == 0 and len(alike) > 2 else ""
    limit = f"; {TOO_SHORT}" if portrait.rest.too_short else ""
    return Finding(
        says=f" {said} {at}, most at {event.apex:.1f} s "
        f"({units}intensity {event.letter}{more}{limit}).",
        start=event.onset,
        end=event.offset,
        weight=TELLING[event.name] * _strength(event) * event.trust * 0.6**rank,
        data={
            "unit": event.name,
            "action_units": [f"AU{u}" for u in event.units],
            "intensity": event.letter,
            "side": event.side,
            "onset": round(event.onset, 2),
            "apex": round(event.apex, 2),
            "offset": round(event.offset, 2),
            ("peak_score" if event.trust < 1.0 else "peak_iod"): round(event.peak, 3),
            "z": round(event.z, 1),
            "margin": round(event.margin, 1),
            "times": len(alike),
            "baseline": "average face" if portrait.rest.too_short else "own",
            **({} if event.by == "geometry" else {"by": event.by}),
        },
        frames=event.frames,
        half=int(event.units[0] not in UPPER_UNITS),
        trust=event.trust,
    )


def _smile_words(portrait: Portrait, event: Event) -> str:
    """Return "smiles ...", with what mouth and eyes add to it."""
    part = slice(event.frames.first, event.frames.last + 1)
    told = {"narrow": "the eyes narrowing", "shut": "the eyes closed"}
    eyes = eyes_while(portrait, event.frames)
    shut_mouth = np.median(portrait.measures.mouth_gap[part]) < 0.03
    held = (["the mouth closed"] if shut_mouth else []) + ([told[eyes]] if eyes in told else [])
    words = "smiles {amount}" + (" with " + " and ".join(held) if held else "")
    return words + (" without the eyes taking part" if eyes == "still" else "")


def eyes_while(portrait: Portrait, frames: Stretch) -> str:
    """Return "narrow", "shut", "still" or "unclear": what the eyes do during a smile.

    Cheek raise (AU6) and lid tightening (AU7) cannot be told apart here; both narrow the
    eyes. Blinks are left out.
    """
    part = slice(frames.first, frames.last + 1)
    share = portrait.measures.openness[part] / max(_eyes_at_other_times(portrait), 0.2)
    if (share < 0.4).mean() > 0.5:
        return "shut"
    share = share[share > 0.4]
    turned = np.abs(portrait.measures.pitch[part] - portrait.rest.pitch).mean()
    if len(share) < 5 or turned > 12:
        return "unclear"
    level = float(np.median(share))
    return "narrow" if level < 0.88 else "still" if level > 0.96 else "unclear"


def _eyes_at_other_times(portrait: Portrait) -> float:
    """Return the eyes' usual opening while nothing smiles, or at rest where that is brief."""
    other = np.ones(len(portrait.measures), dtype=bool)
    for event in portrait.events:
        if event.name == "smile":
            other[event.frames.first : event.frames.last + 1] = False
    usual = float(portrait.rest.levels["eye_opening"].mean())
    opened = portrait.measures.openness[other]
    opened = opened[opened > 0.6 * usual]
    enough = len(opened) * frame_time(portrait.measures.times) >= 0.4
    return float(np.median(opened)) if enough else usual


def _constant_smile(portrait: Portrait) -> Finding:
    times = portrait.measures.times
    eyes = " with the eyes narrow" if _narrow_absolute(portrait) else ""
    return Finding(
        says=f" smiles throughout{eyes}, at {when(times[0], times[-1])} "
        f"(AU12; baseline unavailable: {NEVER_RESTS}).",
        start=float(times[0]),
        end=float(times[-1]),
        weight=8.0,
        data={"unit": "smile", "action_units": ["AU12"], "baseline": "unavailable"},
        frames=Stretch(0, len(times) - 1),
        half=1,
    )


def _narrow_absolute(portrait: Portrait) -> bool:
    return bool(np.median(portrait.measures.openness) < 0.22)
