"""Texts that the product writes or sends, one Markdown file per message."""

__all__ = ["prompt"]
