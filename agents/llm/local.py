"""A model run on this machine by transformers: weights from disk, nothing downloaded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from emer.tools.errors import ConfigError

ROLES = {"system": "system", "human": "user", "ai": "assistant"}
WAIT = 30.0
"""Seconds within which a generation that was stopped must end."""


def find_config(name: str) -> None:
    """Raise `ConfigError` unless the model is a folder, or in the local Hugging Face cache."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError as error:
        raise _not_installed(name) from error
    folder = Path(name)
    try:
        found = folder.is_dir() or isinstance(try_to_load_from_cache(name, "config.json"), str)
    except ValueError:  # no folder, and no name of a repository
        found = False
    if not found:
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
    """A causal language model with its tokenizer; it generates greedily and in pieces."""

    max_tokens: int = 2_000
    _model: Any = PrivateAttr()
    _tokenizer: Any = PrivateAttr()
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @classmethod
    def load(cls, name: str, max_tokens: int) -> LocalModel:
        """Return the model of a folder or of the local Hugging Face cache.

        Only safetensors weights and no code of the repository are loaded. `ConfigError`
        when packages or weights are missing, with the line that gets them.
        """
        try:
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise _not_installed(name) from error
        found = cls(max_tokens=max_tokens)
        try:
            found._tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=True)
            found._model = AutoModelForCausalLM.from_pretrained(
                name, local_files_only=True, use_safetensors=True, dtype="auto"
            )
        except (OSError, ValueError, KeyError) as error:
            cause = " ".join(str(error).split())[:160]
            raise _not_here(name, cause) from error
        found._model.to(_device()).eval()
        return found

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
        pieces = list(self._stream(messages))
        whole = pieces[0]
        for piece in pieces[1:]:
            whole += piece
        return ChatResult(generations=[ChatGeneration(message=whole.message)])

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
            work = _Generation(self._model, inputs, streamer, self.max_tokens)
            try:
                for text in streamer:
                    yield ChatGenerationChunk(message=AIMessageChunk(content=text))
            finally:
                work.end()
            yield ChatGenerationChunk(message=_last(work, inputs, self.max_tokens))

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

    def __init__(self, model: Any, inputs: Any, streamer: Any, most: int) -> None:
        from transformers import StoppingCriteria, StoppingCriteriaList

        ended = self._ended = threading.Event()
        room = model.config.max_position_embeddings - inputs["input_ids"].shape[1]

        class Ended(StoppingCriteria):  # type: ignore[misc]
            def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> bool:
                return ended.is_set()

        self._options = {
            **inputs,
            "streamer": streamer,
            "max_new_tokens": min(most, room),
            "do_sample": False,
            "stopping_criteria": StoppingCriteriaList([Ended()]),
        }
        self.size = 0
        self.error: Exception | None = None
        self._model, self._streamer = model, streamer
        self._thread = threading.Thread(target=self._run, name="emer-generate", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            made = self._model.generate(**self._options)
            self.size = int(made.shape[1] - self._options["input_ids"].shape[1])
        except Exception as error:
            self.error = error
            self._streamer.end()

    def end(self) -> None:
        """Stop after the token that is being made; raise what went wrong, if anything did."""
        self._ended.set()
        self._thread.join(WAIT)
        if self.error is not None:
            raise self.error


def _last(work: _Generation, inputs: Any, most: int) -> AIMessageChunk:
    read = int(inputs["input_ids"].shape[1])
    usage = UsageMetadata(input_tokens=read, output_tokens=work.size, total_tokens=read + work.size)
    reason = "length" if work.size >= most else "stop"
    return AIMessageChunk(
        content="", usage_metadata=usage, response_metadata={"finish_reason": reason}
    )


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
