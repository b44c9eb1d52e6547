"""MediaPipe's graphs, run in the thread that asks.

The stock solutions hand each node of a graph to a pool of threads and build a class for
each answer. Here pictures come one at a time and other tools want the cores: a graph keeps
to its caller's thread, loads its models when first asked, and gives landmarks as an array.

This module loads mediapipe; import it inside the function that makes a graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.runtime.native import importing

with importing():
    import mediapipe
    from google.protobuf import text_format
    from mediapipe.framework import calculator_pb2
    from mediapipe.modules.face_detection import face_detection_pb2
    from mediapipe.python.solution_base import PacketDataType, SolutionBase

MODULES: Final = Path(mediapipe.__file__).parent / "modules"
PICTURE_US: Final = 33_333
"""What a graph is told lies between two pictures, in microseconds (as in MediaPipe's own)."""
WIRE: Final = (3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16)
"""Where x, y and z stand in the 17 bytes of a landmark on the wire: a message's tag and
length, then each value's tag and four bytes."""


class Graph(SolutionBase):  # type: ignore[misc]
    """One graph; not for two threads at once. It may follow what it saw in earlier pictures."""

    def __init__(
        self, config: str, outputs: Sequence[str], protos: Sequence[str] = (), **given: Any
    ) -> None:
        """Take a file of MediaPipe's `modules`, or a graph as text, and what to return.

        `protos` names the inputs that are messages; `given` is what `SolutionBase` takes.
        """
        hints = {name: PacketDataType.PROTO for name in protos}
        super().__init__(
            graph_config=_in_callers_thread(config),
            outputs=[*outputs],
            stream_type_hints=hints,
            **given,
        )
        self._shape: tuple[int, ...] | None = None
        self._asked = False
        self._haunted = False
        """Whether it still follows something that is not there, and has to load anew."""

    def run(self, image: NDArray[np.uint8], **others: Any) -> Mapping[str, Any]:
        """Return the outputs for the next picture (RGB), by name; absent ones are left out.

        A picture that cannot be written to is not copied.
        """
        if self._haunted:
            self._haunted = False
            self.reset()
        self._asked, self._shape = True, image.shape
        self._graph_outputs.clear()
        self._simulated_timestamp += PICTURE_US
        for name, data in {"image": image, **others}.items():
            packet = self._make_packet(self._input_stream_type_info[name], data)
            self._graph.add_packet_to_input_stream(name, packet.at(self._simulated_timestamp))
        self._graph.wait_until_idle()
        kinds = self._output_stream_type_info
        return {
            name: self._get_packet_content(kinds[name], packet)
            for name, packet in self._graph_outputs.items()
            if not packet.is_empty()
        }

    def forget(self) -> None:
        """Follow nothing any more, as if no picture had been seen.

        A black picture loses whatever was followed, in a tenth of the time that loading the
        models anew takes; should a network see something in it, they are, once asked again.
        """
        if self._shape is not None:
            self._haunted = bool(self.run(image=np.zeros(self._shape, np.uint8)))
            self._shape = None

    def close(self) -> None:
        """Let the graph go; one that was never asked is dropped, since closing it would load it."""
        if self._asked:
            super().close()
        else:
            self._graph: Any = None

    @staticmethod
    def points(landmarks: Any) -> NDArray[np.float32]:
        """Return a message of n landmarks as x, y and z, shape (n, 3)."""
        count, wire = len(landmarks.landmark), landmarks.SerializeToString()
        if len(wire) != 17 * count:  # with visibility, or with something left out
            return np.array([(m.x, m.y, m.z) for m in landmarks.landmark], np.float32)
        rows = np.frombuffer(wire, np.uint8).reshape(count, 17)
        return np.ascontiguousarray(rows[:, WIRE]).view("<f4").astype(np.float32, copy=False)


def face_detector(near: bool, least: float) -> Graph:
    """Return the detector of faces within 2 m, or 5 m, that keeps those scored `least` or more."""
    reach = "short" if near else "full"
    return Graph(
        f"face_detection/face_detection_{reach}_range_cpu.binarypb",
        outputs=["detections"],
        graph_options=face_detection_pb2.FaceDetectionOptions(min_score_thresh=least),
    )


def _in_callers_thread(config: str) -> Any:
    """Return the graph's description, without a pool of threads."""
    described = calculator_pb2.CalculatorGraphConfig()
    if config.endswith(".binarypb"):
        described.ParseFromString((MODULES / config).read_bytes())
    else:
        text_format.Parse(config, described)
    described.executor.add(type="ApplicationThreadExecutor")
    return described
