"""Captioners: vision models that describe keyframes and answer questions."""

from emer.tools.caption.caption_tool import CaptionTool
from emer.tools.caption.captioner import Captioner
from emer.tools.caption.vision_api import VisionApi

__all__ = ["CaptionTool", "Captioner", "VisionApi"]
