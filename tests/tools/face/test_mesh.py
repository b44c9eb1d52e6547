"""The tool as a whole, on written and on real clips."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emer.tools.errors import Unobservable
from emer.tools.face.tool import FaceMesh
from emer.tools.media.clip import Clip
from emer.tools.testing.conformance import check_tool
from emer.tools.types import Clue, Span
from tests.fixtures import puppet

Find = Callable[[str], Path]
FEELINGS = "happy sad angry afraid surprise fear joy disgust neutral emotion feels".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def mesh() -> FaceMesh:
    return FaceMesh()


def write(path: Path, pictures: list[np.ndarray]) -> Path:  # type: ignore[type-arg]
    """Write pictures as a clip of 25 frames per second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"qscale": "2"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def texts(clues: list[Clue]) -> str:
    return " ".join(clue.text for clue in clues)


def test_a_clip_without_a_face_says_so(mesh: FaceMesh, tmp_path: Path) -> None:
    path = write(tmp_path / "grey.mp4", [np.full((120, 160, 3), 120, np.uint8)] * 12)
    with pytest.raises(Unobservable, match="no face was found in the 12 frames looked at"):
        mesh.observe(Clip.open(path))


def test_a_dark_clip_without_a_face_says_that_it_is_dark(mesh: FaceMesh, tmp_path: Path) -> None:
    path = write(tmp_path / "dark.mp4", [np.full((120, 160, 3), 4, np.uint8)] * 12)
    with pytest.raises(Unobservable, match="dark"):
        mesh.observe(Clip.open(path))


def test_a_photograph_moves_nothing(mesh: FaceMesh, tmp_path: Path) -> None:
    clues = mesh.observe(Clip.open(write(tmp_path / "still.mp4", [puppet.portrait()] * 100)))
    assert not any("action_units" in clue.data for clue in clues)
    assert "stay where they rest throughout" in texts(list(clues))


def test_the_tool_keeps_its_contract(tmp_path: Path) -> None:
    clip = Clip.open(write(tmp_path / "still.mp4", [puppet.portrait()] * 60))
    broken = [f for f in check_tool(FaceMesh(), clip) if not f.ok]
    assert broken == []


def test_a_man_who_starts_to_smile(mesh: FaceMesh, shared_clip: Find) -> None:
    clip = Clip.open(shared_clip("faces/single_face.mp4"))
    clues = list(mesh.observe(clip))
    (smile,) = [c for c in clues if c.data.get("unit") == "smile"]
    assert smile.text.startswith("The person smiles strongly")
    assert smile.span is not None
    assert smile.span.start == pytest.approx(0.6, abs=0.2)
    assert smile.data["intensity"] in ("D", "E")
    assert all(c.confidence is None for c in clues)
    assert all(c.span is None or c.span.end <= clip.duration for c in clues)


def test_the_same_clip_twice_gives_the_same_clues(shared_clip: Find) -> None:
    path = shared_clip("faces/single_face.mp4")
    first = [c.id for c in FaceMesh().observe(Clip.open(path))]
    again = [c.id for c in FaceMesh().observe(Clip.open(path))]
    assert first == again


def test_a_closer_look_stays_in_its_span(mesh: FaceMesh, shared_clip: Find) -> None:
    clip = Clip.open(shared_clip("faces/liveportrait_d3.mp4"))
    span = Span(start=9.0, end=11.8)
    clues = list(mesh.observe(clip, span))
    assert "opens the mouth wide" in texts(clues)
    assert all(c.span is not None and c.span.overlaps(span) for c in clues)
    assert "shuts the left eye" not in texts(clues)
    assert "shuts the left eye" in texts(list(mesh.observe(clip)))


def between(clues: list[Clue], words: str) -> list[tuple[float, float]]:
    """Return the spans of the clues that say these words."""
    found = [c.span for c in clues if words in c.text and c.span is not None]
    return [(span.start, span.end) for span in found]


def test_a_winking_woman_is_not_said_to_raise_one_corner(mesh: FaceMesh, shared_clip: Find) -> None:
    clues = list(mesh.observe(Clip.open(shared_clip("faces/liveportrait_d3.mp4"))))
    said = texts(clues)
    assert "shuts the left eye alone" in said and "shuts the right eye alone" in said
    assert "one corner" not in said and "smiles" not in said
    (first, second) = sorted(between(clues, "furrows the brows"))
    assert first == pytest.approx((3.6, 5.6), abs=0.25)
    assert second == pytest.approx((7.6, 9.0), abs=0.25)


