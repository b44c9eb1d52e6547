"""Texts that the product writes or sends, one Markdown file per message."""

from emer.prompts.prompt import Prompt, load, names

__all__ = ["Prompt", "load", "names"]
