"""From the way people ask to the way pictures are described.

Image-text models learned from captions: a query reads best as one. ``"when does the train enter a
tunnel?"`` asks for what ``"the train enter a tunnel"`` nearly describes. Only wording around the
description is taken off; the description itself is never changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semantic_video.encoders.base import ImageTextEncoder
from semantic_video.errors import QueryError
from semantic_video.spelling import mended

_MEDIA = (
    r"(?:moment|scene|part|clip|shot|frame|time|point|place|instance|video|footage|segment|"
    r"picture|image|photo)s?"
)
_ARTICLE = r"(?:(?:all|any|every|each|the|a|an|some|this|that|those)\s+)*"
_SEE = r"(?:see|find|watch|spot|hear|look\s+at)"
_WHO = r"(?:i|we|you|one|they)"

# Taken off the beginning, again and again until nothing is left to take.
_LEADING = tuple(
    re.compile(rf"^(?:{pattern})\b[\s,:]*", re.IGNORECASE)
    for pattern in (
        r"please|kindly|hi|hey|hello|ok|okay|so",
        r"(?:can|could|would|will)\s+you(?:\s+please)?\s+"
        r"(?=(?:please|find|show|search|look|give|get|tell|point|locate|list|take|play)\b)",
        rf"{_WHO}(?:'m|\s+am|'re|\s+are)\s+(?:looking|searching)\s+for",
        rf"{_WHO}(?:'d|\s+would)?\s+(?:want|like|love|need|wish)\s+to\s+{_SEE}",
        r"(?:show|find|give|get|tell|play)\s+(?:me|us)",
        r"(?:look|looking|search|searching)\s+for",
        r"(?:find|locate|list|jump\s+to|go\s+to|skip\s+to|take\s+me\s+to)"
        r"(?=\s+(?:a|an|the|all|any|every|some|someone|somebody|when|where|people|two|three)\b)",
        rf"(?:where|when)\s+(?:can|could|do|did|does|will)\s+{_WHO}\s+{_SEE}",
        rf"(?:can|do|did|could)\s+{_WHO}\s+{_SEE}",
        rf"(?:at|in|on|during)?\s*(?:what|which)\s+{_MEDIA}\s+(?:is|are|was|were|do|does|did|can|"
        rf"shows?|has|have|contains?|features?)(?:\s+there)?(?:\s+{_WHO}\s+{_SEE})?",
        r"(?:where|when)(?:'s|\s+(?:exactly\s+)?(?:is|are|was|were|do|does|did|will))(?:\s+there)?",
        r"(?:is|are|was|were)\s+there",
        rf"{_ARTICLE}{_MEDIA}\s+(?:where|when|in\s+which|at\s+which|during\s+which|that\s+shows?|"
        rf"which\s+shows?|showing|containing|featuring)(?:\s+(?:there\s+(?:is|are|was|were)|"
        rf"(?:{_WHO}|you\s+can)\s+{_SEE}))?",
        rf"{_ARTICLE}{_MEDIA}\s+(?:of|with)",
        r"(?:when|where)(?=\s+(?:a|an|the|someone|somebody|people|two|three)\b)",
    )
)

# Taken off the end.
_TRAILING = tuple(
    re.compile(rf"[\s,]+(?:{pattern})$", re.IGNORECASE)
    for pattern in (
        r"please|thanks|thank\s+you",
        r"(?:anywhere\s+)?(?:in|from|during)\s+(?:the|this|that|my|our)\s+"
        r"(?:video|film|movie|clip|footage|recording)s?",
        r"(?:to\s+be\s+)?(?:seen|visible|shown|on\s+(?:the\s+)?screen)",
        r"appears?|happens?|happening|occurs?|takes?\s+place",
    )
)
_ENDS = " \t\n\r?!.,;:\"'“”«»"


def encode_queries(encoder: ImageTextEncoder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors [N, D] of what the texts ask for: as captions, with slips mended.

    Raises:
        QueryError: one holds bytes that are no text.
    """
    for text in texts:
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise QueryError(f"{text!r} is not valid UTF-8: type the query anew")
    return encoder.encode_texts([mended(caption_from_query(text)) for text in texts])


def caption_from_query(text: str) -> str:
    """The description in a query, without the question or the request around it.

    A text that holds nothing else, or is a description already, comes back as it is but for the
    white space and the punctuation at its ends.
    """
    caption = " ".join(text.split()).strip(_ENDS)
    while True:
        shorter = _once(caption)
        if not shorter:
            return caption or text.strip()
        if shorter == caption:
            return caption
        caption = shorter


def _once(caption: str) -> str:
    for pattern in (*_LEADING, *_TRAILING):
        caption = pattern.sub("", caption, count=1).strip(_ENDS) or caption
    return caption
