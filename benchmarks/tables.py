"""Rewrites the tables of results in the READMEs and of pages in docs from benchmarks/results/*.json.

A table stands between `<!-- table: NAME -->` and `<!-- /table -->`. What has not been measured yet says how to measure it.

    python benchmarks/tables.py            rewrite
    python benchmarks/tables.py --check    exit with 1 if a table is not what the results say; change nothing
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results"
PAGES = {
    f"{page}{end}": language
    for page in ("README", "docs/adapting", "docs/training", "docs/translating")
    for end, language in ((".md", "en"), (".ko.md", "ko"))
}

PUBLISHED = {"multi30k-en-de": {"test_2016": 41.02, "test_2017": 33.36, "test_mscoco": 29.88}}
"""Wu et al. (2021): Transformer-tiny, text only, lower-cased and tokenised."""
PAPER = "[Wu et al. 2021](https://aclanthology.org/2021.acl-long.480/)"

Result = Mapping[str, Any]
Words = Mapping[str, str]

WORDS: Mapping[str, Words] = {
    "en": {
        "missing": "not measured yet",
        "how": "how to measure it",
        "test set": "Test set",
        "pairs": "Pairs",
        "direction": "Direction",
        "exact": "exact",
        "kind": "Kind of text",
        "all": "all",
        "interval": "95 % interval",
        "recipe": "Recipe",
        "cased": "**A** BLEU, cased, detokenised",
        "chrf": "**A** chrF",
        "lower": "**B** BLEU, lower-cased, tokenised",
        "paper": f"**B** {PAPER}",
        "minutes": "Training, minutes",
        "a": "**A**, sacreBLEU's own convention",
        "b": "**B**, the literature's convention on Multi30k; never to be compared with A",
        "training": "{name}: trained for {minutes:g} minutes on {machine}; {parameters:,} parameters,"
        " {updates:,} updates, {tokens:,} target tokens, {precision}, configuration {config_hash}; scored with beam {beam_size} on {scored_on}",
        "demo": "The whole demo took {demo_minutes:g} minutes, {minutes:g} of them training, on {machine}",
        "test": "test: combinations of words that training never showed",
        "long": "long: longer than any sentence in training",
        "roles": "roles: who does what to whom",
        "homonyms": "homonyms: words with two meanings",
        "nearest": "nearest neighbour in the training text, on the same test",
        "system": "System",
        "budget": "Tokens a batch",
        "speed": "Target tokens/s",
        "peak": "Of peak",
        "padding": "Padding",
        "memory": "Memory, MiB",
        "times": "onmal's speed, times this one's",
        "onmal": "**onmal**, out of the box",
        "products": "onmal's matrix products alone",
        "onmal-float32": "**onmal**, products in float32",
        "products-float32": "these products alone",
        "hf": "Hugging Face, as it comes",
        "hf-grouped": "Hugging Face, length-grouped",
        "hf-tuned": "Hugging Face, length-grouped, tuned allocator",
        "hf-tuned-bf16": "Hugging Face, length-grouped, tuned allocator, bf16",
        "joey": "JoeyNMT, as it comes",
        "joey-tuned": "JoeyNMT, tuned allocator",
        "marian": "Marian (pymarian)",
        "slices": "Median (range) of {slices} slices of {slice_seconds:g} s for each, by turns, on {machine};"
        " the tuned allocator is {allocator}. Peak: the machine's fastest product of large matrices in the same precision",
        "work": "onmal with learned positions and Adam, so that an update is the same work for all; the recipe {recipe} has rotary positions and Muon,"
        " whose updates are a little dearer",
        "step": "{budget} tokens a batch, {precision}: onmal's step takes {median:g} ({least:g} – {most:g}) times its own matrix products",
        "versions": "Versions",
        "pairs a second": "Pairs/s",
        "on disk": "Shards, MB",
        "preparing": "Memory preparing, MiB",
        "in training": "Memory training, MiB",
        "first update": "Seconds to the first update",
        "prepared": "`python benchmarks/prepare.py` on {machine}, with every filter, the tokenizer and subword sampling. Memory is anonymous memory"
        " (RssAnon), of all processes of `onmal prepare` together, and of a training of the size tiny in one process",
        "reached": "Minutes to {level:g} BLEU",
        "best": "Best BLEU",
        "longer": "Times onmal's",
        "quality": "Validation text, greedy: `{signature}`; on {machine}. Minutes of training, validation not counted;"
        " “>” is a lower bound: stopped at three times onmal's minutes. onmal takes its recipe {recipe} (rotary positions, Muon). The others follow schedules that were published for GPUs, whose warm-up was hardly over by then: docs/benchmarks.md",
        "setting": "Setting",
        "change": "to the recipe",
        "p": "p",
        "loss": "Loss per token",
        "length": "Length ratio",
        "updates": "Updates",
        "seeds": "Seeds",
        "as it is": "the recipe, as it is",
        "regularisers": "validation text of {corpus}, beam {beam_size}; each run trained for {minutes:g} minutes on {machine};"
        " recipe {recipe}, configuration {config_hash}; several seeds are given as their mean, and the difference to the recipe with the same seeds as mean and range",
        "class": "What must stay",
        "cases": "Cases",
        "kept": "kept, {system}",
        "beside": "beside its word",
        "chrf_lost": "chrF lost around it",
        "network": "network alone",
        "placeholders": "placeholders",
        "addresses": "addresses",
        "tags": "single tags",
        "pairs of tags": "pairs of tags",
        "two pairs of tags": "two pairs of tags, whole",
        "tags of long lines": "a tag in a paragraph",
        "marks of lists": "marks of lists",
        "cells of tables": "cells of a table",
        "white space": "white space around",
        "paragraphs": "sentences of a paragraph",
        "repetition": "no endless “hahahaha”",
        "capitals": "A SENTENCE IN CAPITALS",
        "numbers": "a number in figures",
        "names": "names",
        "fidelity": "{cases:,} cases, Korean to English and English to Korean; model {model}, configuration {config_hash}; {machine}",
        "fidelity files": "{cases:,} cases of sentences that people wrote, captions of Multi30k's validation text, English to German; model {model}, configuration {config_hash}; {machine}",
        "fidelity means": "kept: each as often as before, letter by letter; a number may come in words, and nothing in capitals may be left untranslated. Beside its word: where the rest was translated as the reference,"
        " next to a word that the gold alignment names. chrF lost: against the same sentences without it. Network alone: the same"
        " weights and search in CTranslate2, with nothing around them. chrF: `{signature}`",
        "alarms": "Warnings on the same sentences with nothing in them: {warned_on_clean:g} %",
        "beam": "Beam",
        "sentences": "Sentences/s",
        "torch times": "Times torch's",
        "one": "One sentence, ms (99 %)",
        "bleu": "BLEU",
        "same": "Same as torch",
        "onmal, auto": "**onmal** as it comes",
        "onmal, torch": "**onmal**, torch",
        "onmal, ctranslate2": "**onmal**, CTranslate2",
        "onmal, ctranslate2, int8": "**onmal**, CTranslate2, int8",
        "onmal, torch, shortlist": "torch, shortlist",
        "onmal, auto, shortlist": "as it comes, shortlist",
        "listed": "{sentences:,} sentences of the test of {model} (configuration {config_hash}), text in and text out; medians (ranges) of {rounds} slices of {slice_seconds:g} s for each, by"
        " turns, on {machine}. {common_words} words for every source and {words_a_source_word:g} on average for each of its words, of {vocabulary:,}. `{signature}`",
        "transformers": "Transformers, `generate`",
        "Marian, weights of its own": "Marian, weights of its own",
        "direct": "CTranslate2 called directly, {rest}",
        "translated": "{sentences:,} sentences of the test of {model} (configuration {config_hash}), text in and text out; medians (ranges) of {rounds} slices of {slice_seconds:g} s for each, by"
        " turns, on {machine}. CTranslate2 called directly: the fastest of the workers, threads and batch sizes tried. `{signature}`",
        "learned from": "Learned from",
        "back few": "{pairs:,} pairs",
        "back more": "{pairs:,} pairs, and {lines_alone:,} lines of German, translated back",
        "back all": "all {all_pairs:,} pairs",
        "back reverse": "{pairs:,} pairs, German to English: translates back",
        "translated back": "validation text of Multi30k, English to German, {beam_size} hypotheses; each run trained for {minutes:g} minutes on {machine}; p against the pairs alone",
        "difference": "Difference",
        "teacher": "Teacher",
        "student": "Student",
        "sentences in": "Sentences/s, {engine}",
        "times teacher": "Times the teacher's",
        "taught": "{split} of Multi30k, {pairs:,} sentences, text in and text out; medians of {rounds} slices of {slice_seconds:g} s for each, by turns, on {machine}; p against the teacher (paired bootstrap)",
        "taught model": "{who}: {parameters:,} parameters, {minutes:g} minutes, {updates:,} updates, configuration {config_hash}",
        "model": "Model",
        "clients": "Clients",
        "p50": "Half within, ms",
        "p99": "99 % within, ms",
        "serve times": "`onmal serve`'s speed, times this one's",
        "onmal serve": "**onmal serve**",
        "onmal, one by one": "the engine without a server, one by one",
        "CTranslate2, asynchronous": "CTranslate2 called directly, asynchronously",
        "echo": "a route that only echoes",
        "onmal, in batch": "the engine, all at once",
        "onmal, in batch beside echo": "the engine, all at once, beside as much HTTP",
        "load of a model": "{model} (configuration {config_hash}): {sentences:,} sentences of its test, beam {beam_size}; memory after {requests[0]:,} requests"
        " {mib[0]:,.0f} MiB, after {requests[1]:,} {mib[1]:,.0f} MiB",
        "load": "{seconds:g} s for each with so many clients, by turns in {rounds} rounds, {precision}, on {machine},"
        " which sends the requests, too (wrk). Medians, and the range of the rounds",
        "p means": "p: how likely the difference to the recipe's translations is by the choice of sentences alone (paired bootstrap;"
        " of several seeds the largest); what another seed changes comes on top of it",
    },
    "ko": {
        "missing": "아직 재지 않음",
        "how": "재는 방법",
        "test set": "시험 집합",
        "pairs": "문장 쌍",
        "direction": "방향",
        "exact": "완전 일치",
        "kind": "글의 종류",
        "all": "전체",
        "interval": "95 % 구간",
        "recipe": "레시피",
        "cased": "**A** BLEU, 대소문자 구분, 토큰화하지 않은 글",
        "chrf": "**A** chrF",
        "lower": "**B** BLEU, 소문자, 토큰화한 글",
        "paper": f"**B** {PAPER}",
        "minutes": "학습 시간(분)",
        "a": "**A**: sacreBLEU 기본 방식",
        "b": "**B**: Multi30k 논문들이 쓰는 방식. A와 견주면 안 됩니다",
        "training": "{name}: {machine}에서 {minutes:g}분 학습, 매개변수 {parameters:,}개, 업데이트 {updates:,}회,"
        " 번역문 토큰 {tokens:,}개, {precision}, 설정 해시 {config_hash}. 채점: {scored_on}, 빔 크기 {beam_size}",
        "demo": "{machine}에서 데모 전체에 {demo_minutes:g}분, 그중 학습에 {minutes:g}분",
        "test": "test: 학습에 없던 단어 조합",
        "long": "long: 학습에 나온 어떤 문장보다 긴 문장",
        "roles": "roles: 누가 누구에게 무엇을 하는지",
        "homonyms": "homonyms: 뜻이 둘인 말",
        "nearest": "학습 문장에서 가장 비슷한 것을 찾기만 했을 때(같은 시험 집합)",
        "system": "시스템",
        "budget": "배치당 토큰",
        "speed": "초당 번역문 토큰",
        "peak": "최고 속도 대비",
        "padding": "패딩",
        "memory": "메모리, MiB",
        "times": "onmal이 몇 배 빠른지",
        "onmal": "**onmal**, 기본 설정",
        "products": "onmal의 행렬 곱만",
        "onmal-float32": "**onmal**, 행렬 곱을 float32로",
        "products-float32": "그 행렬 곱만",
        "hf": "Hugging Face, 기본 설정",
        "hf-grouped": "Hugging Face, 길이별 묶음",
        "hf-tuned": "Hugging Face, 길이별 묶음, 메모리 할당기 조정",
        "hf-tuned-bf16": "Hugging Face, 길이별 묶음, 메모리 할당기 조정, bf16",
        "joey": "JoeyNMT, 기본 설정",
        "joey-tuned": "JoeyNMT, 메모리 할당기 조정",
        "marian": "Marian (pymarian)",
        "slices": "{machine}에서 서로 번갈아 {slice_seconds:g}초씩 {slices}번 잰 값의 중앙값(범위). 조정한 메모리 할당기는"
        " {allocator}. 최고 속도는 같은 정밀도에서 큰 행렬을 곱할 때 이 기계가 내는 가장 빠른 속도",
        "work": "어느 도구나 한 업데이트에서 하는 일이 같도록 onmal은 학습한 위치와 Adam으로 쟀습니다. 레시피({recipe})는 회전 위치와 Muon을 쓰며,"
        " 한 업데이트에 시간이 조금 더 걸립니다",
        "step": "배치당 토큰 {budget}개, {precision}: onmal의 한 업데이트에는 그 안의 행렬 곱만 할 때의 {median:g}배({least:g} – {most:g})가 걸림",
        "versions": "버전",
        "pairs a second": "초당 문장 쌍",
        "on disk": "샤드(MB)",
        "preparing": "준비할 때 메모리(MiB)",
        "in training": "학습할 때 메모리(MiB)",
        "first update": "첫 업데이트까지(초)",
        "prepared": "`python benchmarks/prepare.py`, {machine}. 모든 필터와 토크나이저, 서브워드 샘플링을 썼습니다. 메모리는 익명 메모리(RssAnon)로,"
        " `onmal prepare`의 모든 프로세스를 합친 것과 크기 tiny를 한 프로세스로 학습할 때의 것입니다",
        "reached": "BLEU {level:g}까지 걸린 시간(분)",
        "best": "최고 BLEU",
        "longer": "onmal의 몇 배",
        "quality": "검증 집합, 탐욕 탐색: `{signature}`. {machine}. 검증에 쓴 시간을 뺀 학습 시간(분)."
        " “>”는 onmal이 걸린 시간의 세 배에서 멈추었다는 뜻으로, 하한입니다. onmal은 레시피 {recipe}(회전 위치, Muon)를 씁니다. 다른 도구는 GPU에 맞추어 발표된 학습 일정을 따르며 그때는 워밍업이 막 끝났을 때입니다: docs/benchmarks.ko.md",
        "setting": "설정",
        "change": "레시피와의 차이",
        "p": "p",
        "loss": "토큰당 손실",
        "length": "길이 비율",
        "updates": "업데이트",
        "seeds": "시드 수",
        "as it is": "레시피 그대로",
        "regularisers": "{corpus}의 검증 문장, 빔 크기 {beam_size}. 실행마다 {machine}에서 {minutes:g}분 학습."
        " 레시피 {recipe}, 설정 해시 {config_hash}. 시드가 여럿이면 평균이고, 같은 시드의 레시피와의 차이는 평균과 범위",
        "class": "그대로 남아야 하는 것",
        "cases": "사례",
        "kept": "남은 비율, {system}",
        "beside": "제 단어 옆",
        "chrf_lost": "주변에서 잃은 chrF",
        "network": "신경망만",
        "placeholders": "자리표시자",
        "addresses": "주소",
        "tags": "홑태그",
        "pairs of tags": "태그 한 쌍",
        "two pairs of tags": "태그 두 쌍",
        "tags of long lines": "문단 속 태그",
        "marks of lists": "목록의 머리표",
        "cells of tables": "표의 칸",
        "white space": "앞뒤 공백",
        "paragraphs": "문단의 문장 수",
        "repetition": "끝없이 되풀이하지 않기",
        "capitals": "대문자로만 쓴 문장",
        "numbers": "숫자로 쓴 수",
        "names": "이름",
        "fidelity": "사례 {cases:,}개, 한국어→영어와 영어→한국어. 모델 {model}, 설정 해시 {config_hash}. {machine}",
        "fidelity files": "사례 {cases:,}개. 사람이 쓴 문장(Multi30k 검증 집합의 사진 설명), 영어→독일어. 모델 {model}, 설정 해시 {config_hash}. {machine}",
        "fidelity means": "남은 비율: 하나하나가 글자 그대로, 전과 같은 수만큼 남은 사례. 수는 낱말로 써도 되고, 대문자는 번역되지 않고 남으면 안 됩니다. 제 단어 옆: 나머지가 참조 번역과 똑같은 사례 가운데 정답 정렬이"
        " 가리키는 단어 옆에 놓인 것. 잃은 chrF: 그것이 없는 같은 문장과 견준 차이. 신경망만: 같은 가중치와 탐색을 CTranslate2로 그대로 쓴 것. chrF: `{signature}`",
        "alarms": "아무것도 넣지 않은 같은 문장에 나온 경고: {warned_on_clean:g} %",
        "beam": "빔",
        "sentences": "초당 문장",
        "torch times": "torch의 몇 배",
        "one": "한 문장, ms (99 %)",
        "bleu": "BLEU",
        "same": "torch와 같은 번역",
        "onmal, auto": "**onmal** 기본값",
        "onmal, torch": "**onmal**, torch",
        "onmal, ctranslate2": "**onmal**, CTranslate2",
        "onmal, ctranslate2, int8": "**onmal**, CTranslate2, int8",
        "onmal, torch, shortlist": "torch, 후보 목록",
        "onmal, auto, shortlist": "기본값, 후보 목록",
        "listed": "{model}(설정 해시 {config_hash})의 시험 문장 {sentences:,}개, 글에서 글까지. 저마다 {slice_seconds:g}초씩 {rounds}번 번갈아 잰 중앙값(범위), {machine}. 단어 {vocabulary:,}개 가운데"
        " 모든 원문에 {common_words}개, 원문 단어마다 평균 {words_a_source_word:g}개. `{signature}`",
        "transformers": "Transformers, `generate`",
        "Marian, weights of its own": "Marian, 스스로 학습한 가중치",
        "direct": "CTranslate2를 바로 부름, {rest}",
        "translated": "{model}(설정 해시 {config_hash})의 시험 문장 {sentences:,}개, 글에서 글까지. 저마다 {slice_seconds:g}초씩 {rounds}번 번갈아 잰 중앙값(범위), {machine}. CTranslate2를 바로 부른 것은"
        " 시험해 본 작업자, 스레드, 배치 크기 가운데 가장 빠른 것. `{signature}`",
        "learned from": "배운 글",
        "back few": "문장 쌍 {pairs:,}개",
        "back more": "문장 쌍 {pairs:,}개와 역번역한 독일어 {lines_alone:,}줄",
        "back all": "문장 쌍 {all_pairs:,}개 전부",
        "back reverse": "문장 쌍 {pairs:,}개, 독일어→영어(역번역한 모델)",
        "translated back": "Multi30k 검증 말뭉치, 영어→독일어, 빔 크기 {beam_size}. {machine}에서 {minutes:g}분씩 학습. p는 첫 줄과 견준 값",
        "difference": "차이",
        "teacher": "스승",
        "student": "제자",
        "sentences in": "초당 문장, {engine}",
        "times teacher": "스승의 몇 배",
        "taught": "Multi30k {split}, 문장 {pairs:,}개, 글을 넣어 글이 나오기까지. {machine}에서 서로 번갈아 {slice_seconds:g}초씩 {rounds}번 잰 값의 중앙값. p는 스승과 견준 값(짝지은 부트스트랩)",
        "taught model": "{who}: 매개변수 {parameters:,}개, {minutes:g}분, 업데이트 {updates:,}회, 설정 해시 {config_hash}",
        "model": "모델",
        "clients": "클라이언트",
        "p50": "절반이 끝나는 시간(ms)",
        "p99": "99 %가 끝나는 시간(ms)",
        "serve times": "`onmal serve`가 몇 배 빠른지",
        "onmal serve": "**onmal serve**",
        "onmal, one by one": "서버 없이 엔진만, 한 문장씩",
        "CTranslate2, asynchronous": "CTranslate2를 바로 비동기로 부름",
        "echo": "같은 답만 돌려주는 경로",
        "onmal, in batch": "엔진에 한꺼번에",
        "onmal, in batch beside echo": "엔진에 한꺼번에, 옆에서 같은 수의 HTTP 요청 처리",
        "load of a model": "{model}(설정 해시 {config_hash}): 시험 문장 {sentences:,}개, 빔 크기 {beam_size}. 메모리는 요청 {requests[0]:,}건 뒤 {mib[0]:,.0f} MiB,"
        " {requests[1]:,}건 뒤 {mib[1]:,.0f} MiB",
        "load": "클라이언트 수마다 {seconds:g}초씩 {rounds}번에 나누어 번갈아 잼, {precision}. {machine}에서 재었으며"
        " 요청도 같은 기계가 보냄(wrk). 중앙값과 라운드의 범위",
        "p means": "p: 레시피의 번역과의 차이가 문장을 고른 우연만으로 생길 확률(짝 부트스트랩, 시드가 여럿이면 가장 큰 값)."
        " 시드를 바꿀 때 생기는 차이는 들어 있지 않습니다",
    },
}


def phrasebook(results: Mapping[str, Result], words: Words) -> list[str]:
    """What the demo scores, for each of its test sets and both directions."""
    result = results.get("phrasebook")
    if result is None:
        return missing(
            words, [("phrasebook", "make demo", "python benchmarks/phrasebook.py runs/phrasebook")]
        )
    header = [words["test set"], words["pairs"]]
    for direction in ("ko→en", "en→ko"):
        header += [f"{direction} {metric}" for metric in ("BLEU", "chrF", words["exact"])]
    rows = []
    signatures: dict[str, str] = {}
    for split, directions in result["splits"].items():
        row = [words.get(split, split), str(directions["pairs"])]
        for direction in ("ko-en", "en-ko"):
            for metric in ("BLEU", "chrF", "exact"):
                found = directions.get(direction, {}).get(metric, {})
                unit = " %" if metric == "exact" else ""
                row.append(f"{found['value']:.1f}{unit}" if "value" in found else "")
                if "signature" in found and metric != "exact":
                    signatures[f"{direction} {metric}"] = found["signature"]
        rows.append(row)
    lookup = result["nearest_neighbour"]["ko-en"]
    found = [f"{lookup[metric]['value']:.1f}" for metric in ("BLEU", "chrF", "exact")]
    rows.append(
        [words["nearest"], str(result["splits"]["test"]["pairs"]), *found[:2], found[2] + " %", *[""] * 3]
    )
    notes = [words["demo"].format_map(result)]
    notes += [f"{name}: `{signature}`" for name, signature in signatures.items()]
    return [*table(header, rows), *listed(notes)]


def multi30k(results: Mapping[str, Result], words: Words) -> list[str]:
    """Three test sets in two conventions that stand apart, beside what was published."""
    classical = ("multi30k-en-de-convolution", "multi30k-en-de-gru-attention", "multi30k-en-de-gru")
    recipes = ("multi30k-en-de", *classical, "multi30k-de-en")
    found = {recipe: results[recipe] for recipe in recipes if recipe in results}
    absent = [
        (recipe, f"onmal train recipes/{recipe}.toml", f"python benchmarks/multi30k.py runs/{recipe}")
        for recipe in recipes
        if recipe not in found
    ]
    lines = []
    if found:
        keys = ("recipe", "test set", "cased", "chrf", "lower", "paper", "minutes")
        rows, notes = [], {}
        for recipe, result in found.items():
            for test in ("test_2016", "test_2017", "test_mscoco"):
                scores = result[test]
                paper = PUBLISHED.get(recipe, {}).get(test)
                rows.append(
                    [
                        recipe,
                        test,
                        with_interval(scores, "bleu"),
                        with_interval(scores, "chrf"),
                        f"{scores['bleu_lc_tok']:.2f}",
                        "" if paper is None else f"{paper:.2f}",
                        f"{result['minutes']:g}",
                    ]
                )
                signature = scores["signature"]
                notes[f"{words['a']}: `{signature['bleu']}`, `{signature['chrf']}`"] = None
                notes[f"{words['b']}: `{signature['bleu_lc_tok']}`"] = None
        told = [
            words["training"].format_map({**result, "config_hash": short(result)})
            for result in found.values()
        ]
        lines += [*table([words[key] for key in keys], rows), *listed([*notes, *told])]
    if absent:
        lines += ["", *missing(words, absent)] if lines else missing(words, absent)
    return lines


def koen(results: Mapping[str, Result], words: Words) -> list[str]:
    """Each kind of text of the Korean-English corpus."""
    result = results.get("koen")
    if result is None:
        commands = ("onmal train recipes/koen.toml --data koen=FOLDER", "python benchmarks/koen.py runs/koen")
        return missing(words, [("koen", *commands)])
    header = [words["kind"], words["pairs"], "chrF", words["interval"], "BLEU", words["interval"]]
    rows = []
    for kind, scores in {**result["kinds"], words["all"]: result["all"]}.items():
        row = [kind, f"{scores['pairs']:,}"]
        for metric in ("chrf", "bleu"):
            low, high = scores[f"{metric}_interval"]
            row += [f"{scores[metric]:.1f}", f"{low:.1f} – {high:.1f}"]
        rows.append(row)
    notes = [f"{metric}: `{signature}`" for metric, signature in result["signature"].items()]
    told = words["training"].format_map({**result, "config_hash": short(result)})
    return [*table(header, rows), *listed([*notes, told])]


def train_speed(results: Mapping[str, Result], words: Words) -> list[str]:
    """How fast each system trains the same network, for each size of batch."""
    result = results.get("train_speed")
    if result is None:
        return missing(words, [("train_speed", "docs/benchmarks.md", "python benchmarks/train_speed.py")])
    keys = ("budget", "system", "speed", "peak", "padding", "memory", "times")
    rows, notes = [], [words["slices"].format_map(result), words["work"].format_map(result)]
    for budget, found in result["budgets"].items():
        for name, system in found["systems"].items():
            speeds, times = system["tokens_per_second"], system["onmal_is_times"]
            rows.append(
                [
                    f"{int(budget):,}",
                    words[name],
                    f"{system['median']:,.0f} ({min(speeds):,.0f} – {max(speeds):,.0f})",
                    f"{system['share_of_peak']:.0%} {system['precision']}",
                    "" if system["padding"] is None else f"{system['padding']:.0%}",
                    f"{system['memory_bytes'] / 2**20:,.0f}",
                    f"{times['median']:.2f} ({times['least']:.2f} – {times['most']:.2f})",
                ]
            )
        for precision, step in found["step_to_products"].items():
            notes.append(words["step"].format(budget=f"{int(budget):,}", precision=precision, **step))
    notes.append(f"{words['versions']}: " + ", ".join(f"{k} {v}" for k, v in result["versions"].items()))
    return [*table([words[key] for key in keys], rows), *listed(notes)]


def time_to_quality(results: Mapping[str, Result], words: Words) -> list[str]:
    """Minutes of training until each system translates well."""
    result = results.get("time_to_quality")
    if result is None:
        return missing(
            words, [("time_to_quality", "docs/benchmarks.md", "python benchmarks/time_to_quality.py")]
        )
    header = [words["system"], words["reached"].format_map(result), words["longer"], words["best"]]
    own = result["systems"]["onmal"]["minutes"]
    rows = []
    for name, system in result["systems"].items():
        bound = system["minutes"] is None
        minutes, sign = system["more_than_minutes"] if bound else system["minutes"], "> " if bound else ""
        rows.append(
            [words[name], f"{sign}{minutes:.1f}", f"{sign}{minutes / own:.1f}", f"{system['best']:.1f}"]
        )
    return [*table(header, rows), *listed([words["quality"].format_map(result)])]


def prepare(results: Mapping[str, Result], words: Words) -> list[str]:
    """How text of three sizes is prepared, and trained on."""
    result = results.get("prepare")
    if result is None:
        return missing(words, [("prepare", "docs/training.md", "python benchmarks/prepare.py")])
    keys = ("pairs", "pairs a second", "on disk", "preparing", "first update", "in training")
    rows = [
        [
            f"{size['pairs']:,}", f"{size['pairs_per_second']:,}", f"{size['bytes'] / 1e6:,.0f}",
            f"{size['prepare_anonymous_mib']:,.0f}", f"{size['first_update_seconds']:.1f}",
            f"{size['training_anonymous_mib']:,.0f}",
        ]
        for size in result["sizes"]
    ]  # fmt: skip
    return [*table([words[key] for key in keys], rows), *listed([words["prepared"].format_map(result)])]


def regularisers(results: Mapping[str, Result], words: Words) -> list[str]:
    """The recipe with one change at a time, on the validation text."""
    result = results.get("regularisers")
    if result is None:
        return missing(
            words, [("regularisers", "onmal corpus multi30k", "python benchmarks/regularisers.py")]
        )
    keys = ("setting", "BLEU", "change", "p", "chrF", "loss", "length", "updates", "seeds")
    rows, scored, recipe = [], list[Result](), result["settings"].get("recipe", {})
    for setting, found in result["settings"].items():
        runs = list(found.values())
        if not runs:
            continue
        bleu, chrf, loss, length, updates = (
            sum(run[key] for run in runs) / len(runs)
            for key in ("bleu", "chrf", "loss", "length_ratio", "updates")
        )
        changes = [run["bleu"] - recipe[seed]["bleu"] for seed, run in found.items() if seed in recipe]
        change = "" if not changes or setting == "recipe" else f"{sum(changes) / len(changes):+.1f}"
        if len(changes) > 1 and change:
            change += f" ({min(changes):+.1f} – {max(changes):+.1f})"
        chances = [run["p_value"] for run in runs if run["p_value"] is not None]
        rows.append(
            [
                words["as it is"] if setting == "recipe" else f"`{setting}`",
                f"{bleu:.1f}", change, f"{max(chances):.3f}" if chances else "", f"{chrf:.1f}", f"{loss:.3f}",
                f"{length:.3f}", f"{updates:,.0f}", str(len(runs)),
            ]
        )  # fmt: skip
        scored += runs
    told = words["regularisers"].format_map({**result, "config_hash": short(result)})
    notes = [told, words["p means"], signed(scored)]
    return [*table([words.get(key, key) for key in keys], rows), *listed(notes)]


def student(results: Mapping[str, Result], words: Words) -> list[str]:
    """A student beside its teacher: what it loses, and how much faster it is."""
    result = results.get("student")
    if result is None:
        how = "python benchmarks/student.py runs/multi30k-en-de-student --teacher runs/multi30k-en-de"
        return missing(words, [("student", "docs/adapting.md", how)])
    systems = result["systems"]
    engines = list(next(iter(systems.values()))["sentences_per_second"])
    header = [words["model"], words["beam"], "BLEU", words["difference"], "p", "chrF"]
    for engine in engines:
        header += [words["sentences in"].format(engine=engine), words["times teacher"]]
    rows = []
    for name, found in systems.items():
        role, _, beam = name.partition(", beam ")
        taught = role == "student"
        row = [
            words[role],
            beam,
            f"{found['bleu']:.2f}",
            f"{found['bleu_difference']:+.2f}" if taught else "",
        ]
        row += [f"{found['p_value']:.3f}" if taught else "", f"{found['chrf']:.2f}"]
        for engine in engines:
            rates, times = found["sentences_per_second"][engine], found["times_the_teacher"][engine]
            row += [f"{statistics.median(rates):,.0f} ({min(rates):,.0f} – {max(rates):,.0f})"]
            row += [f"{times['median']:.2f}" if taught else ""]
        rows.append(row)
    told = [
        words["taught model"].format_map(
            {**result[who], "who": words[who], "config_hash": short(result[who])}
        )
        for who in ("teacher", "student")
    ]
    notes = [words["taught"].format_map(result), *told, signed(systems.values())]
    return [*table(header, rows), *listed(notes)]


def back_translation(results: Mapping[str, Result], words: Words) -> list[str]:
    """What text in the target language alone gives where there are few pairs."""
    result = results.get("back_translation")
    if result is None:
        how = "python benchmarks/back_translation.py"
        return missing(words, [("back_translation", "onmal corpus multi30k", how)])
    facts = {**result, "all_pairs": result["pairs"] + result["lines_alone"]}
    rows = []
    for name, found in result["systems"].items():
        p = "" if found["p_value"] is None else f"{found['p_value']:.3f}"
        rows.append(
            [
                words[f"back {name}"].format_map(facts),
                f"{found['bleu']:.1f}",
                p,
                f"{found['chrf']:.1f}",
                f"{found['updates']:,}",
            ]
        )
    header = [words["learned from"], "BLEU", "p", "chrF", words["updates"]]
    notes = [words["translated back"].format_map(facts), signed(result["systems"].values())]
    return [*table(header, rows), *listed(notes)]


def translate_speed(results: Mapping[str, Result], words: Words) -> list[str]:
    """Sentences a second and milliseconds for one, with the same weights in every engine."""
    result = results.get("translate_speed")
    if result is None:
        how = "python benchmarks/translate_speed.py runs/multi30k-en-de"
        return missing(words, [("translate_speed", "docs/benchmarks.md", how)])
    versions = f"{words['versions']}: " + ", ".join(f"{k} {v}" for k, v in result["versions"].items())
    return [
        *engines(result, words),
        *listed([words["translated"].format_map({**result, "config_hash": short(result)}), versions]),
    ]


def shortlist(results: Mapping[str, Result], words: Words) -> list[str]:
    """The same weights among all words, and among those that a source suggests."""
    result = results.get("shortlist")
    if result is None:
        how = "python benchmarks/shortlist.py runs/multi30k-en-de"
        return missing(words, [("shortlist", "docs/translating.md", how)])
    return [
        *engines(result, words),
        *listed([words["listed"].format_map({**result, "config_hash": short(result)})]),
    ]


def engines(result: Result, words: Words) -> list[str]:
    """A line for each engine and beam size."""
    rows = []
    for beam, systems in result["beams"].items():
        for name, found in systems.items():
            rates, (toolkit, _, rest) = found["sentences_per_second"], name.partition(", ")
            times = found["median"] / systems["onmal, torch"]["median"]
            rows.append(
                [
                    beam,
                    words["direct"].format(rest=rest) if toolkit == "CTranslate2" else words[name],
                    f"{found['median']:,.0f} ({min(rates):,.0f} – {max(rates):,.0f})",
                    f"{times:.2f}",
                    f"{found['one_ms_median']:.1f} ({found['one_ms_p99']:.1f})",
                    f"{found['bleu']:.2f}",
                    f"{found['same']:.1%}",
                ]
            )
    keys = ("beam", "system", "sentences", "torch times", "one", "bleu", "same")
    return table([words[key] for key in keys], rows)


def serve_load(results: Mapping[str, Result], words: Words) -> list[str]:
    """What a server does with several clients at the same time, beside its engine and CTranslate2 without one."""
    result = results.get("serve_load")
    if result is None:
        how = "python benchmarks/serve_load.py runs/phrasebook"
        return missing(words, [("serve_load", "docs/benchmarks.md", how)])
    rows, notes = [], []
    for model, measured in result["models"].items():
        for clients, systems in measured["clients"].items():
            for name, found in systems.items():
                low, high = min(found["slices"]), max(found["slices"])
                latencies = [f"{found[key]:.1f}" if key in found else "" for key in ("p50_ms", "p99_ms")]
                rate = f"{found['per_second']:,.0f} ({low:,.0f} – {high:,.0f})"
                times = f"{found['serve_is_times']['median']:.2f}"
                rows.append([model, clients, words[name], rate, *latencies, times])
        notes.append(
            words["load of a model"].format_map(
                {**measured, **measured["memory"], "model": model, "config_hash": short(measured)}
            )
        )
    keys = ("model", "clients", "system", "sentences", "p50", "p99", "serve times")
    versions = f"{words['versions']}: " + ", ".join(f"{k} {v}" for k, v in result["versions"].items())
    told = [*notes, words["load"].format_map(result), versions]
    return [*table([words[key] for key in keys], rows), *listed(told)]


def fidelity(results: Mapping[str, Result], words: Words) -> list[str]:
    """What comes through unharmed, class by class, beside the network alone."""
    result = results.get("fidelity")
    if result is None:
        return missing(words, [("fidelity", "make demo", "python benchmarks/fidelity.py runs/phrasebook")])
    return what_came_through(result, words, "fidelity")


def fidelity_files(results: Mapping[str, Result], words: Words) -> list[str]:
    """The same of sentences that people wrote."""
    result = results.get("fidelity-multi30k-en-de")
    if result is None:
        command = "python benchmarks/fidelity.py runs/multi30k-en-de --pairs val.en val.de"
        return missing(
            words, [("fidelity-multi30k-en-de", "onmal train recipes/multi30k-en-de.toml", command)]
        )
    return what_came_through(result, words, "fidelity files")


def what_came_through(result: Result, words: Words, about: str) -> list[str]:
    """One such table; `about` says in which words its cases are told of."""
    own, alone = result["systems"]["onmal"], result["systems"]["network"]
    header = [
        words["class"],
        words["cases"],
        *(words["kept"].format(system=s) for s in ("onmal", words["network"])),
    ]
    rows = [
        [
            words[kind], f"{found['cases']:,}", f"{found['kept']:.1f} %", f"{alone[kind]['kept']:.1f} %",
            "" if found["beside"] is None else f"{found['beside']:.1f} %", "" if found["chrf_lost"] is None else f"{found['chrf_lost']:.1f}",
        ]
        for kind, found in own.items()
    ]  # fmt: skip
    told = words[about].format_map({**result, "config_hash": short(result)})
    notes = [told, *(words[note].format_map(result) for note in ("fidelity means", "alarms"))]
    return [*table([*header, words["beside"], words["chrf_lost"]], rows), *listed(notes)]


TABLES: Mapping[str, Callable[[Mapping[str, Result], Words], list[str]]] = {
    "phrasebook": phrasebook,
    "multi30k": multi30k,
    "koen": koen,
    "train_speed": train_speed,
    "time_to_quality": time_to_quality,
    "prepare": prepare,
    "regularisers": regularisers,
    "student": student,
    "shortlist": shortlist,
    "back_translation": back_translation,
    "translate_speed": translate_speed,
    "serve_load": serve_load,
    "fidelity": fidelity,
    "fidelity_files": fidelity_files,
}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table as Markdown; a cell that begins with a digit, or with a sign before one, is a number."""
    rows = list(rows)
    numbers = [
        all(row[column].lstrip("+-")[:1].isdigit() or not row[column] for row in rows)
        for column in range(len(header))
    ]
    rule = ["--:" if number else "---" for number in numbers]
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]


