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
DETECTOR = "face_detection/face_detection_short_range.tflite"
MESH = "face_landmark/face_landmark.tflite"
MESH_POINTS, ALL_POINTS = 468, 478
IRISES = (*(159, 158, 160, 144, 153), *(386, 385, 387, 373, 380))
"""Points of the lids that stand for the irises, which the wheel's plain mesh does not have."""
WEIGHTS = NDArray[np.float32]


def write_task(path: Path, weights: WEIGHTS | None, bias: WEIGHTS | None = None,
               modules: Path | None = None) -> Path:  # fmt: skip
    """Write a bundle; `weights` (52, 292) over x, y of each point; None leaves blendshapes out."""
    modules = modules or Path(str(find_spec("mediapipe").submodule_search_locations[0])) / "modules"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        bundle.writestr("face_detector.tflite", (modules / DETECTOR).read_bytes())
        mesh = landmark_model((modules / MESH).read_bytes())
        bundle.writestr("face_landmarks_detector.tflite", mesh)
        if weights is not None:
            bundle.writestr("face_blendshapes.tflite", blendshape_model(weights, bias))
    return path


def landmark_model(plain: bytes) -> bytes:
    """Return the wheel's mesh of 468 points with ten more, as the landmarker wants them.

    A last operation repeats points of the lids where the irises are expected.
    """
    from mediapipe.tasks.metadata import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(plain, 0))
    graph = model.subgraphs[0]
    points = [*range(MESH_POINTS), *IRISES]
    which = np.array([3 * point + axis for point in points for axis in range(3)], np.int32)
    model.buffers.append(_buffer(schema, which))
    graph.tensors += [
        _tensor(schema, "which", which.shape, schema.TensorType.INT32, len(model.buffers) - 1),
        _tensor(schema, "all", (1, 1, 1, 3 * ALL_POINTS), schema.TensorType.FLOAT32, 0),
    ]
    model.operatorCodes.append(_code(schema, schema.BuiltinOperator.GATHER))
    gather, last = schema.GatherOptionsT(), len(graph.tensors) - 1
    gather.axis = 3
    kind, code = schema.BuiltinOptions.GatherOptions, len(model.operatorCodes) - 1
    made = _operator(schema, code, (graph.outputs[0], last - 1), last, kind, gather)
    graph.operators.append(made)
    graph.outputs = [last, graph.outputs[1]]
    return _packed(model)


def blendshape_model(weights: WEIGHTS, bias: WEIGHTS | None = None) -> bytes:
    """Return a TensorFlow Lite model: reshape, then one fully connected layer."""
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
    return _packed(model)


def _packed(model):
    import flatbuffers

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


ORDER = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65,
    66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136,
    144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168,
    172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276,
    282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318,
    321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380,
    381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466,
    *range(468, 478),
)  # fmt: skip
"""The points that MediaPipe hands to a blendshape model (found by asking it, see the test)."""

NAMES = [
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft",
    "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft",
    "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft",
    "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen",
    "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
]  # fmt: skip

CORNERS = (61, 291)
"""Right and left corner of the mouth."""


def by_mouth(*shapes: str, per_pixel: float = 0.06, rest: float = 63.0) -> tuple[WEIGHTS, WEIGHTS]:
    """Return weights and bias that raise these shapes with the mouth's width.

    `rest` is the width in pixels of a score of 0.1.
    """
    weights, bias = np.zeros((SHAPES, 2 * POINTS), np.float32), np.zeros(SHAPES, np.float32)
    for shape in shapes:
        for point, sign in zip(CORNERS, (-1.0, 1.0), strict=True):
            weights[NAMES.index(shape), 2 * ORDER.index(point)] = sign * per_pixel
        bias[NAMES.index(shape)] = 0.1 - per_pixel * rest
    return weights, bias


def coordinates(first: int) -> WEIGHTS:
    """Return weights that give out x and y of 26 points as scores, from point `first` on."""
    weights = np.zeros((SHAPES, 2 * POINTS), np.float32)
    for place in range(SHAPES):
        if 2 * first + place < 2 * POINTS:
            weights[place, 2 * first + place] = 1.0
    return weights
