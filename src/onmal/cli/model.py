"""`onmal info` and `onmal inspect`: what a model is, and what it looks at."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from onmal.cli.options import BeamSize, Model, Tag, To, argument, flag, option, search_config, utf8
from onmal.cli.terminal import note
from onmal.errors import ConfigError

if TYPE_CHECKING:
    from onmal.inspection import Part
    from onmal.translating.translator import Translator

__all__ = ["info", "inspect"]

INSIDE = {
    "num_heads": "{0.num_heads} heads",
    "feed_forward": "feed-forward {0.feed_forward}",
    "hidden_size": "{0.width} inside",
    "kernel_size": "windows of {0.kernel_size} words",
    "attention": "{0.attention} attention",
}
"""What `onmal info` tells of a network beside its layers, where it has the option."""


def info(
    model: Model,
    as_json: Annotated[bool, flag("--json", "Print everything that the folder says, as JSON.")] = False,
) -> None:
    """Show what is in a model folder.

    \b
    onmal info runs/ko-en

    Languages, network, training text, longest sentences, and scores on the validation text.
    """
    from onmal.saved_model import load_model, read_folder

    saved = load_model(model)
    if as_json:
        description, card = read_folder(model)
        typer.echo(json.dumps({**description, "card": card}, ensure_ascii=False, indent=2))
        return
    config, vocabulary, listed = saved.config, saved.model.vocabulary, saved.shortlist
    layers = f"{config.encoder_layers} + {config.decoder_layers} layers of width {config.d_model}"
    inside = [form.format(config) for option, form in INSIDE.items() if config.knows(option)]
    sides = (
        (vocabulary.source_size,)
        if saved.tokenizer.joint
        else (vocabulary.source_size, vocabulary.target_size)
    )
    facts = {
        "directions": ", ".join(map("-".join, saved.directions)),
        "network": ", ".join([config.network, layers, *inside]),
        "parameters": f"{sum(parameter.numel() for parameter in saved.model.parameters()):,}",
        "vocabulary": " and ".join(f"{size:,}" for size in sides),
        "longest sentence": "{} tokens of source, {} of target".format(*saved.trained_lengths),
        **(
            {"shortlist": f"{len(listed.common)} words for every source, and more for each of its words"}
            if listed
            else {}
        ),
        **_flat({key: value for key, value in saved.card.items() if key not in ("run", "trained_lengths")}),
    }
    width = max(map(len, facts))
    typer.echo("\n".join([str(model), *(f"  {name:{width}}  {fact}" for name, fact in facts.items())]))


def inspect(
    model: Model,
    text: Annotated[str, argument("TEXT", "One sentence.")],
    part: Annotated[
        str, option("PART", "Whose attention: cross, encoder or decoder.  [default: cross]")
    ] = "cross",
    layer: Annotated[int | None, option("N", "Which layer, from 1.  [default: their mean]")] = None,
    head: Annotated[int | None, option("N", "Which head, from 1.  [default: their mean]")] = None,
    pieces: Annotated[bool, flag("--pieces", "Show subword pieces rather than words.")] = False,
    out: Annotated[Path | None, option("FILE", "Draw it here, as .svg or .png.", "--out", "-o")] = None,
    all_heads: Annotated[bool, flag("--all-heads", "Draw every layer and head, small.")] = False,
    page: Annotated[
        Path | None,
        option("FILE", "Save all of it as a page, one .html file that needs no server.", "--page"),
    ] = None,
    to: To = "",
    tag: Tag = "",
    beam_size: BeamSize = None,
) -> None:
    """Show which words the network looks at.

    \b
    onmal inspect runs/phrasebook "내일 학교에 가요."
    onmal inspect runs/phrasebook "내일 학교에 가요." --layer 4 --head 2
    onmal inspect runs/phrasebook "내일 학교에 가요." --all-heads -o heads.svg
    onmal inspect runs/phrasebook "내일 학교에 가요." --page school.html
    """
    from onmal.inspection import draw, draw_all_heads, terminal
    from onmal.inspection import inspect as inspect_sentence
    from onmal.translating.translator import load

    if all_heads and (out is None or layer is not None or head is not None):
        raise ConfigError(
            "--all-heads draws every layer and head", "give -o FILE, and neither --layer nor --head"
        )
    chosen = (part != "cross", layer is not None, head is not None, pieces, out is not None, all_heads)
    if page is not None and any(chosen):
        raise ConfigError(
            "--page saves every layer and head", "leave away all but --to, --tag and --beam-size"
        )
    sentence, translator = utf8(text, "TEXT"), load(model, tag=tag)
    search = search_config(translator.saved.search, beam_size)
    if page is not None:
        _save_page(page, translator, sentence, to, beam_size or 0)
        return
    inspection = inspect_sentence(translator, sentence, to=to, search=search)
    for warning in inspection.warnings:
        note(warning)
    typer.echo(f"{sentence}\n{inspection.translation}\n")
    if all_heads and out:
        draw_all_heads(inspection, cast("Part", part), out, words=not pieces)
    else:
        # Python counts layers and heads from 0, people from 1.
        layer, head = (None if number is None else number - 1 for number in (layer, head))
        attention = inspection.attention(cast("Part", part), layer, head, words=not pieces)
        if out is None:
            typer.echo(terminal(attention, shutil.get_terminal_size().columns))
        else:
            draw([attention], out)
    if out:
        typer.echo(f"drawn in {out}")


def _save_page(page: Path, translator: Translator, sentence: str, to: str, beam: int) -> None:
    """The page that looks inside, for one sentence, in a file; beam 0 is the recipe's."""
    from onmal.inspection.example import example
    from onmal.serving.saved_page import saved_page
    from onmal.writing import write_whole

    found = example(translator, sentence, to, beam)
    for warning in found["warnings"]:
        note(warning)
    write_whole(page, saved_page(found).encode())
    typer.echo(f"{sentence}\n{found['tgt']['text']}\n\nsaved in {page}")


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Nested values as one level of text: {"a": {"b": 1}} is {"a b": "1"}."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        name = f"{before} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            flat |= _flat(value, name)
        elif isinstance(value, float):
            flat[name] = f"{value:,.4g}"
        else:
            flat[name] = f"{value:,}" if isinstance(value, int) else str(value)
    return flat
