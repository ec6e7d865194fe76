"""Which languages a MarianMT checkpoint translates between, as far as its files say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from onmal.errors import ConfigError, LanguageError
from onmal.interop.marian_tokenizer import Names
from onmal.saved_model import read_json
from onmal.text.language import canonical

__all__ = ["directions_of"]

NAME = re.compile(r"opus-mt-(?:tc-[a-z-]*?(?:big|base|tiny)-)?([^-]+)-([^-]+)$")

GROUPS = """
    aav afa alv art bat ber bnt cau ccs cdd cel cpe cpf cpp crp cus dmn dra euq fiu gem gmq gmw grk iir inc ine ira itc kar map mkh mul
    myn nah ngf nic paa phi poz pqe pqw qwe roa sal sem sio sit sla smi ssa syd tai trk tup tut urj wen zhx zle zls zlw zlz
"""
"""Codes of families of languages (ISO 639-5), by which OPUS-MT names models of several."""
ALIASES = {"jap": "ja"}
"""Codes that OPUS-MT alone has."""


def directions_of(
    name: str, folder: Path, tags: Names, source: Sequence[str], target: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Each pair of a source and a target language: those given, else those of the tags, tokenizer_config.json or the name.

    Raises ConfigError where nothing says them, LanguageError for a code that nobody knows or a language without a tag.
    """
    tagged = [tag[2:-1] for tag in tags]
    named = match.groups() if (match := NAME.search(name)) else ("", "")
    settings = folder / "tokenizer_config.json"
    said = read_json(settings) if settings.exists() else {}
    sources = [canonical(code) for code in source] or _known(
        said.get("source_lang"), named[0], "--from", name
    )
    targets = [canonical(code) for code in target] or tagged
    targets = targets or _known(said.get("target_lang"), named[1], "--to", name)
    if tagged and (missing := [code for code in targets if code not in tagged]):
        raise LanguageError(f"{name} cannot translate to {missing[0]!r}", f"it knows: {', '.join(tagged)}")
    found = tuple((one, other) for one in sources for other in targets if one != other)
    if not found:
        raise ConfigError(f"--from and --to are the same language, {targets[0]}", "give two")
    return found


def _known(said: object, named: str, option: str, name: str) -> list[str]:
    """The language that the files or the name say; one that onmal's table lacks has a private code, as `x-ceb`."""
    codes = [code for code in (said, named) if isinstance(code, str) and code]
    codes = [ALIASES.get(code, code) for code in codes if code not in GROUPS.split()]
    private = [f"x-{code}" for code in codes if re.fullmatch("[a-z]{2,3}", code)]  # not a group, as ROMANCE
    for code in (*codes, *private):
        try:
            return [canonical(code)]
        except LanguageError:
            continue
    which = "source" if option == "--from" else "target"
    raise ConfigError(f"{name} does not say its {which} language", f"give {option}, for example: {option} en")
