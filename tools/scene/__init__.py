"""Scene tool: cuts, framing, people, posture, hands, light and motion of a clip."""

from emer.tools.scene.tool import Camera

__all__ = ["Camera"]