def short(result: Result) -> str:
    """Of its configuration's hash, as much as tells it from others."""
    return f"`{result['config_hash'][:12]}`"


def signed(scored: Iterable[Result]) -> str:
    """Which metrics gave the scores, each once."""
    signatures = dict.fromkeys(each for found in scored for each in found["signature"].values())
    return ", ".join(f"`{signature}`" for signature in signatures)


def listed(notes: Iterable[str]) -> list[str]:
    """Notes below a table."""
    return ["", *(f"- {note}" for note in notes)]


def missing(words: Words, results: Iterable[tuple[str, str, str]]) -> list[str]:
    """Rows that say how a result is made."""
    rows = [(f"{name}: {words['missing']}", f"`{first}`, `{second}`") for name, first, second in results]
    return table(("", words["how"]), rows)


def with_interval(scores: Result, metric: str) -> str:
    """A score and, where it was measured, its interval."""
    interval = scores.get("interval", {}).get(metric)
    return f"{scores[metric]:.2f}" + ("" if interval is None else " ({:.1f} – {:.1f})".format(*interval))


def read_results(folder: Path = RESULTS) -> dict[str, Result]:
    """What has been measured, by name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


_BLOCK = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def rewrite(page: str, results: Mapping[str, Result], words: Words) -> str:
    """A page with each of its tables made anew."""
    return _BLOCK.sub(
        lambda block: "\n".join([block[1], *TABLES[block[2]](results, words), "", block[3]]), page
    )


def main(arguments: Sequence[str]) -> int:
    """Rewrite or check all pages."""
    if set(arguments) - {"--check"}:
        print(__doc__, file=sys.stderr)
        return 2
    results, stale = read_results(), []
    for name, language in PAGES.items():
        path = REPOSITORY / name
        page = path.read_text("utf-8")
        renewed = rewrite(page, results, WORDS[language])
        if renewed == page:
            continue
        stale.append(name)
        if not arguments:
            path.write_text(renewed, "utf-8", newline="\n")
    if arguments and stale:
        print(f"{' and '.join(stale)}: tables out of date; run: python benchmarks/tables.py", file=sys.stderr)
        return 1
    print(f"tables {'rewritten in ' + ' and '.join(stale) if stale else 'up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
