"""MediaPipe graphs, run in the caller's thread.

The stock solutions run the nodes of a graph in a thread pool and build a class for each
result. Here pictures come one at a time and other tools need the cores: a graph stays in its
caller's thread, loads its models at the first picture, and returns landmarks as an array.

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
"""Time between two pictures, in microseconds (as in MediaPipe's own code)."""
WIRE: Final = (3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16)
"""Bytes of x, y and z in the 17 of a serialised landmark.

Tag and length of the message, then a tag and four bytes for each value.
"""


class Graph(SolutionBase):  # type: ignore[misc]
    """One graph, not for two threads at once; it may track objects over pictures."""

    def __init__(
        self, config: str, outputs: Sequence[str], protos: Sequence[str] = (), **arguments: Any
    ) -> None:
        """Describe the graph; its models are loaded at the first picture.

        Args:
            config: A file of MediaPipe's `modules`, or a graph as text.
            outputs: Names of the outputs to return.
            protos: Names of the inputs that are messages.
            arguments: Further arguments of `SolutionBase`.
        """
        graph = calculator_pb2.CalculatorGraphConfig()
        if config.endswith(".binarypb"):
            graph.ParseFromString((MODULES / config).read_bytes())
        else:
            text_format.Parse(config, graph)
        graph.executor.add(type="ApplicationThreadExecutor")
        hints = {name: PacketDataType.PROTO for name in protos}
        super().__init__(
            graph_config=graph, outputs=[*outputs], stream_type_hints=hints, **arguments
        )
        self._shape: tuple[int, ...] | None = None
        self._loaded = False
        self._stale = False
        """Whether it still tracks something of a black picture, and has to load anew."""

    def run(self, image: NDArray[np.uint8], **others: Any) -> Mapping[str, Any]:
        """Outputs for the next picture (RGB) by name; a read-only one is not copied."""
        if self._stale:
            self._stale = False
            self.reset()
        self._loaded, self._shape = True, image.shape
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

    def clear(self) -> None:
        """End all tracks, as if no picture had been seen.

        A black picture ends them in a tenth of the time that loading the models anew takes;
        should a network detect something in it, the models are loaded anew at the next picture.
        """
        if self._shape is not None:
            self._stale = bool(self.run(image=np.zeros(self._shape, np.uint8)))
            self._shape = None

    def close(self) -> None:
        """Close the graph; if it never ran, drop it, since closing would load it."""
        if self._loaded:
            super().close()
        else:
            self._graph: Any = None

    @staticmethod
    def points(landmarks: Any) -> NDArray[np.float32]:
        """X, y and z of a message of n landmarks, shape (n, 3)."""
        count, wire = len(landmarks.landmark), landmarks.SerializeToString()
        if len(wire) != 17 * count:  # with visibility, or with something left out
            return np.array([(m.x, m.y, m.z) for m in landmarks.landmark], np.float32)
        rows = np.frombuffer(wire, np.uint8).reshape(count, 17)
        return np.ascontiguousarray(rows[:, WIRE]).view("<f4").astype(np.float32, copy=False)


def face_detector(near: bool, least: float) -> Graph:
    """Detector of faces within 2 m (`near`) or 5 m, with scores of at least `least`."""
    reach = "short" if near else "full"
    return Graph(
        f"face_detection/face_detection_{reach}_range_cpu.binarypb",
        outputs=["detections"],
        graph_options=face_detection_pb2.FaceDetectionOptions(min_score_thresh=least),
    )
