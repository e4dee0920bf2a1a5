"""Short forms and tags of English spelt out: "what's", "isn't there", ", doesn't it"."""

from __future__ import annotations

import re

_ASKING = r"what|who|where|when|why|how|which"
_IS = re.compile(rf"\b({_ASKING}|there|that|here|it)['’]s\b", re.IGNORECASE)
_ARE = re.compile(rf"\b({_ASKING}|there|they|we|you)['’]re\b", re.IGNORECASE)
_DID = re.compile(rf"\b({_ASKING})['’]d\b", re.IGNORECASE)
_UNMARKED = re.compile(r"^(what|who|where|when|how|there)s\b", re.IGNORECASE)
_AUXILIARY = r"is|are|was|were|do|does|did|has|have|had|can|could|would|will"
_NOT = re.compile(rf"\b({_AUXILIARY})(?:n['’]?t)\b", re.IGNORECASE)
_CANNOT = re.compile(r"\b(?:can['’]t|cannot|cant)\b", re.IGNORECASE)
_LEADING_NOT = re.compile(
    rf"^({_AUXILIARY})(?:n['’]?t\b|\s+not(?=\s+(?:there|the|a|an|any|we|you|i|one)\b))",
    re.IGNORECASE,
)
_TAG = re.compile(
    rf"\s*,\s*(?:(?:{_AUXILIARY})(?:n['’]?t)?\s+(?:it|he|she|they|there|we|you|one)|right|correct|"
    r"no|yes)$",
    re.IGNORECASE,
)
_SHOWN = r"appear|come|happen|occur"


def spelt_out(clause: str) -> str:
    """The clause without short forms; what ends in a tag becomes the question that it asks.

    "Isn't there a dog?" asks what "Is there a dog?" does.
    """
    clause = _UNMARKED.sub(r"\1 is", clause)
    clause = _IS.sub(r"\1 is", clause)
    clause = _ARE.sub(r"\1 are", clause)
    clause = _DID.sub(r"\1 did", clause)
    stated = _TAG.sub("", clause)
    if stated != clause:
        return _asked(stated) or clause
    clause = _CANNOT.sub("can not", clause)
    return _LEADING_NOT.sub(r"\1", clause)


def _asked(statement: str) -> str:
    """The question whether a statement is true; "" where it is none that is understood."""
    statement = _NOT.sub(r"\1 not", statement)
    found = re.match(r"there\s+(is|are|was|were)\s+(.+)$", statement, re.IGNORECASE)
    if found:
        return f"{found[1]} there {found[2]}"
    found = re.match(rf"(.+?)\s+({_AUXILIARY})\s+(.+)$", statement, re.IGNORECASE)
    if found:
        return f"{found[2]} {found[1]} {found[3]}"
    found = re.match(rf"(.+?)\s+({_SHOWN})(?:s|ed)?\b(.*)$", statement, re.IGNORECASE)
    return f"does {found[1]} {found[2]}{found[3]}" if found else ""
