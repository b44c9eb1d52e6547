"""From a name to a chat model: "provider:model" for LangChain, "package.module:Name" for Python."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

from emer.tools.errors import ConfigError, ToolMissing

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


def load_chat_model(spec: str) -> BaseChatModel:
    """Return the chat model that `spec` names, at temperature 0 where it has one.

    A name with a dot before the colon is a class or function of ours or yours, called
    without arguments; any other is LangChain's provider:model, which may need a key and
    the network. `ConfigError` and `ToolMissing` say what is lacking.
    """
    module, colon, name = spec.partition(":")
    if not (module and colon and name):
        raise ConfigError(
            f"{spec!r} names no chat model: write provider:model (openai:gpt-4o) or "
            "package.module:Name"
        )
    made = _from_python(module, name) if "." in module else _from_langchain(spec)
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


def _from_langchain(spec: str) -> object:
    try:
        from langchain.chat_models import init_chat_model
    except ModuleNotFoundError as error:
        raise ToolMissing(spec, "the package langchain", "pip install 'emer[llm]'") from error
    try:
        return init_chat_model(spec, temperature=0)
    except ImportError as error:
        raise ToolMissing(spec, "its provider's package", " ".join(str(error).split())) from error
    except Exception as error:
        raise ConfigError(f"{spec}: {' '.join(str(error).split())}") from error
