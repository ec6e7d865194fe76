"""What the report says, in English or Korean: an English text -> the Korean one, with the same places for values."""

from __future__ import annotations

import re

from onmal.errors import ConfigError

__all__ = ["SENTENCES", "TERMS", "Speaker"]


class Speaker:
    """Says things in English or Korean; raises ConfigError for another language."""

    def __init__(self, language: str) -> None:
        if language not in ("en", "ko"):
            raise ConfigError(f"the report cannot be written in {language!r}", "give --language en or ko")
        self.language = language
        self._sentences, self._terms = (SENTENCES, TERMS) if language == "ko" else ({}, {})

    def __call__(self, text: str, /, **values: object) -> str:
        """A sentence of the report with its values: `say("update {update}", update=3)`."""
        return self._sentences.get(text, text).format(**values)

    def term(self, name: str) -> str:
        """A name or value out of the log, in this language where it is known; its numbers may be any."""
        known = self._terms.get(_NUMBER.sub("{}", name))
        return known.format(*_NUMBER.findall(name)) if known else name


_NUMBER = re.compile(r"\b\d[\d,]*\b")


SENTENCES = {
    # Head
    "Training report: {name}": "학습 보고서: {name}",
    "complete": "학습 완료",
    "{share} done at the time of this report": "이 보고서를 만든 시점에 {share} 진행",
    "last heard of at {time}": "마지막 기록 {time}",
    "size {size}": "크기 {size}",
    "best score": "최고 점수",
    "{metric}, update {update}": "{metric}, 업데이트 {update}",
    "mean of {metrics}": "{metrics} 평균",
    "lowest validation loss": "가장 낮은 검증 손실",
    "update {update}": "업데이트 {update}",
    "updates": "업데이트",
    "epoch {epoch}": "에폭 {epoch}",
    "{count} skipped": "{count}회 건너뜀",
    "target tokens": "번역문 토큰",
    "{speed} a second": "초당 {speed}개",
    "training time": "학습 시간",
    "about {time} left": "약 {time} 남음",
    "validations included": "검증 시간 포함",
    "parameters": "매개변수",
    # Curves
    "Curves": "곡선",
    "There is nothing to draw yet: the run has told of no update and no validation.": "아직 그릴 것이 없습니다. 업데이트도 검증도 기록되지 않았습니다.",
    "Loss": "손실",
    "Negative log-likelihood per target token, in nats, without label smoothing. Training has dropout to cope with, and where it is set subword sampling; validation has neither.": "번역문 토큰당 음의 로그 가능도(nat)이며 레이블 스무딩은 뺀 값입니다. 학습 손실에는 드롭아웃과 (설정한 경우) 서브워드 샘플링의 영향이 들어 있고, 검증 손실에는 없습니다.",
    "training": "학습",
    "validation": "검증",
    "Scores": "점수",
    "Of greedy translations of the validation text; the dashed line marks the best.": "검증 말뭉치를 탐욕 탐색으로 번역한 점수입니다. 파선은 최고 점수의 자리입니다.",
    "best: {value}": "최고: {value}",
    "Learning rate": "학습률",
    "Gradient norm": "그래디언트 노름",
    "Before clipping, on a logarithmic scale.": "클리핑하기 전의 값이며 로그 눈금입니다.",
    "Speed": "속도",
    "Target tokens a second, without the time of validations.": "초당 번역문 토큰 수이며 검증에 든 시간은 뺐습니다.",
    "tokens/s": "토큰/초",
    "Where many updates share a place, the line is their mean and the band reaches from the lowest to the highest.": "한 자리에 업데이트가 여럿 겹치면 선은 평균을, 띠는 최솟값에서 최댓값까지를 나타냅니다.",
    "Dotted lines: resumed, or done again, after update {updates}.": "점선: 업데이트 {updates} 뒤에서 이어 가거나 다시 학습한 자리입니다.",
    "{name}: {first} at update {begin}, {last} at update {end}; lowest {low}, highest {high}.": "{name}: 업데이트 {begin}에 {first}, 업데이트 {end}에 {last}. 최소 {low}, 최대 {high}.",
    "The numbers: validations": "숫자로 보기: 검증",
    "The numbers: updates": "숫자로 보기: 업데이트",
    "time": "시간",
    "training loss": "학습 손실",
    "validation loss": "검증 손실",
    "perplexity": "퍼플렉시티",
    "best": "최고",
    "The training loss is the mean since the validation before.": "학습 손실은 바로 앞 검증 이후의 평균입니다.",
    "update": "업데이트",
    "Losses, norms and speeds are means since the row before.": "손실, 노름, 속도는 바로 윗줄 이후의 평균입니다.",
    "smoothed loss": "레이블 스무딩 손실",
    "learning rate": "학습률",
    "gradient norm": "그래디언트 노름",
    # Scores
    "There has been no validation yet.": "아직 검증을 하지 않았습니다.",
    "On the validation text, by greedy search.": "검증 말뭉치에서 탐욕 탐색으로 매긴 점수입니다.",
    "The saved model is: {weights}.": "저장한 모델: {weights}.",
    "The best is chosen by {metrics}.": "최고 점수는 {metrics} 기준으로 고릅니다.",
    "direction": "방향",
    "metric": "지표",
    "best, update {update}": "최고, 업데이트 {update}",
    "last, update {update}": "마지막, 업데이트 {update}",
    "saved model": "저장한 모델",
    "signature": "시그니처",
    "not recorded": "기록 없음",
    # Before and after
    "Before and after": "이어받기 전과 후",
    "{domain}: {count} sentences, {text}.": "{domain}: {count}문장, {text}.",
    "p: how likely chance alone makes a difference as large (paired bootstrap).": "p: 그만한 차이가 우연만으로 생길 확률(짝 부트스트랩)입니다.",
    "domain": "분야",
    "before": "전",
    "after": "후",
    "difference": "차이",
    # Samples
    "Samples": "예문",
    "Words that also stand in the reference are marked.": "참조 번역에도 있는 단어를 표시했습니다.",
    "source": "원문",
    "reference": "참조 번역",
    # Settings
    "Settings": "설정",
    "Marked with ● and bold: what differs from the default.": "기본값과 다른 설정은 ● 표시와 굵은 글씨로 나타냈습니다.",
    "The defaults of [model] are those of size {size}.": "[model]의 기본값은 크기 {size}의 값입니다.",
    "setting": "설정",
    "value": "값",
    "default": "기본값",
    "changed": "바꿈",
    # Environment
    "Environment": "환경",
    "The run": "학습",
    "The saved model": "저장한 모델",
    "{value} (from update {update})": "{value} (업데이트 {update}부터)",
    # Notes
    "What the run said": "학습 중에 나온 알림",
    "The last {shown} of {count}.": "{count}개 가운데 마지막 {shown}개입니다.",
}
"""What the report itself says."""

