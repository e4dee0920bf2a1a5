"""A language model behind an OpenAI-compatible endpoint, spoken to with the standard library.

One request, one answer, under one deadline for everything. No redirect is followed, so that what is
sent goes to the host that was named and nowhere else. The key comes from the environment and is in
no message, record or representation.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from semantic_video.errors import ConfigError

KEY_VARIABLE = "SEMANTIC_VIDEO_LLM_KEY"
"""The environment variable that holds the key of the endpoint, if it wants one."""

_MOST_BYTES = 1_000_000
_CHUNK = 65_536

Message = Mapping[str, Any]


class ModelError(Exception):
    """The model gave nothing usable; the text says why, in a few words without any of the key."""


class LanguageModel:
    """A model that answers chat requests at an endpoint.

    Args:
        url: where the endpoint is: ``http://localhost:11434``, ``https://host/v1`` or the full path
            of its chat completions.
        model: what the endpoint calls the model.
        timeout_s: how long an answer may take, all in all.

    Raises:
        ConfigError: the URL is none, or no model is named.
    """

    def __init__(self, url: str, model: str | None, timeout_s: float = 60.0) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"--llm {url!r} is no address: use http://HOST:PORT/v1") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"--llm {url!r} is no address: use http://HOST:PORT/v1")
        if parts.username or parts.password:
            raise ConfigError(f"keys do not belong into --llm: set {KEY_VARIABLE} instead")
        if not model:
            raise ConfigError("--llm needs --llm-model NAME: which model the endpoint is to use")
        self.host = parts.hostname if port is None else f"{parts.hostname}:{port}"
        self.name = model
        self._secure = parts.scheme == "https"
        self._address = (parts.hostname, port or (443 if self._secure else 80))
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
            ModelError: no answer in time, an error, or an answer that makes no sense.
        """
        deadline = time.monotonic() + self._timeout_s
        body = json.dumps(
            {
                "model": self.name,
                "messages": list(messages),
                "temperature": 0,
                "max_tokens": most_tokens,
                "stream": False,
            }
        ).encode()
        try:
            content = self._post(body, deadline)
            said = json.loads(content)["choices"][0]["message"]["content"]
        except ModelError:
            raise
        except TimeoutError as error:
            raise ModelError(f"no answer within {self._timeout_s:.0f} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise ModelError(f"{self.host} cannot be reached ({type(error).__name__})") from error
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise ModelError("its answer is not in the form of the protocol") from error
        if not isinstance(said, str) or not said.strip():
            raise ModelError("it said nothing")
        return said

    def _post(self, body: bytes, deadline: float) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        key = os.environ.get(KEY_VARIABLE, "").strip()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        connection = self._connection(_left(deadline))
        try:
            connection.request("POST", self._path, body, headers)
            assert connection.sock is not None
            # The socket, because the connection lets go of it when the server closes.
            socket = connection.sock
            socket.settimeout(_left(deadline))
            response = connection.getresponse()
            if response.status != 200:
                raise ModelError(f"{self.host} answered with status {response.status}")
            content = bytearray()
            while True:
                socket.settimeout(_left(deadline))
                chunk = response.read1(_CHUNK)
                if not chunk:
                    return bytes(content)
                content += chunk
                if len(content) > _MOST_BYTES:
                    raise ModelError("its answer is too long")
        finally:
            connection.close()

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        host, port = self._address
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=timeout_s)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
