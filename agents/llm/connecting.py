"""From a name on the command line to a chat model.

openai:MODEL, anthropic:MODEL, ollama:MODEL, or any provider that LangChain can name;
MODEL@http://host:port/v1 for any OpenAI-compatible server (vLLM, llama.cpp, LM Studio), with the
key in EMER_LLM_KEY if it wants one;
hf:ORG/MODEL or hf:/folder for a model run here by transformers;
script:FILE for replies written beforehand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel

from emer.tools.errors import ConfigError
from emer.tools.weights.download import key_for

TIMEOUT = 120.0
"""Seconds a server may take for one request."""
_EXTRAS = {
    "langchain_openai": "llm",
    "langchain_anthropic": "anthropic",
    "langchain_ollama": "ollama",
}


def connect(spec: str, max_tokens: int) -> BaseChatModel:
    """Return the chat model that `spec` names; nothing is sent to it yet.

    `ConfigError` for a name that means nothing, a package that is missing (with the line
    that installs it) or a key that is not set.
    """
    kind, _, rest = spec.partition(":")
    if kind == "script" and rest:
        from emer.agents.fake import ScriptedModel

        return ScriptedModel.from_file(Path(rest))
    if kind == "hf" and rest:
        from emer.agents.llm.local import LocalModel

        return LocalModel.load(rest, max_tokens)
    name, at, url = spec.partition("@")
    if at and url.startswith(("http://", "https://")):
        return _served(name.removeprefix("openai:"), url, max_tokens)
    if not (kind and rest):
        raise ConfigError(
            f"reasoner: {spec!r} names no model; write it like openai:gpt-4.1-mini, "
            "ollama:qwen3, hf:ORG/MODEL or MODEL@http://127.0.0.1:8000/v1"
        )
    return _named(spec, max_tokens)


def check(spec: str, max_tokens: int) -> None:
    """Raise `ConfigError` for what `connect` would refuse, without loading any weights."""
    kind, _, name = spec.partition(":")
    if kind != "hf":
        connect(spec, max_tokens)
    else:
        from emer.agents.llm.local import find_config

        find_config(name)


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


def _named(spec: str, max_tokens: int) -> BaseChatModel:
    try:
        from langchain.chat_models import init_chat_model

        found = init_chat_model(spec, temperature=0, **_options(spec, max_tokens))
    except ImportError as error:
        raise _missing(spec, error) from error
    except Exception as error:  # each provider's package has errors of its own
        raise ConfigError(f"reasoner: {spec}: {' '.join(str(error).split())[:300]}") from error
    if not isinstance(found, BaseChatModel):
        raise ConfigError(f"reasoner: {spec} is not a chat model")
    key = getattr(found, "anthropic_api_key", None)  # its package waits for the first request
    if key is not None and not key.get_secret_value():
        raise ConfigError(f"reasoner: {spec}: there is no key; set ANTHROPIC_API_KEY")
    return found


def _options(spec: str, max_tokens: int) -> dict[str, Any]:
    """Return the limits in the words of the provider's package."""
    if spec.startswith("ollama:"):
        return {"num_predict": max_tokens, "client_kwargs": {"timeout": TIMEOUT}}
    return {"max_tokens": max_tokens, "timeout": TIMEOUT, "max_retries": 1}


def _missing(spec: str, error: ImportError) -> ConfigError:
    package = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(package, "llm")
    return ConfigError(
        f"reasoner: {spec} needs a package that is not installed ({package or error}); "
        f"pip install 'emer[{extra}]'"
    )
