"""From a name to a chat model: those of the llm reasoner, and "package.module:Name" for Python."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

from emer.agents.llm.connecting import connect
from emer.tools.errors import ConfigError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


MOST_TOKENS = 2_000
"""Of one answer (chosen by us: an EMER explanation has some 300)."""


def load_chat_model(spec: str) -> BaseChatModel:
    """Return the chat model that `spec` names, at temperature 0 where it has one.

    A name with a dot before the colon is a class or function of ours or yours, called
    without arguments; any other is one that the llm reasoner takes, which may need a key
    and the network. `ConfigError` says what is lacking.
    """
    module, colon, name = spec.partition(":")
    if not (module and colon and name):
        raise ConfigError(
            f"{spec!r} names no chat model: write provider:model (openai:gpt-4o) or "
            "package.module:Name"
        )
    made = _from_python(module, name) if "." in module else connect(spec, MOST_TOKENS)
    from langchain_core.language_models import BaseChatModel

    if not isinstance(made, BaseChatModel):
        raise ConfigError(f"{spec} is not a LangChain chat model but a {type(made).__name__}")
    return made


def _from_python(module: str, name: str) -> object:
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)
    try:
        return getattr(importlib.import_module(module), name)()
    except ModuleNotFoundError as error:
        raise ConfigError(f"{module}:{name}: no module {error.name}") from error
    except AttributeError as error:
        raise ConfigError(f"{module}:{name}: module {module} has no {name}") from error
