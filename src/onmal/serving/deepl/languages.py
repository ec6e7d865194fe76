"""Languages as DeepL calls them: in capitals, and a target with its region where there are two to choose from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from onmal.serving.deepl.answers import Wrong, unsupported
from onmal.serving.language_codes import nearest
from onmal.serving.parameters import Parameters
from onmal.serving.service import Service
from onmal.text.language import name, primary

__all__ = ["called", "direction", "sources", "targets"]

# Its clients refuse the bare code as a target.
_REGIONS = {
    "en": {"EN-GB": "English (British)", "EN-US": "English (American)"},
    "pt": {"PT-BR": "Portuguese (Brazilian)", "PT-PT": "Portuguese (European)"},
}


def called(source: str) -> str:
    """A source language: EN, KO, ZH."""
    return primary(source).upper()


def sources(service: Service) -> dict[str, str]:
    """The source languages and their English names."""
    return {called(code): name(primary(code)) for code in service.languages()}


def targets(service: Service) -> dict[str, str]:
    """The target languages and their English names; one without a region in each that DeepL knows."""
    return dict(_with_regions(target for served in service.languages().values() for target in served))


def _with_regions(codes: Iterable[str]) -> Iterator[tuple[str, str]]:
    for code in codes:
        yield from _REGIONS.get(code, {code.upper(): name(code)}).items()


def direction(asked: Parameters, service: Service) -> tuple[str, str]:
    """The source ("" where it is to be detected) and target that are asked for, as the service calls them. Raises Wrong."""
    served = service.languages()
    given = asked.text("source_lang")
    source = nearest(given, served) if given else ""
    if source is None:
        raise unsupported("source_lang")
    reachable = served[source] if source else [to for each in served.values() for to in each]
    wanted = asked.text("target_lang")
    target = nearest(wanted, [*reachable, *([source] if source else [])]) if wanted else None
    if target is None:
        hint = f"from {called(source)} there are: " if source else "there are: "
        known = dict.fromkeys(code for code, _ in _with_regions(reachable))
        raise Wrong("Value for 'target_lang' not supported.", hint + ", ".join(known))
    return source, target
