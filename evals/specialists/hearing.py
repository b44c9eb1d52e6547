"""Whisper's models: our two recognisers against the plain loops of the libraries they come from.

The loop is openai-whisper's own example, `model.transcribe(sound)` clip by clip, which asks for
the language, too. Both sides are given arrays and must write the known text of the weights.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from emer.evals.specialists.whisper_weights import (
    TEXT,
    random_state,
    write_ctranslate,
    write_openai,
    write_transformers,
)
from emer.evals.speed.measure import Measure, at_least, compare
from emer.evals.speed.models import Samples, Setup, Unequal
from emer.tools.runtime.model_pool import SHELF, Shared
from emer.tools.speech.asr_tool import AsrTool
from emer.tools.speech.faster_whisper import FasterWhisper
from emer.tools.speech.openai_whisper import Whisper
from emer.tools.speech.transcript import Transcript, Window
from emer.tools.weights.locate import find

SHORT, LONG = 5.0, 28.0
"""Seconds of a short clip, and of a window that is full."""

LONG_TEXT = (
    " When I came home that evening my brother sat in the kitchen with the letter in front of him."
    " He had read it twice already, he said, and both times he had hoped that something else would"
    " be in it. Our mother was not going to sell the house after all. She wanted us to move in"
    " again before winter, fix the roof, paint the fence and look after her old dogs until spring."
    " I laughed, because what else could I do, and then we made tea and phoned our sister."
)
"""What is written of a full window: about as many tokens as people say in it."""

BEAM = 5
"""faster-whisper's own default, and that of openai-whisper's command."""

Loop = Callable[[Sequence[Samples]], list[str]]


def measure_whisper(setup: Setup) -> list[Measure]:
    """Return what `whisper` gains on short clips over openai-whisper's loop, in either window."""
    path, goal = str(openai_checkpoint(setup, TEXT)), setup.goal(gpu=20.0, cpu=None)
    tool = Whisper(path, device=setup.device)
    fit = Whisper(path, device=setup.device, window="fit")
    return [
        _short(setup, tool, "whisper", goal),
        _short(setup, fit, "whisper", goal, ", windows that fit"),
    ]


def measure_faster_whisper(setup: Setup) -> list[Measure]:
    """Return what `faster-whisper` gains over openai-whisper's loop, and over its own library's.

    On short clips as emer runs it, and with windows that fit; on full windows with the beam of
    five that the libraries publish their own figures with.
    """
    tool, fit = _faster(setup, TEXT), _faster(setup, TEXT, window="fit")
    goal = setup.goal(gpu=None, cpu=6.0)
    return [
        _short(setup, tool, "faster-whisper", goal),
        _short(setup, fit, "faster-whisper", goal, ", windows that fit"),
        _full(setup, goal),
        _own_defaults(setup, tool),
    ]


def _short(setup: Setup, tool: AsrTool, name: str, goal: float | None, more: str = "") -> Measure:
    sounds = setup.sounds(SHORT, 64 if setup.on_gpu else 4)
    return _against_openai(setup, tool, (sounds, TEXT), (name, f"{SHORT:g} s clips{more}"), goal)


def _full(setup: Setup, goal: float | None) -> Measure:
    tool = _faster(setup, LONG_TEXT, beam=BEAM)
    sounds = setup.sounds(LONG, 32 if setup.on_gpu else 4)
    what = f"full windows ({LONG:g} s), beam {BEAM}"
    return _against_openai(
        setup, tool, (sounds, LONG_TEXT), ("faster-whisper", what), goal, beam_size=BEAM
    )


