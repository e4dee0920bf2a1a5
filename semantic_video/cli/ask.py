"""`ask`: questions about what happens in time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semantic_video.cli.opening import load_options
from semantic_video.cli.options import (
    ConfigOption,
    JsonOption,
    LibraryOption,
    QuietOption,
    VerboseOption,
)
from semantic_video.cli.output import print_json, print_result
from semantic_video.cli.terminal import Reporter, printable

if TYPE_CHECKING:
    from semantic_video.records import Answer


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    video: Annotated[
        list[str] | None, typer.Option(metavar="VIDEO", help="Ask only this (repeatable).")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A choice (repeatable).")
    ] = None,
    llm: Annotated[
        str | None,
        typer.Option(metavar="URL", help="OpenAI-compatible endpoint that words answers."),
    ] = None,
    llm_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the endpoint calls the model.")
    ] = None,
    llm_images: Annotated[
        bool, typer.Option("--llm-images", help="Let the model see small pictures of the evidence.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the plan and its steps.")
    ] = False,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Answer a question: what happens before and after, how often, how long, which first.

    Every sentence of the answer has the moments it rests on. Choices may also stand in the
    question, "(A) ... (B) ...": the answer then starts with the letter of the chosen one. Nothing
    leaves this machine unless an endpoint is named, and its host is shown first.
    """
    from semantic_video.answering import language_model, notice, reasoner_for_library
    from semantic_video.errors import ConfigError
    from semantic_video.temporal_reasoning import checked_question

    options = option or []
    checked_question(question, options)  # before anything is loaded
    reporter = Reporter(quiet, verbose)
    given: dict[str, Any] = {"url": llm, "model": llm_model, "images": llm_images or None}
    settings = load_options(config, library).override(
        {"llm": {name: value for name, value in given.items() if value is not None}}, source="--llm"
    )
    model = language_model(settings)
    if model is not None:  # said even when quiet
        print(printable(notice(model, settings.llm.images)), file=sys.stderr, flush=True)
    elif llm_model or llm_images:
        raise ConfigError("--llm-model and --llm-images need an endpoint: give --llm URL, too")
    reasoner = reasoner_for_library(settings, video or [], reporter.note)
    answer = reasoner.ask(question, options, model, settings.llm.images)
    _, _, failure = answer.method.partition("; worded without ")
    if failure:
        reporter.note(f"answered without {failure}")
    if as_json:
        print_json(answer.as_dict())
    else:
        _print_answer(answer, explain)


def _print_answer(answer: Answer, explain: bool) -> None:
    from semantic_video.temporal_reasoning.wording import stretch

    print_result(printable(answer.text))
    if not explain:
        return
    print_result(f"\nconfidence {answer.confidence:.2f}, by {answer.method}")
    for number, step in enumerate(answer.plan, start=1):
        print_result(printable(f"{number:3}. {step}"))
    for number, moment in enumerate(answer.evidence):
        seen = [i for i, own in enumerate(answer.sentences, start=1) if number in own.evidence]
        probability = (
            "" if moment.probability is None else f", probability {moment.probability:.2f}"
        )
        print_result(
            printable(
                f"  [{number}] {moment.video} {stretch(moment.start_s, moment.end_s)}"
                f"{probability}, for sentence {', '.join(map(str, seen)) or '-'}"
            )
        )
