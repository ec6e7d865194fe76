"""Texts translated sentence by sentence, for whoever wants to know which sentence became which."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from onmal.errors import ConfigError
from onmal.serving.clients import Client
from onmal.serving.schemas import Sentence, TranslateRequest, TranslationAnswer, joined
from onmal.serving.service import Service
from onmal.text.language import canonical, writes_spaces
from onmal.text.segment import split_sentences

__all__ = ["sentence_by_sentence"]


async def sentence_by_sentence(
    service: Service, client: Client, texts: Sequence[str], asked: TranslateRequest
) -> list[TranslationAnswer]:
    """Each text's translation with its sentences; they are translated together, and joined with the white space between them."""
    if asked.n_best > 1 or asked.alignment or asked.prefix or asked.must:
        raise ConfigError(
            "sentences are translated each for itself",
            "leave away n_best, alignment, prefix and must, or `sentences`",
        )
    target = canonical(asked.target)
    sources = service.sources(texts, asked.source, target, client)
    pieces = [split_sentences(text, source) for text, source in zip(texts, sources, strict=True)]
    translations = iter(
        await service.translate_pieces(
            [piece.text for each in pieces for piece in each],
            sources=[source for source, each in zip(sources, pieces, strict=True) for _ in each],
            target=target,
            client=client,
            model=asked.model,
            search=asked.changes,
            wishes=asked.wishes,
            omissions=asked.omissions,
        )
    )
    space = " " if writes_spaces(target) else ""
    answers = []
    for source, segments in zip(sources, pieces, strict=True):
        own = list(islice(translations, len(segments)))
        sentences = []
        for number, (segment, translation) in enumerate(zip(segments, own, strict=True), 1):
            gap = segment.gap or (space if number < len(segments) else "")
            warnings = list(translation.warnings)
            sentences.append(
                Sentence(source=segment.text + segment.gap, text=translation.text + gap, warnings=warnings)
            )
        score = sum(each.score for each in own) / max(1, len(own))
        answers.append(joined(sentences, score, source, target))
    return answers
