"""Chat models by name, as on the command line.

openai:MODEL, anthropic:MODEL, ollama:MODEL, or any provider that LangChain can name;
MODEL@http://host:port/v1 for any OpenAI-compatible server (vLLM, llama.cpp, LM Studio), with
the key in EMER_LLM_KEY if it needs one;
hf:ORG/MODEL or hf:/folder for a model run in this process by transformers;
script:FILE for replies written beforehand.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel

from emer.tools.errors import ConfigError
from emer.tools.weights.download import key_for

TIMEOUT = 120.0
"""Seconds a server may take for one request."""
BENCHMARK_TOKENS = 2_000
"""Tokens of one answer in the benchmark (chosen by us: an EMER explanation has some 300)."""
_EXTRAS = {
    "langchain_openai": "llm",
    "langchain_anthropic": "anthropic",
    "langchain_ollama": "ollama",
}


def connect(spec: str, max_tokens: int) -> BaseChatModel:
    """Return the chat model that `spec` names; nothing is sent to it yet.

    Raises:
        ConfigError: the name means nothing, a package is missing (with the line that
            installs it), or a key is not set.
    """
    kind, _, rest = spec.partition(":")
    if kind == "script" and rest:
        from emer.agents.scripted_model import ScriptedModel

        return ScriptedModel.from_file(Path(rest))
    if kind == "hf" and rest:
        from emer.agents.llm.local_model import LocalModel

        return LocalModel.load(rest, max_tokens)
    name, at, url = spec.partition("@")
    if at and url.startswith(("http://", "https://")):
        return _served(name.removeprefix("openai:"), url, max_tokens)
    if not (kind and rest):
        raise ConfigError(
            f"reasoner: {spec!r} names no model; write it like openai:gpt-4.1-mini, "
            "ollama:qwen3, hf:ORG/MODEL or MODEL@http://127.0.0.1:8000/v1"
        )
    return _of_provider(spec, max_tokens)


def check(spec: str, max_tokens: int) -> None:
    """Raise the `ConfigError` of `connect`, without loading any weights."""
    kind, _, name = spec.partition(":")
    if kind != "hf":
        connect(spec, max_tokens)
    else:
        from emer.agents.llm.local_model import find_config

        find_config(name)


def load_chat_model(spec: str) -> BaseChatModel:
    """Return a model of the benchmark: a name of `connect`, or "package.module:Name".

    A name with a dot before the colon is a Python class or function, called without
    arguments.

    Raises:
        ConfigError: as in `connect`, or the Python name is no LangChain chat model.
    """
    module, colon, name = spec.partition(":")
    if not (module and colon and name):
        raise ConfigError(
            f"{spec!r} names no chat model: write provider:model (openai:gpt-4o) or "
            "package.module:Name"
        )
    if "." not in module:
        return connect(spec, BENCHMARK_TOKENS)
    if (folder := os.getcwd()) not in sys.path:
        sys.path.append(folder)
    try:
        model = getattr(importlib.import_module(module), name)()
    except ModuleNotFoundError as error:
        raise ConfigError(f"{spec}: no module {error.name}") from error
    except AttributeError as error:
        raise ConfigError(f"{spec}: module {module} has no {name}") from error
    if not isinstance(model, BaseChatModel):
        raise ConfigError(f"{spec} is not a LangChain chat model but a {type(model).__name__}")
    return model


def _served(model: str, url: str, max_tokens: int) -> BaseChatModel:
    """Return a model behind an OpenAI-compatible server; a local one needs no key."""
    try:
        from langchain_openai import ChatOpenAI
    except ModuleNotFoundError as error:
        raise _missing(f"{model}@{url}", error) from error
    return ChatOpenAI(
        model=model,
        base_url=url,
        api_key=key_for(url, "EMER_LLM_KEY") or "none",
        temperature=0,
        max_tokens=max_tokens,
        timeout=TIMEOUT,
        max_retries=1,
        stream_usage=True,
    )


def _of_provider(spec: str, max_tokens: int) -> BaseChatModel:
    # the limits under the argument names of the provider's package
    limits: dict[str, Any] = {"max_tokens": max_tokens, "timeout": TIMEOUT, "max_retries": 1}
    if spec.startswith("ollama:"):
        limits = {"num_predict": max_tokens, "client_kwargs": {"timeout": TIMEOUT}}
    try:
        from langchain.chat_models import init_chat_model

        model = init_chat_model(spec, temperature=0, **limits)
    except ImportError as error:
        raise _missing(spec, error) from error
    except Exception as error:  # each provider's package has errors of its own
        raise ConfigError(f"reasoner: {spec}: {' '.join(str(error).split())[:300]}") from error
    if not isinstance(model, BaseChatModel):
        raise ConfigError(f"reasoner: {spec} is not a chat model")
    key = getattr(model, "anthropic_api_key", None)  # its package waits for the first request
    if key is not None and not key.get_secret_value():
        raise ConfigError(f"reasoner: {spec}: there is no key; set ANTHROPIC_API_KEY")
    return model


def _missing(spec: str, error: ImportError) -> ConfigError:
    package = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(package, "llm")
    return ConfigError(
        f"reasoner: {spec} needs a package that is not installed ({package or error}); "
        f"pip install 'emer[{extra}]'"
    )
