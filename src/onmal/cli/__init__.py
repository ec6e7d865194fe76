"""The command `onmal`: a few lines per command over the Python API.

Nothing is imported before it is needed, so that `--help` is instant: at module level this package imports typer and
the standard library alone.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from onmal.cli import (
    adapting,
    bench,
    data,
    evaluating,
    interop,
    keys,
    lab,
    model,
    report,
    serving,
    shortlist,
    training,
    translating,
)
from onmal.cli.terminal import INTERRUPTED, note
from onmal.errors import OnmalError

__all__ = ["app", "main"]


class _Commands(TyperGroup):
    """The commands, and the one place where their errors become one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here typer knows what to do if whoever reads our output has gone
        except OnmalError as error:
            note(f"error: {error}")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            note("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        return result


app = typer.Typer(
    cls=_Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from onmal import __version__

        typer.echo(f"onmal {__version__}")
        raise typer.Exit


@app.callback()
def onmal(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """onmal (온말): parallel text in, your own translator out.

    \b
    onmal demo                                    train on the built-in phrasebook, in minutes
    onmal train --source a.ko --target a.en       train on your own text
    onmal translate runs/ko-en --text "안녕하세요."   translate with the result
    onmal serve runs/ko-en                        serve it to programs, and to people as a page
    """


for command in (
    training.demo,
    training.train,
    adapting.finetune,
    report.report,
    translating.translate,
    serving.serve,
    evaluating.evaluate,
    bench.bench,
    model.inspect,
    model.info,
    shortlist.shortlist,
    lab.lab,
    data.doctor,
    data.prepare,
    data.corpus,
):
    app.command()(command)
app.add_typer(keys.keys, name="keys")
app.add_typer(interop.importing, name="import")
app.add_typer(interop.exporting, name="export")


def main() -> None:
    """Runs the command line; text goes out as UTF-8 whatever the terminal's own encoding."""
    for stream, errors in ((sys.stdout, "strict"), (sys.stderr, "backslashreplace")):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors=errors)
    app(prog_name="onmal")
