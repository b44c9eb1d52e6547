"""The language-model reasoner: clients, schemas, prompts' messages and conversions."""

from emer.agents.llm.reasoner import Llm

__all__ = ["Llm"]
