"""A translator keeps the memory of its tensors for the next ones while it lives, and gives it back when it is gone."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[1]
PROGRAM = """
import gc, sys
import torch

sys.path.insert(0, sys.argv[1])
from random_model import random_model, tokenizer
from onmal.translating.torch_engine import TorchEngine
from onmal.translating.translator import Translator

def anonymous():  # MiB
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024

def tensors():
    kept = [torch.ones(4 << 20) for _ in range(20)]  # 16 MiB each
    del kept
    return anonymous()

saved = random_model(tokenizer(True))
translator = Translator(saved, TorchEngine(saved.model))
before = anonymous()
held = tensors()
del translator
gc.collect()
print(before, held, anonymous())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_translator_keeps_freed_memory_and_gives_it_back_when_it_goes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(UNIT)], capture_output=True, text=True, check=True
    )
    before, held, after = map(float, done.stdout.split())
    assert held > before + 300
    assert after < before + 50
