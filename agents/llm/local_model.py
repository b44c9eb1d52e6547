"""A chat model of transformers in this process: local weights, no download.

`langchain-huggingface` (1.2.3) is no substitute: it needs huggingface-hub below 2, its local
models sentence-transformers below 6, and its generation runs on when the caller stops reading.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from emer.tools.errors import ConfigError

ROLES = {"system": "system", "human": "user", "ai": "assistant"}
WAIT = 30.0
"""Seconds within which a stopped generation must end."""


def find_config(name: str) -> None:
    """Raise `ConfigError` unless a folder or the Hugging Face cache has the model."""
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
    """A causal language model with its tokenizer; greedy decoding, streamed."""

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

        with self._lock:
            inputs = self._encoded(messages)
            streamer = TextIteratorStreamer(
                self._tokenizer, skip_prompt=True, skip_special_tokens=True
            )
            generation = _Generation(self._model, inputs, streamer, self.max_tokens)
            try:
                for text in streamer:
                    yield ChatGenerationChunk(message=AIMessageChunk(content=text))
            finally:
                generation.end()
            yield ChatGenerationChunk(message=generation.last_chunk())

    def _encoded(self, messages: list[BaseMessage]) -> Any:
        """Return the prompt's tokens; `ValueError` when they do not fit the model."""
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


class _Generation:
    """One generation in a thread of its own, that can be stopped between two tokens."""

    def __init__(self, model: Any, inputs: Any, streamer: Any, max_tokens: int) -> None:
        self._model, self._streamer, self._max_tokens = model, streamer, max_tokens
        self._tokens_in, self._tokens_out = int(inputs["input_ids"].shape[1]), 0
        self._stopped = threading.Event()
        self._error: Exception | None = None
        room = model.config.max_position_embeddings - self._tokens_in
        options = {**inputs, "max_new_tokens": min(max_tokens, room)}
        self._thread = threading.Thread(
            target=self._run, args=(options,), name="emer-generate", daemon=True
        )
        self._thread.start()

    def _run(self, options: dict[str, Any]) -> None:
        from transformers import StoppingCriteriaList

        def stopped(input_ids: Any, scores: Any, **kwargs: Any) -> bool:
            return self._stopped.is_set()

        try:
            tokens = self._model.generate(
                **options,
                streamer=self._streamer,
                do_sample=False,
                stopping_criteria=StoppingCriteriaList([stopped]),
            )
            self._tokens_out = int(tokens.shape[1]) - self._tokens_in
        except Exception as error:
            self._error = error
            self._streamer.end()

    def end(self) -> None:
        """Stop after the current token; raise what went wrong, if anything did."""
        self._stopped.set()
        self._thread.join(WAIT)
        if self._error is not None:
            raise self._error

    def last_chunk(self) -> AIMessageChunk:
        """Return the chunk with the token counts and why the generation ended."""
        usage = UsageMetadata(
            input_tokens=self._tokens_in,
            output_tokens=self._tokens_out,
            total_tokens=self._tokens_in + self._tokens_out,
        )
        reason = "length" if self._tokens_out >= self._max_tokens else "stop"
        return AIMessageChunk(
            content="", usage_metadata=usage, response_metadata={"finish_reason": reason}
        )
