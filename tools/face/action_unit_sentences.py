"""Sentences about action units: what moves, how much, and when it is strongest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from pydantic import JsonValue

from emer.tools.cues import FACS_LETTERS, stated
from emer.tools.face.action_units import Event
from emer.tools.face.analysis import FaceAnalysis
from emer.tools.face.baseline import smile_shaped
from emer.tools.text import when
from emer.tools.timeseries import Mask, Stretch, frame_time, mask_of
from emer.tools.types import CueMention


@dataclass(frozen=True, slots=True)
class Finding:
    """Words after the person's name, with their time, weight and numbers."""

    text: str
    start: float
    end: float
    weight: float
    data: dict[str, JsonValue]
    frames: Stretch
    half: int | None = None
    """The half of the face it rests on: 0 upper, 1 lower; None for the head's pose."""
    trust: float = 1.0
    """Share of the measurement's quality that is left for this sentence."""
    cues: tuple[CueMention, ...] = ()


def overlaps(stretch: Stretch, inside: Mask) -> bool:
    """Whether any frame of the stretch is inside."""
    return bool(inside[stretch.part].any())


class Words(NamedTuple):
    """How an action unit is described, and how much it matters among others."""

    text: str
    cue: str
    salience: float
    """Chosen by us: decides which events are described when there are many."""
    code: str | None = None
    """Replaces "AU1+2, ". A lowered jaw (AU26), raised cheeks (AU6) and a dimple on
    both sides (AU14) are not coded in the words: read alone, the codes stand for an open mouth, a
    smile with the eyes, and one corner of the mouth."""


AMOUNT: Final = {
    "A": "slightly", "B": "slightly", "C": "clearly", "D": "strongly", "E": "strongly"
}  # fmt: skip
WORDS: Final = {
    "smile": Words("smiles {amount}", "smile", 3.0),
    "pulled_corners": Words(
        "pulls the corners of the mouth back {amount} while the brows are drawn together",
        "grimace",
        3.0,
    ),
    "one_corner": Words(
        "raises one corner of the mouth, the {side} one, {amount}", "smile_one_sided", 1.4
    ),
    "corners_down": Words("turns the corners of the mouth down {amount}", "corners_down", 1.8),
    "brow_raise": Words("raises the eyebrows {amount}", "brow_raise", 2.0),
    "inner_brow_raise": Words("raises the inner eyebrows {amount}", "inner_brow_raise", 1.8),
    "outer_brow_raise": Words("raises the outer eyebrows {amount}", "outer_brow_raise", 1.0),
    "frown": Words("furrows the brows {amount}", "brow_furrow", 2.2),
    "drawn_up": Words(
        "raises the inner eyebrows and draws the brows together {amount}", "inner_brow_raise", 2.2
    ),
    "wide_eyes": Words("opens the eyes wide", "eyes_wide", 2.0),
    "pressed_lips": Words(
        "presses the lips together {amount}", "lips_pressed", 1.6, "AU23/24/28, "
    ),
    "pucker": Words("puckers the lips {amount}", "lips_pucker", 0.8, "AU18/22, "),
    "stretched_lips": Words("stretches the lips sideways {amount}", "lips_stretch", 1.0),
    "chin_raise": Words("pushes the chin up {amount}", "chin_raise", 1.3),
    "jaw_drop": Words("lowers the jaw {amount} while the mouth stays shut", "jaw_lowered", 0.8, ""),
    "jaw_aside": Words(
        "moves the jaw sideways {amount}, to the person's own {side}", "jaw_sideways", 1.0
    ),
    "cheek_raise": Words("raises the cheeks {amount}", "cheek_raise", 0.8, ""),
    "lid_tighten": Words("tightens the eyelids {amount}", "eyes_narrow", 1.2),
    "nose_wrinkle": Words("wrinkles the nose {amount}", "nose_wrinkle", 2.0),
    "upper_lip_raise": Words("raises the upper lip {amount}", "upper_lip_raise", 1.6),
    "dimple": Words("draws the corners of the mouth in {amount}", "dimple", 0.8, ""),
    "lower_lip_down": Words("pulls the lower lip down {amount}", "lower_lip_down", 0.8),
    "funnel": Words("pushes the lips forward like a funnel {amount}", "lip_funnel", 0.8),
    "lips_rolled": Words("rolls the lips in {amount}", "lips_rolled", 1.0),
    "jaw_forward": Words("pushes the jaw forward {amount}", "jaw_forward", 0.6),
    "cheek_puff": Words("puffs the cheeks {amount}", "cheek_puff", 0.8),
}
Eyes = Literal["shut", "narrow", "still"]
NEAR_SMILE_S: Final = 0.3
"""Seconds around a smile in which its eyes may be narrow already, or still (chosen by us)."""
EYES: Final[dict[Eyes, str]] = {
    "shut": "eyes_closed",
    "narrow": "smile_eyes",
    "still": "smile_social",
}
"""Cues of the eyes in a smile."""
NEVER_RESTS: Final = "measured against an average face, since this face never rests in the clip"
HELD: Final = "measured against a neutral face, since the mouth does not rest in the clip"
TOO_SHORT: Final = "measured against an average face: the clip is too short for a baseline"


