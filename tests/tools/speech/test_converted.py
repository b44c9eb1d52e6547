"""How many layers a converted model has, read from the names in its file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emer.tools.speech.converted import layers
from tests.tools.speech.conftest import needs
from tests.whisper_kit import Script


@needs("whisper", "faster_whisper")
def test_the_layers_are_those_that_were_converted(checkpoint):
    """Those of the encoder are equal here, so that the second is a name for the first."""
    assert layers(checkpoint("ctranslate")) == (2, 2)
    assert layers(checkpoint("ctranslate", Script(hears=3))) == (3, 2)


@needs("whisper", "faster_whisper")
@pytest.mark.parametrize(
    ("change", "said"),
    [(lambda b: b[:4000], "ends too early"), (lambda b: b"\3\0\0\0" + b[4:], "an old format")],
)
def test_a_file_of_another_format_is_not_guessed_at(change, said, checkpoint, tmp_path: Path):
    folder = shutil.copytree(checkpoint("ctranslate"), tmp_path / "model")
    file = folder / "model.bin"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(ValueError, match=said):
        layers(folder)
