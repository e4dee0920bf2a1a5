"""A language model behind an OpenAI-compatible endpoint, spoken to with the standard library.

One request, one answer, under one deadline for everything (see `http_exchange`). No redirect is
followed and no proxy is asked, so that what is sent goes to the host that was named and nowhere
else. The key comes from the environment and is in no message, record or representation. What cannot
be sent (an address or a key that HTTP has no room for) is said before anything is.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from semantic_video.errors import ConfigError
from semantic_video.temporal_reasoning.http_exchange import post

KEY_VARIABLE = "SEMANTIC_VIDEO_LLM_KEY"
"""The environment variable that holds the key of the endpoint, if it wants one."""

_MOST_BYTES = 1_000_000
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+", re.ASCII | re.IGNORECASE)  # a name, or an IPv6 address
_PATH = re.compile(r"[!-~]*")

Message = Mapping[str, Any]


class ModelError(Exception):
    """The model gave nothing usable; the text says why, in a few words without any of the key.

    ``dropped``: how many sentences it gave that were dropped.
    """

    def __init__(self, text: str, dropped: int = 0) -> None:
        super().__init__(text)
        self.dropped = dropped


class NoAnswerError(ModelError):
    """The endpoint cannot be reached, or did not answer in time: asking again is no use."""


class LanguageModel:
    """A model that answers chat requests at an endpoint.

    Args:
        url: where the endpoint is: ``http://localhost:11434``, ``https://host/v1`` or the full path
            of its chat completions.
        model: what the endpoint calls the model.
        timeout_s: how long one answer may take, all in all.

    Raises:
        ConfigError: the URL is none, no model is named, or the key cannot be sent.
    """

    def __init__(self, url: str, model: str | None, timeout_s: float = 60.0) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
            host = (parts.hostname or "").encode("idna").decode()
        except ValueError as error:  # also of a name with an empty or too long part
            raise ConfigError(f"--llm {url!r} is no address: use http://HOST:PORT/v1") from error
        if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or port == 0:
            raise ConfigError(f"--llm {url!r} is no address: use http://HOST:PORT/v1")
        if parts.username or parts.password:
            raise ConfigError(f"keys do not belong into --llm: set {KEY_VARIABLE} instead")
        if not _PATH.fullmatch(parts.path + parts.query):
            raise ConfigError(
                f"--llm {url!r} is no address: its path may hold ASCII characters without spaces "
                "only, so write others as %XX"
            )
        if not model:
            raise ConfigError("--llm needs --llm-model NAME: which model the endpoint is to use")
        _authorization()
        self.host = host if port is None else f"{host}:{port}"
        self.name = model
        self._secure = parts.scheme == "https"
        self._address = (host, port or (443 if self._secure else 80))
        path = parts.path.rstrip("/")
        if not path.endswith("/chat/completions"):
            path = f"{path or '/v1'}/chat/completions"
        self._path = f"{path}?{parts.query}" if parts.query else path
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"LanguageModel({self.name!r} at {self.host})"

    def chat(self, messages: Sequence[Message], most_tokens: int = 800) -> str:
        """What the model says to ``messages``.

        Raises:
            NoAnswerError: no answer in time, or nobody is there.
            ModelError: an error, or an answer that makes no sense.
        """
        body = json.dumps(
            {
                "model": self.name,
                "messages": list(messages),
                "temperature": 0,
                "max_tokens": most_tokens,
                "stream": False,
            }
        ).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= _authorization()
        try:
            status, content = post(
                self._connection(),
                self._path,
                body,
                headers,
                timeout_s=self._timeout_s,
                most_bytes=_MOST_BYTES + 1,
            )
        except TimeoutError as error:
            raise NoAnswerError(f"no answer within {self._timeout_s:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            reason = f"{self.host} cannot be reached ({type(error).__name__})"
            raise NoAnswerError(reason) from error
        if status != 200:
            raise ModelError(f"{self.host} answered with status {status}")
        if len(content) > _MOST_BYTES:
            raise ModelError("its answer is too long")
        try:
            said = json.loads(content)["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise ModelError("its answer is not in the form of the protocol") from error
        if not isinstance(said, str) or not said.strip():
            raise ModelError("it said nothing")
        return said

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._address
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout_s)


def _authorization() -> dict[str, str]:
    """The header with the key of the environment; none where there is no key.

    Raises:
        ConfigError: the key holds what a header cannot.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(
            f"{KEY_VARIABLE} holds characters that a header of HTTP cannot (only printable ASCII "
            "can be sent): set it to the key as the endpoint gave it"
        )
    return {"Authorization": f"Bearer {key}"} if key else {}
