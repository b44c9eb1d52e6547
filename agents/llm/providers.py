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
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from inspect import isfunction
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from emer.tools.errors import ConfigError
from emer.tools.runtime.address import checked_address, key_for
from emer.tools.runtime.cancellation import current_call
from emer.tools.runtime.connections import bound
from emer.tools.runtime.device import machine

BENCHMARK_TOKENS = 2_000
"""Tokens of one answer in the benchmark (chosen by us: an EMER explanation has some 300)."""
ROLES = {"system": "system", "human": "user", "ai": "assistant"}
WAIT = 30.0
"""Seconds within which a stopped generation must end."""
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
        return LocalModel.load(rest, max_tokens)
    name, at, url = spec.partition("@")
    if at and url.startswith(("http://", "https://")):
        address = checked_address(url, f"reasoner: the address of {name}")
        return _served(name.removeprefix("openai:"), address, max_tokens)
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
        return
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError as error:
        raise _not_installed(name) from error
    try:
        cached = isinstance(try_to_load_from_cache(name, "config.json"), str)
    except ValueError:  # no name of a repository
        cached = False
    if not (cached or Path(name).is_dir()):
        raise _not_here(name, "no such folder, and not in the Hugging Face cache")


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
        make = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{spec}: no module {error.name}") from error
    except AttributeError as error:
        raise ConfigError(f"{spec}: module {module} has no {name}") from error
    is_model = isinstance(make, type) and issubclass(make, BaseChatModel)
    if not (is_model or isfunction(make)):  # to call another thing may do anything
        raise ConfigError(f"{spec} is not a LangChain chat model, nor a function that makes one")
    try:
        model = make()
    except TypeError as error:
        raise ConfigError(f"{spec} cannot be made without arguments: {error}") from error
    if not isinstance(model, BaseChatModel):
        raise ConfigError(f"{spec} is not a LangChain chat model but a {type(model).__name__}")
    return _bounded(model)


def _served(model: str, url: str, max_tokens: int) -> BaseChatModel:
    """Return a model behind an OpenAI-compatible server; a local one needs no key."""
    try:
        from langchain_openai import ChatOpenAI
    except ModuleNotFoundError as error:
        raise _missing(f"{model}@{url}", error) from error
    served = ChatOpenAI(
        model=model,
        base_url=url,
        api_key=key_for(url, "EMER_LLM_KEY") or "none",
        temperature=0,
        max_tokens=max_tokens,
        timeout=machine().network.first,
        max_retries=1,
        stream_usage=True,
    )
    return _bounded(served)


def _bounded(model: BaseChatModel) -> BaseChatModel:
    """The model, its requests bounded where its package talks through httpx.

    Those of others are given up all the same, but may go on in their thread. No redirect is
    followed: it would take the evidence to another host, and with it the key where its header is
    not "Authorization", as Anthropic's.
    """
    package = getattr(model, "root_client", None) or getattr(model, "_client", None)
    client = getattr(package, "_client", None)
    if client is not None and hasattr(client, "event_hooks"):
        client.follow_redirects = False
        bound(client)
    return model


def _of_provider(spec: str, max_tokens: int) -> BaseChatModel:
    # the limits under the argument names of the provider's package
    silence = machine().network.first
    limits: dict[str, Any] = {"max_tokens": max_tokens, "timeout": silence, "max_retries": 1}
    if spec.startswith("ollama:"):
        limits = {"num_predict": max_tokens, "client_kwargs": {"timeout": silence}}
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
    return _bounded(model)


def _missing(spec: str, error: ImportError) -> ConfigError:
    package = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(package, "llm")
    return ConfigError(
        f"reasoner: {spec} needs a package that is not installed ({package or error}); "
        f"pip install 'emer[{extra}]'"
    )


def _not_installed(name: str) -> ConfigError:
    return ConfigError(
        f"reasoner: hf:{name} needs transformers and torch; pip install 'emer[local-llm]'"
    )


def _not_here(name: str, cause: str) -> ConfigError:
    return ConfigError(
        f"reasoner: hf:{name} is not on this machine or not a chat model ({cause}); "
        f"get it with: hf download {name}"
    )


