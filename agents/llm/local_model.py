"""A chat model of transformers in this process: local weights, no download.

`langchain-huggingface` (1.2.3) is no substitute: it needs huggingface-hub below 2, its local
models sentence-transformers below 6, and its generation runs on when the caller stops reading.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
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
        from transformers import StoppingCriteriaList, TextIteratorStreamer

        stopped = threading.Event()
        outcome: Future[int] = Future()

        def is_stopped(input_ids: Any, scores: Any, **kwargs: Any) -> bool:
            return stopped.is_set()

        def generate() -> None:
            try:
                tokens = self._model.generate(
                    **inputs,
                    max_new_tokens=min(self.max_tokens, room - read),
                    streamer=streamer,
                    do_sample=False,
                    stopping_criteria=StoppingCriteriaList([is_stopped]),
                )
                outcome.set_result(int(tokens.shape[1]) - read)
            except Exception as error:
                outcome.set_exception(error)
                streamer.end()

        with self._lock:
            inputs = self._encoded(messages)
            read, room = inputs["input_ids"].shape[1], self._model.config.max_position_embeddings
            if read >= room:
                raise ValueError(f"the prompt has {read} tokens, the model reads at most {room}")
            streamer = TextIteratorStreamer(
                self._tokenizer, skip_prompt=True, skip_special_tokens=True
            )
            threading.Thread(target=generate, name="emer-generate", daemon=True).start()
            try:
                for text in streamer:
                    yield ChatGenerationChunk(message=AIMessageChunk(content=text))
            finally:  # also where the caller stops reading: between two tokens
                stopped.set()
                written = outcome.result() if wait([outcome], WAIT).done else 0
            yield ChatGenerationChunk(message=self._last_chunk(read, written))

    def _encoded(self, messages: list[BaseMessage]) -> Any:
        talk = [{"role": ROLES.get(m.type, "user"), "content": str(m.content)} for m in messages]
        if self._tokenizer.chat_template:
            text = self._tokenizer.apply_chat_template(
                talk, tokenize=False, add_generation_prompt=True
            )
        else:
            text = "\n".join(f"{turn['role']}: {turn['content']}" for turn in talk)
            text += "\nassistant:"
        return self._tokenizer(text, return_tensors="pt").to(self._model.device)

    def _last_chunk(self, read: int, written: int) -> AIMessageChunk:
        """The token counts, and why the generation ended."""
        usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
        reason = "length" if written >= self.max_tokens else "stop"
        return AIMessageChunk(
            content="", usage_metadata=usage, response_metadata={"finish_reason": reason}
        )
