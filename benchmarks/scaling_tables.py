"""The tables of docs/scaling.md and docs/scaling.ko.md: what the cost model says, what was assumed, what was measured."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cost_model
from cost_model import FLOAT32, Cluster, Update
from tables import listed, missing, table

from onmal.config import SIZES, ModelConfig, Vocabulary

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = {"en": "scaling.md", "ko": "scaling.ko.md"}

PAIRS = 100_000_000
LENGTH = 30  # tokens of a sentence, on both sides
TOKENS = 400_000  # target tokens of an update, as Ott et al. (2018) have them
BATCH = 25_000  # of them at once on one GPU
GPUS = (1, 8, 64)
SHARES = (0.35, 0.40, 0.45)
H100 = Cluster(
    peak=989e12, share=SHARES[1], per_machine=8, within=450e9, between=50e9, hop=10e-6, message=50e-6, batching=4e6
)  # fmt: skip
VOCABULARIES = {"tiny": 8_000, "small": 8_000, "base": 32_000, "big": 32_000}
WEB = {"words": 23, "distinct": 20_000_000, "pieces": 4, "letters": 12}
"""Prepared text: words in a sentence, distinct words of a language, and pieces and bytes of each of these."""

NVIDIA = {
    "A100 40 GB": (Cluster(312e12, 0, 8, 300e9, 0, 10e-6, 0, 0), 10_240, 82_059, {4: 286_081, 8: 551_599}),
    "V100 16 GB": (Cluster(125e12, 0, 8, 150e9, 0, 10e-6, 0, 0), 5_120, 32_942, {4: 109_726, 8: 214_656}),
}
"""Transformer-big, mixed precision: peak and NVLink by the data sheets, tokens a GPU, tokens/s of one GPU and of several."""
NVIDIA_WORDS = 33_708

Result = Mapping[str, Any]
Words = Mapping[str, str]

WORDS: Mapping[str, Words] = {
    "en": {
        "missing": "not measured yet",
        "how": "how to measure it",
        "size": "Size",
        "vocabulary": "Vocabulary",
        "parameters": "Parameters",
        "gflops": "GFLOP a target token",
        "projection": "of it output projection",
        "scores": "of it attention's scores",
        "gradients": "Gradients",
        "what": "What",
        "assumed": "Assumed",
        "source": "Source",
        "peak": "bfloat16 products of an H100 SXM, dense",
        "share": "share of it that an update reaches",
        "within": "NVLink between GPUs of a machine, each way",
        "between": "network between machines, each way",
        "hop": "a step of a ring of GPUs",
        "message": "a step of a ring of processes that agree on a few numbers",
        "batching": "batches that a process makes",
        "length": "tokens of a sentence, source and target",
        "update": "target tokens of an update",
        "sheet": "[data sheet](https://www.nvidia.com/en-us/data-center/h100/): {value}",
        "half": "half of 1,979 with sparsity",
        "both": "half of 900 GB/s for both ways",
        "port": "one port of 400 Gbit/s a machine; a DGX H100 has eight",
        "estimate": "estimate",
        "reached": "estimate; others reached {value} on older GPUs, see below",
        "large": "[Ott et al. 2018](https://aclanthology.org/W18-6301/)",
        "per token": "{value} target tokens/s",
        "gpus": "GPUs",
        "batches": "`batch_tokens` × `accumulate`",
        "make": "Batches, ms",
        "compute": "Compute, ms",
        "exchange": "Exchange, ms",
        "agreement": "Agreement, ms",
        "seconds": "Update, ms",
        "efficiency": "Efficiency",
        "free": "with batches for nothing",
        "sent": "Sent a GPU and update",
        "hours": "Hours for one pass",
        "gpu hours": "GPU-hours",
        "kept": "Kind",
        "weights": "Weights",
        "adam": "Adam",
        "copies": "Copies of weights",
        "activations": "Activations",
        "logits": "Logits",
        "total": "Total",
        "machine": "Machine",
        "tokens": "Tokens a GPU",
        "rate": "Tokens/s",
        "reaches": "Share of peak",
        "faster": "Times one GPU",
        "by model": "By the model",
        "pair": "Bytes a pair",
        "all pairs": "100 million pairs",
        "numbers": "word numbers, {words} words a sentence",
        "places": "where each sentence begins",
        "distinct": "{distinct:,} distinct words a language",
        "batch": "Tokens an update",
        "alone": "One process, s",
        "beside": "Two, no exchange, s",
        "together": "Two, s",
        "alone exchange": "Exchange alone, s (model)",
        "times": "Times one process (model)",
        "on": "Measured on {machine}, {precision}, two processes of one thread, vocabulary {vocabulary:,}, sentences of"
        " {length} tokens, median of {rounds} rounds; torch {torch}",
        "peaks": "Products: {alone:.0f} GFLOP/s in one process, {beside:.0f} in each of two at once",
        "ring": "Exchange: {bandwidth:.2f} GB/s each way, {hop:.0f} µs a step",
        "makes": "Batches: {batching:,.0f} target tokens/s in one process",
    },
    "ko": {
        "missing": "아직 재지 않음",
        "how": "재는 방법",
        "size": "크기",
        "vocabulary": "어휘",
        "parameters": "매개변수",
        "gflops": "번역문 토큰당 GFLOP",
        "projection": "그중 출력 투영",
        "scores": "그중 어텐션 점수",
        "gradients": "기울기",
        "what": "항목",
        "assumed": "가정",
        "source": "근거",
        "peak": "H100 SXM의 bfloat16 행렬 곱(밀집)",
        "share": "그중 업데이트가 실제로 쓰는 비율",
        "within": "한 컴퓨터 안 GPU 사이의 NVLink, 한 방향",
        "between": "컴퓨터 사이의 네트워크, 한 방향",
        "hop": "GPU 고리의 한 단계",
        "message": "숫자 몇 개를 맞추는 프로세스 고리의 한 단계",
        "batching": "프로세스 하나가 배치를 만드는 속도",
        "length": "문장의 토큰 수, 원문과 번역문 모두",
        "update": "업데이트 한 번의 번역문 토큰",
        "sheet": "[데이터시트](https://www.nvidia.com/en-us/data-center/h100/): {value}",
        "half": "희소성을 쓴 1,979의 절반",
        "both": "양방향 900 GB/s의 절반",
        "port": "컴퓨터마다 400 Gbit/s 포트 하나. DGX H100에는 여덟 개",
        "estimate": "추정",
        "reached": "추정. 더 오래된 GPU에서 다른 사람들이 얻은 값은 {value}(아래 참조)",
        "large": "[Ott et al. 2018](https://aclanthology.org/W18-6301/)",
        "per token": "초당 번역문 토큰 {value}개",
        "gpus": "GPU",
        "batches": "`batch_tokens` × `accumulate`",
        "make": "배치, ms",
        "compute": "계산, ms",
        "exchange": "교환, ms",
        "agreement": "합의, ms",
        "seconds": "업데이트, ms",
        "efficiency": "효율",
        "free": "배치 시간을 뺀 효율",
        "sent": "업데이트마다 GPU 하나가 보내는 양",
        "hours": "한 번 훑는 시간",
        "gpu hours": "GPU 시간",
        "kept": "방식",
        "weights": "가중치",
        "adam": "Adam",
        "copies": "가중치 사본",
        "activations": "활성값",
        "logits": "로짓",
        "total": "합계",
        "machine": "컴퓨터",
        "tokens": "GPU당 토큰",
        "rate": "초당 토큰",
        "reaches": "최대 성능 대비",
        "faster": "GPU 하나의 몇 배",
        "by model": "모형의 값",
        "pair": "쌍당 바이트",
        "all pairs": "1억 쌍",
        "numbers": "단어 번호, 문장당 {words}단어",
        "places": "문장이 시작하는 자리",
        "distinct": "언어마다 서로 다른 단어 {distinct:,}개",
        "batch": "업데이트의 토큰",
        "alone": "프로세스 하나, 초",
        "beside": "둘, 교환 없이, 초",
        "together": "둘, 초",
        "alone exchange": "교환만, 초(모형)",
        "times": "프로세스 하나의 몇 배(모형)",
        "on": "측정: {machine}, {precision}, 스레드 하나짜리 프로세스 둘, 어휘 {vocabulary:,}개, 문장 길이"
        " {length}토큰, {rounds}회의 중앙값, torch {torch}",
        "peaks": "행렬 곱: 프로세스 하나일 때 {alone:.0f} GFLOP/s, 둘이 동시에 돌 때 각각 {beside:.0f} GFLOP/s",
        "ring": "교환: 한 방향 {bandwidth:.2f} GB/s, 한 단계 {hop:.0f} µs",
        "makes": "배치: 프로세스 하나가 초당 번역문 토큰 {batching:,.0f}개",
    },
}


def sizes(result: Result | None, words: Words) -> list[str]:
    """What each size of network is and computes."""
    rows = []
    for size in SIZES:
        model, vocabulary = network(size)
        flops = cost_model.flops_per_pair(model, vocabulary, LENGTH, LENGTH)
        projection = 6 * LENGTH * model.d_model * vocabulary.target_size
        attentions = model.encoder_layers + 2 * model.decoder_layers
        scores = 12 * attentions * LENGTH * LENGTH * model.d_model
        count = cost_model.parameters(model, vocabulary)
        rows.append(
            [
                size,
                f"{vocabulary.target_size:,}",
                f"{count / 1e6:.1f} M",
                f"{flops / LENGTH / 1e9:.3f}",
                percent(projection / flops),
                percent(scores / flops, digits=1),
                f"{FLOAT32 * count / 1e6:,.0f} MB",
            ]
        )
    keys = ("size", "vocabulary", "parameters", "gflops", "projection", "scores", "gradients")
    return table([words[key] for key in keys], rows)


def assumptions(result: Result | None, words: Words) -> list[str]:
    """What the other tables rest on."""
    reached = [share_of_peak(name) for name in NVIDIA]
    rows = [
        ("peak", f"{H100.peak / 1e12:.0f} TFLOP/s", words["sheet"].format(value=words["half"])),
        ("share", percent(SHARES[0], SHARES[-1]), words["reached"].format(value=percent(*sorted(reached)))),
        ("within", f"{H100.within / 1e9:.0f} GB/s", words["sheet"].format(value=words["both"])),
        ("between", f"{H100.between / 1e9:.0f} GB/s", words["port"]),
        ("hop", f"{H100.hop * 1e6:.0f} µs", words["estimate"]),
        ("message", f"{H100.message * 1e6:.0f} µs", words["estimate"]),
        ("batching", words["per token"].format(value=f"{H100.batching:,.0f}"), words["estimate"]),
        ("length", f"{LENGTH}", words["estimate"]),
        ("update", f"{TOKENS:,}", words["large"]),
    ]  # fmt: skip
    return table(
        [words[key] for key in ("what", "assumed", "source")], [[words[row[0]], *row[1:]] for row in rows]
    )


def time(result: Result | None, words: Words) -> list[str]:
    """One pass over PAIRS on 1, 8 and 64 GPUs."""
    keys = (
        "size",
        "gpus",
        "batches",
        "make",
        "compute",
        "exchange",
        "agreement",
        "seconds",
        "efficiency",
        "free",
    )
    rows = [time_row(size, n) for size in ("base", "big") for n in GPUS]
    return table([words[key] for key in (*keys, "sent", "hours", "gpu hours")], rows)


def time_row(size: str, n: int) -> list[str]:
    """One number of GPUs: parts at the middle share of the peak, hours from best to worst."""
    low, middle, high = (predict(size, n, share) for share in SHARES)
    alone = predict(size, 1, SHARES[1])
    batch_tokens = min(TOKENS, BATCH * n)
    ends = middle.most, middle.least
    whole = [cost_model.efficiency(alone.least, end, n) for end in ends]
    free = [cost_model.efficiency(alone.compute, end - middle.batching, n) for end in ends]
    hours = [PAIRS * LENGTH / TOKENS * end / 3600 for end in (high.least, low.most)]
    sent = 2 * (n - 1) / n * FLOAT32 * cost_model.parameters(*network(size))
    return [
        size,
        f"{n}",
        f"{batch_tokens:,} × {TOKENS // batch_tokens}",
        *(f"{1000 * part:,.0f}" for part in (*middle[:3], middle.agreement)),
        span(1000 * middle.least, 1000 * middle.most, ",.0f"),
        percent(*whole),
        percent(*free),
        f"{sent / 1e9:.2f} GB",
        span(*hours, ".2f"),
        span(*(n * hour for hour in hours), ".1f"),
    ]


def memory(result: Result | None, words: Words) -> list[str]:
    """What a GPU holds, and what an exchange takes, when each keeps everything and when they share."""
    rows = []
    for size in ("base", "big"):
        weights = FLOAT32 * cost_model.parameters(*network(size))
        for n in GPUS[1:]:
            link = n, H100.link(n), H100.hop
            kinds = {
                "DDP": (1, cost_model.all_reduce_seconds(weights, *link)),
                "FSDP2": (n, cost_model.sharded_seconds(weights, *link)),
            }
            for kind, (shards, exchange) in kinds.items():
                found = cost_model.memory(*network(size), BATCH, BATCH, shards=shards)
                parts = [f"{part / 1e9:.2f}" for part in (*found, found.total)]
                rows.append([size, f"{n}", kind, *parts, f"{1000 * exchange:.1f}"])
    keys = ("weights", "gradients", "adam", "copies", "activations", "logits", "total")
    header = [words["size"], words["gpus"], words["kept"], *(f"{words[key]}, GB" for key in keys)]
    return table([*header, words["exchange"]], rows)


def disk(result: Result | None, words: Words) -> list[str]:
    """Prepared text, by its parts."""
    total = cost_model.disk_bytes(PAIRS, **WEB)
    numbers, places = 2 * 4 * WEB["words"], 2 * 8
    parts = {
        words["numbers"].format_map(WEB): numbers,
        words["places"]: places,
        words["distinct"].format_map(WEB): total / PAIRS - numbers - places,
        words["total"]: total / PAIRS,
    }
    rows = [[name, f"{part:.0f}", f"{part * PAIRS / 1e9:.1f} GB"] for name, part in parts.items()]
    return table([words[key] for key in ("what", "pair", "all pairs")], rows)


def published(result: Result | None, words: Words) -> list[str]:
    """What others measured with the same network, beside what the model makes of it."""
    rows = []
    big, vocabulary = ModelConfig(**SIZES["big"]), square(NVIDIA_WORDS)
    for name, (cluster, tokens, rate, rates) in NVIDIA.items():
        for n, measured in {1: rate, **rates}.items():
            size = FLOAT32 * cost_model.parameters(big, vocabulary)
            exchange = cost_model.all_reduce_seconds(size, n, cluster.within, cluster.hop)
            alone = tokens / rate
            predicted = n * cost_model.efficiency(n * alone, alone + exchange, n)
            rows.append(
                [
                    f"{n} × {name}",
                    f"{tokens:,}",
                    f"{measured:,}",
                    percent(share_of_peak(name) * measured / n / rate),
                    f"{measured / rate:.2f}",
                    f"{predicted:.2f}",
                ]
            )
    keys = ("gpus", "tokens", "rate", "reaches", "faster", "by model")
    return table([words[key] for key in keys], rows)


def measured(result: Result | None, words: Words) -> list[str]:
    """Two processes on a CPU, beside what the model says."""
    if result is None:
        commands = ("python benchmarks/scaling.py --measure", "python benchmarks/scaling.py --tables")
        return missing(words, [("scaling", *commands)])
    rows = []
    for case in result["cases"]:
        seconds = case["seconds"]
        rows.append(
            [
                case["size"],
                f"{case['tokens']:,}",
                *(f"{seconds[key]:.3f}" for key in ("alone", "beside", "together")),
                f"{seconds['exchange']:.3f} ({case['predicted_exchange']:.3f})",
                f"{case['measured_ratio']:.2f} ({case['predicted_ratio']:.2f})",
                percent(case["share_of_peak"]),
            ]
        )
    keys = ("size", "batch", "alone", "beside", "together", "alone exchange", "times", "reaches")
    notes = [
        words["on"].format_map(result),
        words["peaks"].format(alone=result["peak_alone"] / 1e9, beside=result["peak_beside"] / 1e9),
        words["ring"].format(bandwidth=result["bandwidth"] / 1e9, hop=result["hop"] * 1e6),
        words["makes"].format(batching=round(result["batching"], -5)),
    ]
    return [*table([words[key] for key in keys], rows), *listed(notes)]


TABLES: Mapping[str, Callable[[Result | None, Words], list[str]]] = {
    found.__name__: found for found in (sizes, assumptions, time, memory, disk, published, measured)
}


def square(size: int) -> Vocabulary:
    """One vocabulary for both languages."""
    return Vocabulary(source_size=size, target_size=size)


def network(size: str) -> tuple[ModelConfig, Vocabulary]:
    """A size's network, and the vocabulary that the tables give it."""
    return ModelConfig(**SIZES[size]), square(VOCABULARIES[size])


