"""Weights of speech models that cannot be loaded: one line, and nothing filled with chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from emer.tools.errors import WeightsBroken
from emer.tools.media.clip import Clip
from emer.tools.runtime.model_pool import POOL
from tests.fixtures.checkpoints.whisper import DIMS
from tests.fixtures.packages import needs
from tests.tools.speech.conftest import KINDS, made

pytestmark = pytest.mark.slow


def damaged(kind: str, path: Path, folder: Path, how: str) -> Path:
    """Return a copy of a checkpoint that is cut short, or no model at all."""
    import shutil

    if path.is_file():
        copy = folder / path.name
        shutil.copy(path, copy)
        weights = copy
    else:
        copy = folder / "model"
        shutil.copytree(path, copy)
        weights = next(f for f in copy.iterdir() if f.suffix in (".bin", ".safetensors"))
    content = weights.read_bytes()
    weights.write_bytes(content[: len(content) // 3] if how == "cut short" else b"no weights")
    return copy


@pytest.mark.parametrize("how", ["cut short", "another format"])
@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_weights_that_cannot_be_read_are_told_on_one_line(
    name, kind, how, checkpoint, spoken, tmp_path
):
    path = damaged(kind, checkpoint(kind), tmp_path, how)
    tool = made(name, path)
    with pytest.raises(WeightsBroken) as error:
        tool.observe(Clip.open(spoken))
    text = str(error.value)
    assert text.startswith(f"{name} cannot load {path}: ") and "\n" not in text
    assert "give other weights" in text and not POOL.held()


@needs("whisper")
def test_weights_of_another_kind_are_said_to_be_so(spoken, tmp_path):
    import torch

    torch.save({"layer.weight": torch.zeros(2)}, tmp_path / "other.pt")
    with pytest.raises(WeightsBroken, match=r"no weights of the kind that it loads: KeyError"):
        made("whisper", tmp_path / "other.pt").observe(Clip.open(spoken))


@needs("whisper")
def test_a_checkpoint_that_lacks_weights_is_not_filled_with_chance(checkpoint, spoken, tmp_path):
    import torch

    whole = torch.load(checkpoint(), weights_only=True)
    del whole["model_state_dict"]["decoder.ln.weight"]
    torch.save(whole, tmp_path / "lacking.pt")
    with pytest.raises(WeightsBroken, match=r"Missing key.*decoder\.ln\.weight"):
        made("whisper", tmp_path / "lacking.pt").observe(Clip.open(spoken))


@needs("whisper", "transformers")
def test_a_folder_that_lacks_weights_is_not_filled_with_chance(checkpoint, spoken, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(checkpoint("transformers"), tmp_path / "lacking")
    weights = load_file(folder / "model.safetensors")
    del weights["model.decoder.layer_norm.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsBroken, match=r"it lacks model\.decoder\.layer_norm\.weight"):
        made("asr", folder).observe(Clip.open(spoken))


@needs("whisper")
def test_a_pickle_that_would_run_code_is_not_run(tmp_path, spoken):
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "owned"),))  # type: ignore[return-value]

    import zipfile

    with zipfile.ZipFile(tmp_path / "evil.pt", "w") as archive:
        archive.writestr(
            "archive/data.pkl", pickle.dumps({"dims": DIMS, "model_state_dict": Evil()})
        )
        archive.writestr("archive/version", "3")
    with pytest.raises(WeightsBroken):
        made("whisper", tmp_path / "evil.pt").observe(Clip.open(spoken))
    assert not (tmp_path / "owned").exists()