def unit_findings(face: FaceAnalysis, inside: Mask) -> Iterator[Finding]:
    """The two strongest events of each unit that overlap with `inside`."""
    if face.rest.smiling_throughout:
        times = face.measures.times
        narrow = bool(np.median(face.measures.openness) < 0.22)
        eyes = " with the eyes narrow" if narrow else ""
        yield Finding(
            text=f" smiles throughout{eyes}, at {when(times[0], times[-1])} "
            f"(AU12; baseline unavailable: {NEVER_RESTS}).",
            start=float(times[0]),
            end=float(times[-1]),
            weight=8.0,
            data={"unit": "smile", "action_units": ["AU12"], "baseline": "unavailable"},
            frames=Stretch(0, len(times) - 1),
            half=1,
            cues=stated(("smile", "smile_eyes") if narrow else ("smile",)),
        )
    for name in sorted({e.name for e in face.events}):
        if name == "smile" and face.rest.smiling_throughout:
            continue
        events = [e for e in face.events if e.name == name and overlaps(e.frames, inside)]
        strongest = sorted(events, key=lambda e: (-_strength(e), e.onset))
        for rank, event in enumerate(strongest[:2]):
            yield _event(face, event, len(events), rank)


def _strength(event: Event) -> float:
    seconds = min(event.offset - event.onset, 2.0)
    size = float(np.sqrt("ABCDE".index(event.letter)))
    return min(event.z, 10.0) / 2.5 * (0.4 + 0.6 * seconds) * size


def _event(face: FaceAnalysis, event: Event, count: int, rank: int) -> Finding:
    words = WORDS[event.name]
    text = words.text.format(amount=AMOUNT[event.letter], side=event.side)
    smiles = event.name == "smile"
    details, detail_cues = _eyes_and_mouth(face, event.frames) if smiles else ("", ())
    text += details
    code = f"AU{'+'.join(str(u) for u in event.units)}, " if words.code is None else words.code
    more = f"; it happens {count} times in all" if rank == 0 and count > 2 else ""
    limit = f"; {TOO_SHORT}" if face.rest.too_short else f"; {HELD}" if event.absolute else ""
    return Finding(
        text=f" {text} at {when(event.onset, event.offset)}, most at {event.apex:.1f} s "
        f"({code}intensity {event.letter}{more}{limit}).",
        start=event.onset,
        end=event.offset,
        weight=words.salience * _strength(event) * event.trust * 0.6**rank,
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
            "times": count,
            "baseline": "average face" if face.rest.too_short or event.absolute else "own",
            **({} if event.by == "geometry" else {"by": event.by}),
        },
        frames=event.frames,
        half=event.half,
        trust=event.trust,
        cues=stated((words.cue, *detail_cues), FACS_LETTERS[event.letter.lower()]),
    )


def _eyes_and_mouth(face: FaceAnalysis, frames: Stretch) -> tuple[str, tuple[str, ...]]:
    """What mouth and eyes do in a smile, with its cues; blinks are left out.

    Cheek raise (AU6) and lid tightening (AU7) both narrow the eyes: no difference here.
    """
    usual = _usual_opening(face)
    opening = face.rest.levels["eye_opening"].mean() if usual is None else usual
    share = face.measures.openness[frames.part] / max(float(opening), 0.2)
    shut, opened = (share < 0.4).mean() > 0.5, share[share > 0.4]
    turned = np.abs(face.measures.pitch[frames.part] - face.rest.pitch).mean()
    clear = not shut and len(opened) >= 5 and turned <= 12
    level = float(np.median(opened)) if clear else np.nan
    closed = bool(np.median(face.measures.mouth_gap[frames.part]) < 0.03)
    # Eyes that narrow in a smile that never ends have no opening to compare with.
    eyes: Eyes | None = "still" if level > 0.96 and usual is not None else None
    eyes = "shut" if shut else "narrow" if level < 0.88 else eyes
    return smile_details(closed, eyes)


def smile_details(closed: bool, eyes: Eyes | None) -> tuple[str, tuple[str, ...]]:
    """Words and cues of the mouth and eyes in a smile."""
    parts, cues = (["the mouth closed"], ["smile_closed"]) if closed else ([], [])
    if eyes:
        cues.append(EYES[eyes])
    if eyes in ("shut", "narrow"):
        parts.append("the eyes closed" if eyes == "shut" else "the eyes narrowing")
    words = " with " + " and ".join(parts) if parts else ""
    return words + (" without the eyes taking part" if eyes == "still" else ""), tuple(cues)


def _usual_opening(face: FaceAnalysis) -> float | None:
    """The eyes' opening well before and after smiles; None where that is brief."""
    measures, near = face.measures, round(NEAR_SMILE_S / frame_time(face.measures.times))
    smiles = [
        Stretch(max(0, e.frames.first - near), e.frames.last + near)
        for e in face.events
        if e.name in ("smile", "pulled_corners")
    ]
    rest = float(face.rest.levels["eye_opening"].mean())
    opening = measures.openness[~mask_of(smiles, len(measures)) & ~smile_shaped(measures)]
    opening = opening[opening > 0.6 * rest]
    enough = len(opening) * frame_time(measures.times) >= 0.4
    return float(np.median(opening)) if enough else None