def _against_openai(
    setup: Setup,
    tool: AsrTool,
    work: tuple[Sequence[Samples], str],
    names: tuple[str, str],
    goal: float | None,
    **options: Any,
) -> Measure:
    """Return how many times faster a tool is than `transcribe`; both write the same text."""
    sounds, text = work
    theirs = partial(_openai_loop(setup, text, options), sounds)
    ours = partial(_heard, tool.shared(), sounds)
    for side, written in (("openai-whisper", theirs()), (names[0], ours())):
        _require(side, written, text)
    found = compare(ours, theirs, setup.rounds)
    SHELF.unload()
    run = tool.hardware
    return at_least(
        f"{names[0]} {setup.whisper.name}, {names[1]} : openai-whisper's loop",
        found.ratio, "x", goal,
        f"{found.told(len(sounds), 'clip')}; {len(sounds)} at once in batches of {run['batch']}, "
        f"{run['dtype']} : one by one, {'float16' if setup.on_gpu else 'float32'}; both wrote the "
        f"same {_count(text)} tokens of each, ours with word times",
    )  # fmt: skip


def _own_defaults(setup: Setup, tool: AsrTool) -> Measure:
    """Return the same against faster-whisper's own example, as it is when nothing is set."""
    from faster_whisper import WhisperModel

    sounds = setup.sounds(SHORT, 64 if setup.on_gpu else 4)
    kind, _, number = setup.device.partition(":")
    path = find("faster-whisper", str(_converted(setup, TEXT))).path
    model = WhisperModel(
        str(path), device=kind, device_index=int(number or 0), local_files_only=True
    )

    def theirs() -> list[str]:
        return ["".join(s.text for s in model.transcribe(sound)[0]) for sound in sounds]

    ours = partial(_heard, tool.shared(), sounds)
    for side, written in (("its library", theirs()), ("faster-whisper", ours())):
        _require(side, written, TEXT)
    found = compare(ours, theirs, setup.rounds)
    SHELF.unload()
    return at_least(
        f"faster-whisper {setup.whisper.name}, {SHORT:g} s clips : its library's own example",
        found.ratio, "x", None,
        f"{found.told(len(sounds), 'clip')}; beam 1, {tool.hardware['dtype']} : beam {BEAM}, the "
        f"precision of the file (float32 on a CPU), one by one, as when nothing is set",
    )  # fmt: skip


def _heard(recogniser: Shared[Window, Transcript], sounds: Sequence[Samples]) -> list[str]:
    windows = [Window(sound, str(place)) for place, sound in enumerate(sounds)]
    return [heard.original.text for heard in recogniser(windows)]


def _openai_loop(setup: Setup, text: str, options: dict[str, Any]) -> Loop:
    import whisper

    model = whisper.load_model(str(openai_checkpoint(setup, text)), device=setup.device)

    def loop(sounds: Sequence[Samples]) -> list[str]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that a CPU computes in 32 bit
            return [str(model.transcribe(sound, **options)["text"]) for sound in sounds]

    return loop


def _require(side: str, found: Sequence[str], text: str) -> None:
    """Raise `Unequal` unless each is the text."""
    for one in found:
        if one.strip() != text.strip():
            raise Unequal(
                f"{side} wrote {one.strip()[:60]!r} where the weights say {text.strip()[:60]!r}"
            )


def _count(text: str) -> int:
    from emer.evals.specialists.whisper_tokens import tokens_of

    return len(tokens_of().encode(text))


def _named(setup: Setup, text: str) -> str:
    return f"random-whisper-{setup.whisper.name}-{_count(text)}"


def openai_checkpoint(setup: Setup, text: str = TEXT) -> Path:
    """Return openai-whisper's checkpoint."""
    size = setup.whisper
    return setup.kept(
        f"{_named(setup, text)}.pt", lambda path: write_openai(path, size, random_state(size, text))
    )


def _faster(setup: Setup, text: str, beam: int = 1, window: str = "whole") -> AsrTool:
    folder = _converted(setup, text)
    return FasterWhisper(str(folder), beam=beam, window=window, device=setup.device)


def _converted(setup: Setup, text: str) -> Path:
    """Return CTranslate2's folder of the same weights."""

    def write(folder: Path) -> None:
        from shutil import rmtree

        source = folder.with_name(f"{folder.name}-source")
        try:
            write_transformers(source, setup.whisper, random_state(setup.whisper, text))
            write_ctranslate(folder, source)
        finally:
            rmtree(source, ignore_errors=True)

    return setup.kept(f"{_named(setup, text)}-ct2", write)