def test_a_jaw_moved_at_will_is_told_as_that(mesh: FaceMesh, shared_clip: Find) -> None:
    clues = list(mesh.observe(Clip.open(shared_clip("faces/liveportrait_d18.mp4"))))
    said = texts(clues)
    assert "corners of the mouth down" not in said and "smiles" not in said
    assert "stretches the lips" not in said
    assert "brows" not in said
    assert between(clues, "opens the mouth wide") == [
        pytest.approx((2.0, 3.3), abs=0.2), pytest.approx((3.8, 5.2), abs=0.2),
    ]  # fmt: skip
    assert between(clues, "lowers the jaw") == [pytest.approx((0.5, 1.4), abs=0.25)]
    assert "sideways" in said


def test_crying_behind_a_hand_and_laughing_later(mesh: FaceMesh, shared_clip: Find) -> None:
    """A hand lies over her mouth at 2.5-9.2 s, and over an eye at 4.0-5.7 s."""
    clues = list(mesh.observe(Clip.open(shared_clip("faces/WolfgangLanger_Pexels.mp4"))))
    (start, end), = between(clues, "inner eyebrows and draws the brows together")  # fmt: skip
    assert start < 1.0 and 2.5 < end < 4.6
    ((_, end),) = between(clues, "pulls the corners of the mouth back")
    assert end < 3.2
    smiles = between(clues, "smiles")
    assert smiles and min(start for start, _ in smiles) > 9.0
    hidden = [c for c in clues if c.span and c.span.start > 2.8 and c.span.end < 5.9]
    assert not [c for c in hidden if "mouth" in c.text or "lips" in c.text]


def test_what_a_hand_half_covers_has_a_low_quality(mesh: FaceMesh, shared_clip: Find) -> None:
    clip = Clip.open(shared_clip("faces/WolfgangLanger_Pexels.mp4"))
    closer = {c.text: c.quality for c in mesh.observe(clip, Span(start=6.0, end=8.8))}
    (behind,) = [q for text, q in closer.items() if "opens the mouth" in text]
    assert behind.score < 0.75
    assert behind.score == pytest.approx(behind.factors["landmarks_sure"], abs=0.25)
    uncovered = mesh.observe(clip, Span(start=13.0, end=17.0))
    assert [c for c in uncovered if "smiles" in c.text and c.quality.score > 0.85]


def test_a_face_that_leaves(mesh: FaceMesh, shared_clip: Find) -> None:
    clip = Clip.open(shared_clip("hard/face_noface.mov"))
    clues = list(mesh.observe(clip))
    assert max(c.span.end for c in clues if c.span) < 3.0
    assert all(c.quality.factors["tracked_share"] < 0.6 for c in clues)
    with pytest.raises(Unobservable, match="no face was measured between"):
        mesh.observe(clip, Span(start=4.0, end=6.0))


def test_two_people_are_told_apart_by_place(mesh: FaceMesh, shared_clip: Find) -> None:
    clues = list(mesh.observe(Clip.open(shared_clip("hard/two_faces_left_speaks.mp4"))))
    assert {c.person for c in clues} == {"person 1", "person 2"}
    assert "(on the left)" in texts(clues) and "(on the right)" in texts(clues)


def test_a_cartoon_has_no_face(mesh: FaceMesh, shared_clip: Find) -> None:
    with pytest.raises(Unobservable, match="in the 95 frames looked at"):
        mesh.observe(Clip.open(shared_clip("hard/no_face.mp4")))


def test_a_turned_picture_gives_the_same_movements(mesh: FaceMesh, shared_clip: Find) -> None:
    turned = list(mesh.observe(Clip.open(shared_clip("hard/rotate_pixels_and_meta.mp4"))))
    plain = list(mesh.observe(Clip.open(shared_clip("talking/WDA_KatieHill_000.mp4"))))
    units = [{c.data["unit"] for c in clues if "unit" in c.data} for clues in (turned, plain)]
    assert {"smile", "brow_raise"} <= units[0] & units[1]


def test_no_clue_names_a_feeling(mesh: FaceMesh, shared_clip: Find) -> None:
    said = texts(list(mesh.observe(Clip.open(shared_clip("faces/WolfgangLanger_Pexels.mp4")))))
    assert not [word for word in FEELINGS if word in said.lower()]
