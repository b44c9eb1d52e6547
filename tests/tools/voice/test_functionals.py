"""The light voice model: known probabilities, files that are no model, the tool's contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emer.tools.errors import ConfigError, ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.testing.clips import tone
from emer.tools.testing.conformance import check_tool
from emer.tools.voice.functionals import Functionals, measured, names
from emer.tools.voice.voice_model import FILE, MOST_BYTES, VoiceModel, read_model
from tests.fixtures.sounds import write
from tests.fixtures.voices import SPOKEN, TILTS, tilted

pytestmark = pytest.mark.slow
TWO: dict[str, Any] = {
    "schema": 1, "name": "made", "labels": ["angry", "sad"], "features": ["a", "b"],
    "means": [1.0, 2.0], "deviations": [2.0, 1.0], "weights": [[1.0, 0.0], [0.0, 1.0]],
    "offsets": [0.0, 0.5], "temperature": 2.0,
}  # fmt: skip


def write_model(folder: Path, **changed: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_text(json.dumps({**TWO, **changed}), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that hears the alpha ratio alone: above -12 dB angry, below sad."""
    known = names()
    place = known.index("alphaRatioV_sma3nz_amean")
    weights = [[0.0] * len(known), [0.0] * len(known)]
    weights[0][place], weights[1][place] = 1.0, -1.0
    means = [0.0] * len(known)
    means[place] = -12.0
    ones = [1.0] * len(known)
    return write_model(tmp_path / "m", features=known, means=means, deviations=ones,
                       weights=weights, offsets=[0.0, 0.0])  # fmt: skip


def spoken(tmp_path: Path, letter: str) -> Clip:
    sound = Clip.open(SPOKEN).samples()
    return Clip.open(write(tmp_path / f"{letter}.wav", tilted(sound, TILTS[letter], 1)))


def test_the_probabilities_are_those_of_the_formula(tmp_path: Path) -> None:
    model, digits = read_model(write_model(tmp_path))
    # Standardised (1, -1): scores 1 and -0.5, at temperature 2 a difference of 0.75.
    first = 1 / (1 + np.exp(-0.75))
    assert model.probabilities(np.array([[3.0, 1.0]])) == pytest.approx(
        np.array([[first, 1 - first]])
    )
    assert len(digits) == 16 and model.probabilities(np.array([[1e6, 0.0]])).sum() == 1


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"weights": [[1.0, 0.0]]}, "2 features, 2 labels"),
        ({"means": [1.0]}, "2 features, 2 labels"),
        ({"labels": ["sad", "sad"]}, "twice"),
        ({"deviations": [0.0, 1.0]}, "deviations"),
        ({"temperature": float("nan")}, "temperature"),
        ({"labels": ["angry\x1b[2J", "sad"]}, "pattern"),
        ({"schema": 2}, "schema"),
        ({"code": "import os"}, "code"),
    ],
)
def test_a_file_that_is_no_model_is_named(tmp_path: Path, changed: dict[str, Any], why: str):
    with pytest.raises(ConfigError, match=why) as error:
        read_model(write_model(tmp_path, **changed))
    assert FILE in str(error.value) and "\x1b" not in str(error.value)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fit voice DIR --out"):
        read_model(tmp_path)
    (tmp_path / FILE).write_bytes(b"\x80\x04cposix\nsystem\n")
    with pytest.raises(ConfigError, match="no model of voices"):
        read_model(tmp_path)
    (tmp_path / FILE).write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(ConfigError, match="over"):
        read_model(tmp_path)


def test_without_a_model_it_says_how_to_make_one() -> None:
    with pytest.raises(ToolMissing, match="emer-eval fit voice DIR --out FOLDER"):
        _ = Functionals().source


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="eGeMAPS"):
        Functionals(str(write_model(tmp_path / "two"))).observe(Clip.open(SPOKEN))


def test_the_level_of_a_recording_counts_for_nothing() -> None:
    sound = Clip.open(SPOKEN).samples()
    loud, faint = measured(sound), measured(sound * 0.05)
    assert loud.shape == (88,) == (len(names()),)
    assert faint == pytest.approx(loud, rel=1e-2, abs=1e-2)
    assert np.isfinite(measured(np.zeros(16_000, dtype=np.float32))).all()


@pytest.mark.parametrize(("letter", "word"), [("W", "angry"), ("T", "sad")])
def test_the_class_is_told_and_marked_as_a_model_s(folder: Path, tmp_path: Path, letter, word):
    (clue,) = Functionals(str(folder)).observe(spoken(tmp_path, letter))
    assert clue.text.startswith(f"The voice is classified as {word} (probability ")
    assert clue.text.split(" at ")[0].endswith("among 2 classes of a model)")
    assert clue.kind == "classified" and {m.cue for m in clue.cues} == {f"heard_{word}"}
    assert clue.confidence == clue.data[f"p_{word}"] and clue.source.model == "made"


def test_where_there_is_no_voice_nothing_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Unobservable, match="no voice is heard"):
        Functionals(str(folder)).observe(Clip.open(write(tmp_path / "t.wav", tone(2.0))))


def test_the_contract_is_kept(folder: Path, tmp_path: Path) -> None:
    tool = load_tool("functionals", {"model": str(folder)})
    findings = check_tool(tool, spoken(tmp_path, "W"))
    assert [f"{f.check}: {f.why}" for f in findings if not f.ok] == []


def test_the_record_holds_numbers_alone() -> None:
    kinds = {type(v) for v in VoiceModel.model_validate(TWO).model_dump().values()}
    assert kinds <= {int, float, str, tuple}
