"""The networks of rapidocr: detection of text, recognition of a line (PP-OCR).

The weights are those of the rapidocr wheel, named by their files, so that nothing is downloaded:
without a file's name rapidocr fetches what it lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from emer.tools.errors import ToolMissing, WeightsBroken
from emer.tools.media.decoder import Rgb
from emer.tools.runtime.device import CPU
from emer.tools.runtime.model_pool import POOL, Key
from emer.tools.runtime.native import importing

TOOL: Final = "ocr"
PACKAGES: Final = ("rapidocr", "onnxruntime")
INSTALL: Final = "pip install -c constraints.txt -e '.[ocr]'"
DETECTION_SIDE: Final = 640
"""Longest side in pixels of the pictures in which text is detected (chosen by us)."""


class Box(NamedTuple):
    """A part of a picture in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Letters:
    """Recognised characters, each with its probability."""

    text: str
    probabilities: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean probability of the characters; 0 without any."""
        return float(np.mean(self.probabilities)) if self.text else 0.0


@cache
def weights() -> tuple[Path, Path]:
    """Files of the detector and the recogniser; `ToolMissing` without the packages."""
    for package in PACKAGES:
        try:
            version(package)
        except PackageNotFoundError as error:
            raise ToolMissing(TOOL, f"the package {package}", INSTALL) from error
    spec = find_spec("rapidocr")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    folder = Path(places[0] if places else "rapidocr") / "models"
    found = [sorted(folder.glob(f"*_{kind}_*.onnx")) for kind in ("det", "rec")]
    if not all(found):
        raise ToolMissing(TOOL, f"the weights of rapidocr in {folder}", INSTALL)
    return found[0][0], found[1][0]


class Networks:
    """Detector and recogniser, loaded at the first use and shared in the process.

    One thread computes: more would wait for each other busily, since a line is a small picture.
    """

    def __init__(self) -> None:
        """Find the weights; `ToolMissing` where they or the packages are absent."""
        self.detector, self.recogniser = weights()
        self._key = Key(TOOL, str(self.recogniser), CPU)
        self._gigabytes = sum(path.stat().st_size for path in weights()) / 1e9

    def load(self) -> None:
        """Load both; `WeightsBroken` where a file is damaged."""
        with POOL.borrow(self._key, self._load, self._gigabytes):
            pass

    def unload(self) -> None:
        POOL.unload(self._key)

    def detect(self, picture: Rgb) -> list[Box]:
        """Boxes around the lines of text in a picture, in no order."""
        with POOL.borrow(self._key, self._load, self._gigabytes) as engine:
            found = engine(_bgr(picture), use_det=True, use_cls=False, use_rec=False)
        corners = found.boxes if found.boxes is not None else ()
        return [_box(np.asarray(each, dtype=np.float64)) for each in corners]

    def read(self, line: Rgb) -> Letters:
        """The characters of a picture of one line."""
        options: dict[str, bool] = {"use_det": False, "use_cls": False, "use_rec": True}
        with POOL.borrow(self._key, self._load, self._gigabytes) as engine:
            found = engine(_bgr(line), **options, return_word_box=True)
        if not found.txts or not found.txts[0]:
            return Letters("", ())
        return Letters(found.txts[0], tuple(map(float, found.word_results[0].confs)))

    def _load(self) -> Any:
        with importing():
            import cv2  # noqa: F401  (rapidocr imports it: with one thread of its own)
            from rapidocr import RapidOCR
        parameters: dict[str, Any] = {
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_SIDE,
            "Det.model_path": str(self.detector),
            "Rec.model_path": str(self.recogniser),
        }
        blank = np.zeros((48, 96, 3), np.uint8)
        try:
            engine = RapidOCR(params=parameters)
            engine(blank, use_det=True, use_cls=False, use_rec=False)
            engine(blank, use_det=False, use_cls=False, use_rec=True)
        except Exception as error:  # onnxruntime raises types of its own for each kind of damage
            cause = " ".join(str(error).split())[:200] or type(error).__name__
            fix = f"install rapidocr anew: {INSTALL} --force-reinstall --no-deps rapidocr"
            raise WeightsBroken(TOOL, self.recogniser.parent, cause, fix) from error
        return engine


def vote(reads: Sequence[Letters]) -> Letters:
    """The characters on which most reads of one line agree.

    The read with the most that is sure gives the places; each read adds its probability to the
    character that it has there (ROVER, Fiscus 1997, with one alignment). A character's
    probability is its sum over the number of reads.
    """
    from difflib import SequenceMatcher

    reads = [read for read in reads if read.text]
    if not reads:
        return Letters("", ())
    pivot = max(reads, key=lambda read: sum(read.probabilities))
    votes: list[dict[str, float]] = [{} for _ in pivot.text]
    for read in reads:
        matcher = SequenceMatcher(None, pivot.text, read.text, autojunk=False)
        for kind, first, last, start, end in matcher.get_opcodes():
            if kind == "equal" or (kind == "replace" and last - first == end - start):
                for place, other in zip(range(first, last), range(start, end), strict=True):
                    character, more = read.text[other], read.probabilities[other]
                    votes[place][character] = votes[place].get(character, 0.0) + more
    chosen = [max(place, key=place.__getitem__) for place in votes]
    sure = tuple(place[one] / len(reads) for place, one in zip(votes, chosen, strict=True))
    return Letters("".join(chosen), sure)


def _bgr(picture: Rgb) -> Rgb:
    return np.ascontiguousarray(picture[:, :, ::-1])


def _box(corners: Any) -> Box:
    left, top = np.floor(corners.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).tolist()
    return Box(left, top, right, bottom)