class LocalModel(BaseChatModel):
    """A causal language model of transformers in this process, decoded greedily.

    `langchain-huggingface` (1.2.3) is no substitute: it needs huggingface-hub below 2, its
    local models sentence-transformers below 6, and its generation runs on when the caller
    stops reading.
    """

    max_tokens: int = 2_000
    _model: Any = PrivateAttr()
    _tokenizer: Any = PrivateAttr()
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @classmethod
    def load(cls, name: str, max_tokens: int) -> LocalModel:
        """Load the model of a folder or of the local Hugging Face cache.

        Only safetensors weights and no code of the repository are loaded.

        Raises:
            ConfigError: packages or weights are missing, with the line that gets them.
        """
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise _not_installed(name) from error
        loaded = cls(max_tokens=max_tokens)
        try:
            loaded._tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=True)
            loaded._model = AutoModelForCausalLM.from_pretrained(
                name, local_files_only=True, use_safetensors=True, dtype="auto"
            )
        except (OSError, ValueError, KeyError) as error:
            cause = " ".join(str(error).split())[:160]
            raise _not_here(name, cause) from error
        loaded._model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        return loaded

    @property
    def _llm_type(self) -> str:
        return "transformers"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        from transformers import TextIteratorStreamer

        stopped = threading.Event()
        with self._lock:
            inputs = self._encoded(messages)
            streamer = TextIteratorStreamer(
                self._tokenizer, skip_prompt=True, skip_special_tokens=True
            )
            outcome = self._start(inputs, streamer, stopped)
            try:
                for text in streamer:
                    yield ChatGenerationChunk(message=AIMessageChunk(content=text))
            finally:  # also where the caller stops reading: between two tokens
                stopped.set()
                written = outcome.result() if wait([outcome], WAIT).done else 0
            read = inputs["input_ids"].shape[1]
            yield ChatGenerationChunk(message=self._last_chunk(read, written))

    def _start(self, inputs: Any, streamer: Any, stopped: threading.Event) -> Future[int]:
        """Generate in a thread until `stopped`; the future is the number of tokens."""
        from transformers import StoppingCriteriaList

        call, read = current_call(), inputs["input_ids"].shape[1]
        room = self._model.config.max_position_embeddings - read
        criteria = StoppingCriteriaList(
            [lambda *_, **__: stopped.is_set() or (call is not None and call.cancelled)]
        )
        outcome: Future[int] = Future()

        def generate() -> None:
            try:
                tokens = self._model.generate(
                    **inputs,
                    max_new_tokens=min(self.max_tokens, room),
                    streamer=streamer,
                    do_sample=False,
                    stopping_criteria=criteria,
                )
                outcome.set_result(int(tokens.shape[1]) - read)
            except Exception as error:
                outcome.set_exception(error)
                streamer.end()

        threading.Thread(target=generate, name="emer-generate", daemon=True).start()
        return outcome

    def _encoded(self, messages: list[BaseMessage]) -> Any:
        talk = [{"role": ROLES.get(m.type, "user"), "content": str(m.content)} for m in messages]
        if self._tokenizer.chat_template:
            text = self._tokenizer.apply_chat_template(
                talk, tokenize=False, add_generation_prompt=True
            )
        else:
            text = "\n".join(f"{turn['role']}: {turn['content']}" for turn in talk)
            text += "\nassistant:"
        inputs = self._tokenizer(text, return_tensors="pt").to(self._model.device)
        size, room = inputs["input_ids"].shape[1], self._model.config.max_position_embeddings
        if size >= room:
            raise ValueError(f"the prompt has {size} tokens, the model reads at most {room}")
        return inputs

    def _last_chunk(self, read: int, written: int) -> AIMessageChunk:
        """The token counts, and why the generation ended."""
        usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
        reason = "length" if written >= self.max_tokens else "stop"
        return AIMessageChunk(
            content="", usage_metadata=usage, response_metadata={"finish_reason": reason}
        )
