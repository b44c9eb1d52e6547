"""Face tools: action units, blinks, gaze and head movements of each person."""

from emer.tools.face.tool import Blendshapes, FaceMesh

__all__ = ["Blendshapes", "FaceMesh"]
