"""A model folder translated by onmal's engines, text in and text out, or by CTranslate2 called directly.

    python engines.py onmal MODEL ENGINE PRECISION [all|shortlist]
    python engines.py ctranslate2 MODEL PRECISION WORKERS THREADS BATCH

The second converts the model, then knows nothing of onmal: SentencePiece cuts and joins, CTranslate2 sorts and batches. A batch of 0
gives it each sentence by an asynchronous call of its own. A model of several directions translates in its first one.
"""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
from pathlib import Path

from turns import Translate, serve


def onmal_translate(folder: str, engine: str, precision: str, words: str = "all") -> Translate:
    """As a person translates: fragments, guards and all; among all words, or those of the model's shortlist."""
    import onmal

    translator = onmal.load(folder, engine=engine, precision=precision)
    usual, (_, to) = translator.saved.search, translator.directions[0]

    def translate(sentences: list[str], beam: int) -> list[str]:
        search = usual.replace(beam_size=beam, n_best=1, shortlist=words == "shortlist")
        return [found.text for found in translator.translate(sentences, to=to, search=search)]

    return translate


def direct_translate(folder: str, precision: str, workers: int, threads: int, batch: int) -> Translate:
    """CTranslate2 and SentencePiece alone."""
    import ctranslate2
    import sentencepiece

    from onmal.interop.ctranslate2 import write_ctranslate2
    from onmal.saved_model import load_model

    saved = load_model(folder)
    source, target = (
        sentencepiece.SentencePieceProcessor(model_proto=subwords.serialized)
        for subwords in (saved.tokenizer.source, saved.tokenizer.target)
    )
    with tempfile.TemporaryDirectory() as converted:
        write_ctranslate2(saved, Path(converted))
        translator = ctranslate2.Translator(
            converted, compute_type=precision, inter_threads=workers, intra_threads=threads
        )
    prefix = saved.tokenizer.source.pieces(saved.tokenizer.prefix(saved.directions[0][1]))
    usual = {"length_penalty": saved.search.length_penalty, "max_decoding_length": 250}

    def translate(sentences: list[str], beam: int) -> list[str]:
        pieces = [[*prefix, *row, "</s>"] for row in source.encode(sentences, out_type=str)]
        if batch:
            found = translator.translate_batch(pieces, beam_size=beam, max_batch_size=batch, **usual)
        else:
            calls = [
                translator.translate_batch([row], asynchronous=True, beam_size=beam, **usual)
                for row in pieces
            ]
            found = [call.result() for (call,) in calls]
        return target.decode([result.hypotheses[0] for result in found])

    return translate


def main() -> None:
    """Make the contestant that the command line names, and serve."""
    kind, folder, *rest = sys.argv[1:]
    if kind == "onmal":
        translate, packages = onmal_translate(folder, *rest), ["onmal", "torch"]
    else:
        precision, *numbers = rest
        translate, packages = direct_translate(folder, precision, *map(int, numbers)), ["ctranslate2"]
    serve(translate, {name: importlib.metadata.version(name) for name in packages})


if __name__ == "__main__":
    main()
