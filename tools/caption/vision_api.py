"""A captioner behind any OpenAI-compatible address: frames are sent there, so it must be chosen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar

from emer.tools.call import note, still_wanted
from emer.tools.caption.caption_tool import CaptionTool
from emer.tools.caption.endpoint import Endpoint, Refused, ask, checked
from emer.tools.caption.reaching import reach
from emer.tools.caption.records import Shown, Written
from emer.tools.errors import ConfigError, ToolFailed, ToolMissing
from emer.tools.machine import is_offline
from emer.tools.types import Param, Source
from emer.tools.weights.download import key_for

KEY = "EMER_VISION_KEY"
URL, MODEL = "EMER_VISION_URL", "EMER_VISION_MODEL"


class VisionApi(CaptionTool):
    """Describes frames with a vision model behind an address (OpenAI, vLLM, llama.cpp, Ollama ...).

    `url` and `model` may also stand in EMER_VISION_URL and EMER_VISION_MODEL. The key comes from
    EMER_VISION_KEY, or from OPENAI_API_KEY for OpenAI itself; an address that wants none needs
    none. `seconds` is the time limit of one request, of which there is one a frame.
    """

    name: ClassVar[str] = "vision-api"
    description = (
        "Sends a few frames to a vision model, which describes them and may be asked about them."
    )
    deterministic: ClassVar[bool] = False

    def __init__(
        self,
        model: str = "",
        url: str = "",
        seconds: float = 60.0,
        most: int = 8,
        most_close: int = 4,
        mask_subtitles: str = "found",
        max_side: int = 768,
    ) -> None:
        """Keep the settings; nothing is sent. `ConfigError` for what cannot be."""
        super().__init__(most, most_close, mask_subtitles, max_side)
        if not 0 < seconds <= 600:
            raise ConfigError(f"{self.name}.seconds must be above 0 and at most 600")
        self._model, self._url, self._seconds = model, url, seconds

    @property
    def source(self) -> Source:
        """Name, version, model, and the host to which frames are sent."""
        endpoint = self._endpoint()
        params: dict[str, Param] = {**self.params, "host": endpoint.host}
        return Source(tool=self.name, version=_version(), model=endpoint.model, params=params)

    @property
    def answers(self) -> bool:
        """Yes: it is told in words what to do."""
        return True

    def reach(self) -> str:
        """Ask the endpoint whether the model is there; no picture is sent.

        `ToolFailed` says what is wrong.
        """
        try:
            return reach(self._endpoint())
        except Refused as error:
            raise ToolFailed(self.name, "a first request", str(error)) from error

    def write(self, shown: Sequence[Shown]) -> Sequence[Written]:
        """Return what the model writes about each; `ToolFailed` names the host and the fault."""
        endpoint = self._endpoint()
        if not endpoint.is_local:
            count = sum(len(each.pictures) for each in shown)
            note(f"{count} frame{'s' * (count != 1)} of the clip went to {endpoint.host}")
        try:
            return ask(endpoint, shown, still_wanted)
        except Refused as error:
            raise ToolFailed(self.name, "the clip", str(error)) from error

    def _endpoint(self) -> Endpoint:
        model = self._model or os.environ.get(MODEL, "")
        url = self._url or os.environ.get(URL, "")
        if not model or not url:
            line = 'url = "http://127.0.0.1:8000/v1", model = "NAME" in emer.toml, or '
            raise ToolMissing(self.name, "an address and a model", f"{line}{URL} and {MODEL}")
        endpoint = Endpoint(checked(url, self.name), model, key_for(url, KEY), self._seconds)
        if is_offline() and not endpoint.is_local:
            raise ConfigError(
                f"{self.name} would send frames to {endpoint.host}: EMER_OFFLINE forbids"
            )
        return endpoint


def _version() -> str:
    try:
        return version("openai")
    except PackageNotFoundError:
        what = "the package openai"
        raise ToolMissing("vision-api", what, "pip install 'emer[llm]'") from None