TERMS = {
    "languages": "언어",
    "training pairs": "학습 문장 쌍",
    "removed": "걸러 낸 문장 쌍",
    "validation pairs": "검증 문장 쌍",
    "vocabulary": "어휘 수",
    "device": "장치",
    "precision": "정밀도",
    "threads": "스레드",
    "processes": "프로세스",
    "weights": "가중치",
    "validation scores": "검증 점수",
    "machine": "컴퓨터",
    "name": "이름",
    "data sha256": "말뭉치 SHA-256",
    "config sha256": "설정 SHA-256",
    "trained lengths": "학습한 문장 길이",
    "minutes": "학습 시간(분)",
    "epochs": "에폭",
    "longer than {} tokens": "{}토큰보다 긴 문장",
    "mean of the last {} validations": "마지막 검증 {}회의 평균",
    "mean of the last {} validations (moving average)": "마지막 검증 {}회의 평균(가중치는 이동 평균)",
    "update {}": "업데이트 {}",
    "update {} (moving average)": "업데이트 {}(이동 평균)",
    "parameters": "매개변수",
    "goes on from": "이어받은 모델",
    "trained parameters": "학습하는 매개변수",
    "started from": "이어받은 모델",
    "new domain": "새 분야",
    "old domain": "예전 분야",
    "the validation text, by which the weights were chosen": "가중치를 고르는 데 쓴 검증 말뭉치",
    "the validation text of the model before": "이어받은 모델의 검증 말뭉치",
    "the part of --old-data that was held out": "--old-data에서 떼어 둔 부분",
    "the text of --old-test": "--old-test로 준 글",
    "updates": "업데이트",
    "target tokens": "번역문 토큰",
    "none": "없음",
    "source {}, target {}": "원문 {}, 번역문 {}",
}
"""What the log and the model's card say, their numbers as {}; what is not here stays in English."""
