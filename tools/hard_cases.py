"""What a tool does in need: clips that lack what it looks for, others at its side, a call given up.

Nothing to observe is `Unobservable` with a reason. It is never an error, never a sentence about
one, and never a clue about what is not there.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from emer.tools.call import Call
from emer.tools.clip import Clip
from emer.tools.looks import Finding, Look, finding, look
from emer.tools.tool import Heavy, Tool
from emer.tools.trial_clips import noise, silence, tone, write_trial
from emer.tools.types import Modality, Span

SEEN: tuple[Modality, ...] = ("face", "scene")
WAIT = 120.0
"""Seconds that two looks at once may take."""


def check_hard_cases(tool: Tool, clip: Clip) -> Iterator[Finding]:
    """Yield what the tool does with hard clips, with company, and when it is given up."""
    with tempfile.TemporaryDirectory(prefix="emer-") as folder:
        hard = {name: Clip.open(path) for name, path in _hard_clips(Path(folder))}
        looks = {name: look(tool, hard_clip) for name, hard_clip in hard.items()}
    yield _check_need(looks, hard)
    yield _check_invented(tool, clip, looks)
    yield _check_edges(tool, clip)
    yield _check_company(tool, clip)
    if isinstance(tool, Heavy):
        yield from _check_heavy(tool, clip)


def _hard_clips(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the clips by what is hard about them."""
    yield "no sound", write_trial(folder / "mute.mp4")
    yield "no picture", write_trial(folder / "blind.m4a", grey=None, sound=tone())
    yield "black and silent", write_trial(folder / "black.mp4", grey=0, sound=silence())
    yield "noise", write_trial(folder / "noise.mp4", sound=noise())
    yield "0.3 s", write_trial(folder / "short.mp4", seconds=0.3, sound=tone(0.3))


def _check_need(looks: dict[str, Look], clips: dict[str, Clip]) -> Finding:
    wrong = []
    for name, seen in looks.items():
        outside = [c for c in seen.clues if c.span and c.span.end > clips[name].duration + 0.05]
        if seen.broken or seen.unobservable == "" or outside:
            why = seen.broken or (outside[0].text if outside else "no reason is given")
            wrong.append(f"{name}: {why}")
    name = "hard clips give clues or a reason: no sound, no picture, black, noise, very short"
    return finding(name, not wrong, "; ".join(wrong))


def _check_invented(tool: Tool, clip: Clip, looks: dict[str, Look]) -> Finding:
    """Check that what was taken away from such a clip is not told of.

    Only for a picture or sound that the author's clip has: else the tool may not need it.
    """
    lacking = {"face": ("no picture", "black and silent"), "scene": ("no picture",)}
    cases: Sequence[str] = ()
    if tool.modality in SEEN and clip.video is not None:
        cases = lacking[tool.modality]
    if tool.modality not in SEEN and clip.audio is not None:
        cases = ("no sound", "black and silent")
    told = [clue.text for case in cases for clue in looks[case].clues]
    return finding("nothing is told of what the clip lacks", not told, f"it says: {told[:1]}")


def _check_edges(tool: Tool, clip: Clip) -> Finding:
    """Check a look at a single moment, at the last one, and beyond it."""
    end = clip.duration
    spans = [Span(start=0, end=0), Span(start=end, end=end), Span(start=end + 1, end=end + 2)]
    looks = {f"{s.start:g}-{s.end:g} s": look(tool, clip, s) for s in spans}
    broken = "; ".join(f"{where}: {seen.broken}" for where, seen in looks.items() if seen.broken)
    return finding("an empty span, or one behind the end, breaks nothing", not broken, broken)


def _check_company(tool: Tool, clip: Clip) -> Finding:
    """Check that two looks at once give what one gives."""
    found: list[Look] = []
    threads = [
        threading.Thread(target=lambda: found.append(look(tool, clip)), daemon=True)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    name = "two looks at once give the same"
    if len(found) < 2:
        return finding(name, False, f"no result within {WAIT:g} s")
    if not getattr(tool, "deterministic", True):
        same = all(not seen.broken for seen in found)
    else:
        same = found[0].ids == found[1].ids and found[0].broken == found[1].broken
    return finding(name, same, f"{len(found[0].ids ^ found[1].ids)} clues differ")


def _check_heavy(tool: Heavy, clip: Clip) -> Iterator[Finding]:
    """Yield what is asked of a tool with a model: it names its device, loads, ends, comes back."""
    assert isinstance(tool, Tool)
    before = look(tool, clip)
    params = {*tool.source.params} & {*tool.hardware, "device", "batch", "threads"} - {"dtype"}
    yield finding(
        "how it runs is no part of the source", not params, f"the source names {sorted(params)}"
    )
    yield finding("the device is told", bool(tool.hardware.get("device")), f"{dict(tool.hardware)}")
    try:
        tool.unload()
        tool.load()
        tool.unload()
        broken = ""
    except Exception as error:
        broken = " ".join(repr(error).split())[:300]
    yield finding("it loads and unloads", not broken, broken)
    after = look(tool, clip)
    same = after.ids == before.ids and after.broken == before.broken
    yield finding("it gives the same after it was unloaded", same, after.broken or "clues differ")
    given_up = Call()
    given_up.give_up()
    seen = look(tool, clip, None, given_up)
    yield finding("a look that is given up breaks nothing", not seen.broken, seen.broken)
