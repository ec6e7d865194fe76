"""`onmal keys`: who may use a server that requires keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onmal.cli.options import argument, option, utf8
from onmal.cli.terminal import note

if TYPE_CHECKING:
    from onmal.serving.keys import KeyFile

__all__ = ["keys"]

keys = typer.Typer(
    no_args_is_help=True,
    help="""Give out and revoke the keys of a server.

    \b
    onmal keys add alice --requests-per-minute 60
    onmal keys list
    onmal keys revoke alice

    They open `onmal serve MODEL --require-keys`. Only a hash of a key is kept, in a file that only you can read. Servers that run know
    at once.
    """,
)

Name = Annotated[str, argument("NAME", "Whose key it is; it stands in the access log.")]
File = Annotated[
    Path | None,
    option("FILE", "The file of the keys.  [default: ONMAL_KEYS, or your folder for settings]", "--file"),
]


@keys.command()
def add(
    name: Name,
    requests_per_minute: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Most requests per minute.  [default: the server's]", show_default=False
        ),
    ] = 0,
    characters_per_minute: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Most characters per minute.  [default: the server's]",
            show_default=False,
        ),
    ] = 0,
    characters: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Most characters of a request.  [default: the server's]",
            show_default=False,
        ),
    ] = 0,
    file: File = None,
) -> None:
    """Give out a key. It is printed once, and cannot be read again.

    \b
    onmal keys add alice
    curl -H "Authorization: Bearer KEY" http://127.0.0.1:5000/v1/models
    """
    key = _key_file(file).add(
        utf8(name, "NAME"),
        requests_per_minute=requests_per_minute,
        characters_per_minute=characters_per_minute,
        characters=characters,
    )
    typer.echo(key)
    note(f"this is the only time that the key of {name} is shown")


@keys.command("list")
def list_keys(file: File = None) -> None:
    """Show whose keys there are, and their limits; never the keys."""
    from onmal.cli.terminal import show, table

    rows = table("name", "since", "requests/min", "characters/min", "characters", numbers=3)
    for key in _key_file(file).given_out():
        limits = (key.requests_per_minute, key.characters_per_minute, key.characters)
        rows.add_row(key.name, key.created[:10], *(f"{limit:,}" if limit else "" for limit in limits))
    if rows.row_count:
        show(rows)
    else:
        note("no keys were given out; the first one: onmal keys add NAME")


@keys.command()
def revoke(name: Name, file: File = None) -> None:
    """Take a key back, also on servers that run."""
    _key_file(file).revoke(name)
    note(f"the key of {name} opens nothing any more")


def _key_file(path: Path | None) -> KeyFile:
    from onmal.serving.keys import KeyFile
    from onmal.serving.settings import ServeConfig

    return KeyFile(path or ServeConfig().keys_file)
