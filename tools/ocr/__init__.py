"""OCR tool: the subtitles that are burnt into the picture, read with their times."""

from emer.tools.ocr.tool import Ocr

__all__ = ["Ocr"]
