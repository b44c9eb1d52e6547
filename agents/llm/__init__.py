"""The language-model reasoner: providers, client, schemas, messages, conversion."""

from emer.agents.llm.reasoner import Llm

__all__ = ["Llm"]
