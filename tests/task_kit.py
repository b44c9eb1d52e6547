"""A face landmarker's `.task` file: the wheel's own networks, and a blendshape model of our making.

No trained blendshape model lies on a test machine. Ours is a real TensorFlow Lite model of the
same input (146 points in pixels) and output (52 scores), whose scores are sums over the
points' coordinates: so that their answer to a real face is known.
"""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

POINTS, SHAPES = 146, 52
PARTS = {
    "face_detector.tflite": "face_detection/face_detection_short_range.tflite",
    "face_landmarks_detector.tflite": "face_landmark/face_landmark.tflite",
}
WEIGHTS = NDArray[np.float32]


def write_task(path: Path, weights: WEIGHTS | None, bias: WEIGHTS | None = None,
               modules: Path | None = None) -> Path:  # fmt: skip
    """Write a bundle; `weights` (52, 292) over x, y of each point; None leaves blendshapes out."""
    modules = modules or Path(str(find_spec("mediapipe").submodule_search_locations[0])) / "modules"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        for name, part in PARTS.items():
            bundle.writestr(name, (modules / part).read_bytes())
        if weights is not None:
            bundle.writestr("face_blendshapes.tflite", blendshape_model(weights, bias))
    return path


def blendshape_model(weights: WEIGHTS, bias: WEIGHTS | None = None) -> bytes:
    """Return a TensorFlow Lite model: reshape, then one fully connected layer."""
    import flatbuffers
    from mediapipe.tasks.metadata import schema_py_generated as schema

    bias = np.zeros(SHAPES, np.float32) if bias is None else bias
    constants = [
        np.array([1, 2 * POINTS], np.int32), weights.astype(np.float32), bias.astype(np.float32)
    ]  # fmt: skip
    model = schema.ModelT()
    model.version, model.description = 3, "blendshapes for a test"
    model.buffers = [_buffer(schema, None), *(_buffer(schema, values) for values in constants)]
    whole, int32 = schema.TensorType.FLOAT32, schema.TensorType.INT32
    graph = schema.SubGraphT()
    graph.name = "main"
    graph.tensors = [
        _tensor(schema, "points", (1, POINTS, 2), whole, 0),
        _tensor(schema, "shape", (2,), int32, 1),
        _tensor(schema, "weights", (SHAPES, 2 * POINTS), whole, 2),
        _tensor(schema, "bias", (SHAPES,), whole, 3),
        _tensor(schema, "flat", (1, 2 * POINTS), whole, 0),
        _tensor(schema, "scores", (1, SHAPES), whole, 0),
    ]
    graph.inputs, graph.outputs = [0], [5]
    flatten, layer = schema.ReshapeOptionsT(), schema.FullyConnectedOptionsT()
    flatten.newShape = [1, 2 * POINTS]
    graph.operators = [
        _operator(schema, 0, (0, 1), 4, schema.BuiltinOptions.ReshapeOptions, flatten),
        _operator(schema, 1, (4, 2, 3), 5, schema.BuiltinOptions.FullyConnectedOptions, layer),
    ]
    model.subgraphs = [graph]
    model.operatorCodes = [
        _code(schema, schema.BuiltinOperator.RESHAPE),
        _code(schema, schema.BuiltinOperator.FULLY_CONNECTED),
    ]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _buffer(schema, values):
    made = schema.BufferT()
    if values is not None:
        made.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    return made


def _tensor(schema, name, shape, kind, buffer):
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = name, [*shape], kind, buffer
    return made


def _operator(schema, code, inputs, output, kind, options):
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code, [*inputs], [output]
    made.builtinOptionsType, made.builtinOptions = kind, options
    return made


def _code(schema, operator):
    made = schema.OperatorCodeT()
    made.builtinCode = made.deprecatedBuiltinCode = operator
    made.version = 1
    return made