def predict(size: str, processes: int, share: float) -> Update:
    """An update of TOKENS on H100s that reach a share of their peak."""
    return cost_model.update(*network(size), TOKENS, LENGTH, processes, replace(H100, share=share))


def share_of_peak(name: str) -> float:
    """What one GPU of NVIDIA's table reaches, by our count of operations."""
    cluster, _, rate, _ = NVIDIA[name]
    big = ModelConfig(**SIZES["big"])
    return cost_model.flops_per_pair(big, square(NVIDIA_WORDS), LENGTH, LENGTH) / LENGTH * rate / cluster.peak


def percent(low: float, high: float | None = None, *, digits: int = 0) -> str:
    """A share, or a range of shares."""
    return span(100 * low, 100 * (low if high is None else high), f".{digits}f") + " %"


def span(low: float, high: float, form: str) -> str:
    """Two numbers, or one where they look the same."""
    ends = f"{low:{form}}", f"{high:{form}}"
    return ends[0] if ends[0] == ends[1] else " – ".join(ends)


_BLOCK = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def rewrite(page: str, result: Result | None, words: Words) -> str:
    """A page with each of its tables made anew."""
    return _BLOCK.sub(
        lambda block: "\n".join([block[1], *TABLES[block[2]](result, words), "", block[3]]), page
    )


def rewrite_pages(result: Path, *, write: bool) -> Sequence[str]:
    """Names of the pages whose tables are out of date, rewritten or not."""
    found = json.loads(result.read_text("utf-8")) if result.exists() else None
    stale = []
    for language, name in PAGES.items():
        path = DOCS / name
        page = path.read_text("utf-8")
        renewed = rewrite(page, found, WORDS[language])
        if renewed != page:
            stale.append(name)
            if write:
                path.write_text(renewed, "utf-8", newline="\n")
    return stale
