"""`onmal import` and `onmal export`: models from elsewhere, and for other engines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onmal.cli.options import Model, argument, option
from onmal.errors import ConfigError

__all__ = ["exporting", "importing"]

importing = typer.Typer(
    no_args_is_help=True,
    help="""Make a model folder of a model from elsewhere.

    \b
    onmal import hf Helsinki-NLP/opus-mt-ko-en runs/opus-ko-en
    """,
)
exporting = typer.Typer(
    no_args_is_help=True,
    help="""Write a model for other programs.

    \b
    onmal export ctranslate2 runs/ko-en exported --quantization int8      for fast processors
    onmal export onnx runs/ko-en exported                                 for everything that runs onnxruntime
    onmal export hf runs/ko-en exported                                   for transformers
    """,
)

Out = Annotated[Path, argument("OUT", "Folder to write; it must not be there yet.")]


@importing.command("hf")
def import_hf(
    place: Annotated[
        str,
        argument("NAME_OR_FOLDER", "A name on Hugging Face, which is fetched, or a folder with its files."),
    ],
    out: Out,
    source: Annotated[
        list[str] | None,
        option("LANGUAGE", "Source language, such as en; repeatable.  [default: as its files say]", "--from"),
    ] = None,
    target: Annotated[
        list[str] | None,
        option("LANGUAGE", "Target language, such as ko; repeatable.  [default: as its files say]", "--to"),
    ] = None,
    revision: Annotated[
        str,
        option(
            "REVISION",
            "Branch, tag, commit or pull request of a NAME on Hugging Face.  [default: the newest]",
            "--revision",
        ),
    ] = "",
) -> None:
    """Import a MarianMT model of Hugging Face, as the thousand of OPUS-MT.

    \b
    onmal import hf Helsinki-NLP/opus-mt-ko-en runs/opus-ko-en
    onmal import hf downloads/opus-mt-ROMANCE-en runs/romance-en --from fr --from es
    onmal import hf Helsinki-NLP/opus-mt-ko-en runs/opus-ko-en --revision refs/pr/3
    onmal translate runs/opus-ko-en --text "안녕하세요."

    A name needs a network, a folder none: config.json, vocab.json, source.spm, target.spm and model.safetensors.
    Pickles (pytorch_model.bin) are not read; where there is nothing else, a pull request may have model.safetensors. Translate, serve, inspect and evaluate work on OUT as on any other model.
    """
    from onmal.interop.hugging_face import checkpoint
    from onmal.interop.marian import read_marian
    from onmal.interop.new_folder import refuse_occupied
    from onmal.saved_model import save_model

    refuse_occupied(out)
    folder, name, commit = checkpoint(place, revision)
    saved = read_marian(folder, name=name, source=source or (), target=target or ())
    if commit:
        saved.card["imported"]["commit"] = commit
    save_model(out, saved)
    directions = saved.directions
    shown = ", ".join(map("-".join, directions[:6])) + (
        f" and {len(directions) - 6} more" if len(directions) > 6 else ""
    )
    typer.echo(
        f"{out}: {shown}, {saved.config.encoder_layers} + {saved.config.decoder_layers} layers, from {name}"
    )


@exporting.command("hf")
def export_hf(model: Model, out: Out) -> None:
    """Write a model as transformers reads it: MarianMTModel and MarianTokenizer.

    \b
    onmal export hf runs/opus-ko-en exported

    Marian has post-norm, LayerNorm, relu, gelu or swish, and positions that are added: train with model.norm_order=post. What
    it does not have is refused, with the setting's name.
    """
    from onmal.interop.marian import write_marian
    from onmal.interop.new_folder import new_folder
    from onmal.saved_model import load_model

    saved = load_model(model)
    with new_folder(out) as made:
        write_marian(saved, made)
    typer.echo(f"{out}: for transformers, MarianMTModel.from_pretrained({str(out)!r})")


@exporting.command("ctranslate2")
def export_ctranslate2(
    model: Model,
    out: Out,
    quantization: Annotated[
        str, option("KIND", "float32, float16, int8_float32 or int8.  [default: float32]", "--quantization")
    ] = "float32",
) -> None:
    """Write a model as CTranslate2 reads it, with its tokenizer beside it.

    \b
    onmal export ctranslate2 runs/ko-en exported
    onmal export ctranslate2 runs/ko-en exported --quantization int8

    Every Transformer of onmal can be written. Sources end with the piece </s>; where the model has several directions they begin
    with a tag, such as <2en>.
    """
    from typing import cast, get_args

    from onmal.interop.ctranslate2 import Quantization, write_ctranslate2
    from onmal.interop.new_folder import new_folder
    from onmal.saved_model import load_model

    if quantization not in get_args(Quantization):
        raise ConfigError(
            f"--quantization cannot be {quantization!r}", f"choose one of {', '.join(get_args(Quantization))}"
        )
    saved = load_model(model)
    with new_folder(out) as made:
        write_ctranslate2(saved, made, cast(Quantization, quantization))
        saved.tokenizer.save(made)
    typer.echo(f"{out}: for CTranslate2, {quantization}")


@exporting.command("onnx")
def export_onnx(model: Model, out: Out) -> None:
    """Write a model as three ONNX graphs, and compare them with torch.

    \b
    onmal export onnx runs/ko-en exported
    python examples/onnx_translate.py exported "안녕하세요."

    encoder.onnx, cross.onnx and decoder.onnx, whose keys and values of earlier words go out and in again; model.json and the tokenizer.
    """
    from onmal.interop.new_folder import new_folder
    from onmal.interop.onnx import write_onnx
    from onmal.saved_model import load_model

    saved = load_model(model)
    with new_folder(out) as made:
        difference = write_onnx(saved, made)
    typer.echo(f"{out}: encoder.onnx, cross.onnx and decoder.onnx; logits as in torch to {difference:.0e}")
