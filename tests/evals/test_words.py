"""`emer-eval words`: word errors with known answers, and a table of clips from end to end."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from emer.evals.cli import app
from emer.evals.commands.options import tool_arguments
from emer.evals.commands.words import with_noise
from emer.evals.metrics.forced_alignment import aligned_words
from emer.evals.metrics.word_errors import WordErrors, matches, units, word_errors
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from tests.fixtures.sounds import hiss, write


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_words_are_compared_without_case_and_marks_and_chinese_by_character():
    assert units("Don't go, John!", "en") == ["dont", "go", "john"]
    assert units("你好，吗？", "zh") == ["你", "好", "吗"]  # noqa: RUF001


@pytest.mark.parametrize(
    ("heard", "errors"),
    [
        ("kids are talking by the door", WordErrors(0, 6, 6, 6)),
        ("kids are talking about the door", WordErrors(1, 6, 6, 5)),
        ("are talking by the the door", WordErrors(2, 6, 6, 5)),
        ("", WordErrors(6, 6, 0, 0)),
        ("door the by talking are kids", WordErrors(6, 6, 6, 1)),
    ],
)
def test_the_least_edits_are_counted(heard, errors):
    said = units("Kids are talking by the door.", "en")
    assert word_errors(said, units(heard, "en")) == errors


def test_words_that_were_said_are_paired_in_order():
    assert matches(list("abcd"), list("xbd")) == [(1, 1), (3, 2)]
    assert matches([], ["a"]) == [] == matches(["a"], [])


def test_noise_has_the_power_that_was_asked_for():
    sound = hiss(2.0, 0.05)
    added = with_noise(sound, 10, seed=1) - sound
    assert 10 * np.log10(np.var(sound) / np.var(added)) == pytest.approx(10, abs=0.2)
    assert np.array_equal(with_noise(sound, 10, 1), with_noise(sound, 10, 1))


def test_arguments_of_a_tool_are_read_as_numbers_where_they_are():
    given = ["beam=5", "window=fit", "translate=false", "model=1.0x"]
    assert tool_arguments(given) == {
        "beam": 5, "window": "fit", "translate": False, "model": "1.0x",
    }  # fmt: skip
    with pytest.raises(ConfigError, match="--argument beam: write KEY=VALUE"):
        tool_arguments(["beam"])


def test_known_words_are_placed_in_their_sound(shared_clip):
    samples = Clip.open(shared_clip("speech/ravdess/03-01-04-02-01-01-07.flac")).samples()
    words = aligned_words(samples, "Kids are talking by the door")
    assert [word.text for word in words] == ["kids", "are", "talking", "by", "the", "door"]
    assert all(a.end <= b.start + 1e-6 for a, b in itertools.pairwise(words))
    level = np.abs(samples)
    assert words[0].start == pytest.approx(np.flatnonzero(level > 0.005)[0] / 16_000, abs=0.2)
    with pytest.raises(ConfigError, match="'xyzzyx' is not in pocketsphinx's dictionary"):
        aligned_words(samples, "xyzzyx")


def test_a_table_is_measured_by_language(shared_clip, tmp_path):
    noise = write(tmp_path / "hiss.wav", hiss(2.0, 0.05))
    kids = shared_clip("speech/ravdess/03-01-04-02-01-01-01.flac")
    table = tmp_path / "said.csv"
    table.write_text(
        f"file,language,words\n{kids},en,Kids are talking by the door\n{noise.name},xx,\n"
    )
    result = call("words", table, "--tool", "pocketsphinx", "--starts", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    english, other = found["languages"]["en"], found["languages"]["xx"]
    assert (english["errors"], english["told_wrong"], english["hedged"]) == (0, 0, 0)
    assert english["start"] < 0.05, "the same decoder placed the words"
    assert (other["no_words"], other["errors"], other["told_wrong"]) == (1, None, None)
    assert [clip["text"] for clip in found["clips"]] == ["kids are talking by the door", ""]


def test_a_table_that_is_none_is_one_line(tmp_path: Path):
    (tmp_path / "a.csv").write_text("file,words\na.wav,hello\n")
    for name, why in (("a.csv", "no column language"), ("b.csv", "there is no file")):
        result = call("words", tmp_path / name)
        assert result.exit_code == 2 and why in result.output.replace("\n", " ")
