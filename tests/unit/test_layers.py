"""Imports go down only: every import statement written under src/onmal is held to the table of layers.

The table is the design's; change it there first. It also keeps the heart of onmal short and the tree free of drawers.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src" / "onmal"
HEART = ("models", "text", "data", "decoding", "training", "translating", "saved_model")
HEART_LINES = 5_000
CLASSICAL = ("models.gru", "models.convolution")
CLASSICAL_LINES = 350
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc"}

LAYER_0 = (
    "ahead",
    "allocator",
    "errors",
    "settings",
    "config",
    "cache",
    "fragments",
    "lock",
    "processor",
    "products",
    "shared_memory",
    "writing",
)
LAYER_1 = ("text", "phrasebook", "models", "threads")
LAYER_2 = ("formats", "data", "cleaning", "corpora", "decoding", "shortlist", "saved_model")
LAYER_3 = ("interop", "translating")
LAYER_4 = ("inspection", "evaluation", "documents")
TO_2, TO_3 = LAYER_0 + LAYER_1, LAYER_0 + LAYER_1 + LAYER_2
TO_4 = TO_3 + LAYER_3
TENSORS = ("torch", "numpy", "safetensors")
CONVERTERS = ("ctranslate2", "transformers", "onnx", "onnxscript", "onnxruntime")
CHECKPOINTS = ("huggingface_hub", "sentencepiece")


@dataclass(frozen=True)
class Row:
    """What one module, and what lies below it, may import; its own package is always open to it."""

    onmal: tuple[str, ...] = ()  # modules of onmal, and what lies below them
    packages: tuple[str, ...] = ()  # other people's packages, anywhere in the file
    deferred: tuple[str, ...] = ()  # other people's packages, inside functions or for type checking only
    free_inside: bool = False  # whether functions may import anything
    free: bool = False


# The row with the longest matching name counts. "" is onmal/__init__.py alone.
TABLE = {
    "ahead": Row(),
    "allocator": Row(("processor",)),
    "processor": Row(),
    "products": Row(("processor",), ("torch",)),
    "shared_memory": Row((), ("torch",)),
    "errors": Row(),
    "settings": Row(("errors",), ("pydantic",)),
    "cache": Row(),
    "fragments": Row(),
    "lock": Row(),
    "writing": Row(("errors", "lock")),
    "config": Row(("errors", "settings"), ("pydantic",)),
    "text": Row(LAYER_0, ("sentencepiece", "numpy"), ("kiwipiepy",)),
    "phrasebook": Row(LAYER_0, ("numpy",)),
    "models": Row(LAYER_0, ("torch",)),
    "threads": Row(("ahead",), ("torch",)),
    "formats": Row((*TO_2, "data.pair")),
    "data": Row((*TO_2, "formats"), TENSORS),
    "cleaning": Row((*TO_2, "data.pair")),
    "corpora": Row((*TO_2, "data", "formats")),
    "decoding": Row((*LAYER_0, "text", "phrasebook", "models.contract"), TENSORS),
    "shortlist": Row(("errors", "config"), TENSORS),
    "shortlist.learning": Row(("config", "text", "data"), TENSORS),
    "shortlist.narrowed": Row(
        ("config", "decoding", "models.contract", "models.embedding", "products"), ("torch",)
    ),
    "saved_model": Row((*TO_2, "shortlist.table"), TENSORS),
    "interop": Row(TO_3, TENSORS, (*CONVERTERS, *CHECKPOINTS)),
    "interop.ctranslate2_engine": Row(
        (*TO_3, "interop", "translating.engine", "translating.torch_engine"), TENSORS, CONVERTERS
    ),
    "translating": Row((*TO_3, "interop"), TENSORS, CONVERTERS),
    "inspection": Row(TO_4, (*TENSORS, "pydantic"), ("matplotlib",)),
    "evaluation": Row(TO_4, TENSORS, ("sacrebleu", "sacremoses", "matplotlib")),
    "documents": Row(TO_4, (), ("markdown_it",)),
    "preparing": Row(TO_3, TENSORS),
    "fetching": Row(TO_3),
    "fetching.mtdata_process": Row((), (), ("mtdata", "pybtex")),
    "run_folder": Row(
        ("errors", "lock", "config", "writing", "formats.lines", "run_report.events", "text.tokenizer")
    ),
    "interrupt": Row(("run_report.events",)),
    "low_rank": Row(("errors", "products"), ("torch",)),
    "shallower": Row(("models",), ("torch",)),
    "origin": Row(("errors", "config", "low_rank", "shallower", "models", "text", "data", "saved_model")),
    "training": Row((*TO_4, "inspection", "documents", "run_report.events"), TENSORS),
    "training.run": Row((*TO_4, *LAYER_4, "interrupt", "origin", "run_folder", "run_report.events"), TENSORS),
    "serving": Row(
        (*TO_4, *LAYER_4),
        (*TENSORS, "pydantic", "fastapi", "starlette", "uvicorn", "httptools", "prometheus_client"),
        ("py3langid",),
    ),
    "cli": Row(("errors",), ("typer", "rich"), free_inside=True),
    "": Row(("errors",), free_inside=True),
    "__main__": Row(("cli",)),
    "run_report": Row(("errors", "settings", "config", "writing")),
    "run_report.live": Row(("errors",), ("rich",)),
    "run_report.tensorboard": Row(("errors",), ("torch",)),
    "bulk": Row(TO_4, (), ("ray",)),
    "demo": Row((*TO_4, *LAYER_4, "training", "run_report.events")),
    "adapting": Row((*TO_4, *LAYER_4, "origin", "training", "run_folder", "run_report.events")),
    "lab": Row(free=True),
}


@dataclass(frozen=True)
class Import:
    """One imported module, by its full name."""

    name: str
    line: int
    deferred: bool


def module_name(path: Path) -> str:
    """The module's name below onmal: models.attention, text, or "" for onmal itself."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = sorted(SRC.rglob("*.py"))
MODULES = {f"onmal.{module_name(path)}".rstrip(".") for path in SOURCES}


def within(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def row_of(module: str) -> tuple[str, Row] | None:
    names = [name for name in TABLE if (within(module, (name,)) if name else not module)]
    return (name := max(names, key=len), TABLE[name]) if names else None


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def imports_of(node: ast.AST, package: str, deferred: bool = False) -> Iterator[Import]:
    """Every import below `node`; `package` is the full name that a relative import counts from."""
    for child in ast.iter_child_nodes(node):
        inside = deferred or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, inside)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                parent = package.split(".")[: len(package.split(".")) - child.level + 1]
                base = ".".join([*parent, *([base] if base else [])])
            for alias in child.names:
                full = f"{base}.{alias.name}"
                is_module = full in MODULES or full == "torch.distributed"
                yield Import(full if is_module else base, child.lineno, inside)
        elif isinstance(child, ast.Attribute) and ast.unparse(child) == "torch.distributed":
            yield Import("torch.distributed", child.lineno, inside)
        elif isinstance(child, ast.If) and is_type_checking(child.test):
            for statement in child.body:
                yield from imports_of(ast.Module([statement], []), package, deferred=True)
            yield from imports_of(ast.Module(child.orelse, []), package, deferred)
        else:
            yield from imports_of(child, package, inside)


def violations(module: str, source: str, is_package: bool = False) -> list[str]:
    """What in `source`, read as the module `module` of onmal, the table does not allow."""
    found = row_of(module)
    if found is None:
        return [f"{module}: no row of the table covers it"]
    own, row = found
    full = f"onmal.{module}".rstrip(".")
    package = full if is_package else full.rpartition(".")[0]
    wrong = []
    for item in imports_of(ast.parse(source), package):
        top, _, below = item.name.partition(".")
        if item.name == "torch.distributed" or item.name.startswith("torch.distributed."):
            allowed = module == "training.distributed"
        elif row.free or top in sys.stdlib_module_names or (row.free_inside and item.deferred):
            allowed = True
        elif top == "onmal":
            own_package = (own.split(".")[0],) if own else ()
            allowed = within(below, row.onmal + own_package)
        else:
            allowed = top in row.packages or (item.deferred and top in row.deferred)
        if not allowed:
            where = "inside a function" if item.deferred else "at module level"
            wrong.append(f"{full}, line {item.line}: may not import {item.name} {where}")
    return wrong


def code_lines(source: str) -> int:
    """Lines that hold code: no blanks, no comments, no docstrings."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skipped and token.type != tokenize.ENDMARKER:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_imports_go_down_only(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert violations(module_name(path), source, path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("surprise", ""),
        ("errors", "import onmal.config"),
        ("config", "import torch"),
        ("text.segment", "def f():\n    import torch"),
        ("text.segment", "from ..models import build"),
        ("text.segment", "import onmal"),
        ("phrasebook.grammar", "from onmal.text.language import Language"),
        ("models.attention", "import numpy"),
        ("models.attention", "from onmal.decoding.search import beam_search"),
        ("models.attention", "if TYPE_CHECKING:\n    from onmal.training.loss import TranslationLoss"),
        ("models.attention", "try:\n    import flash_attn\nexcept ImportError:\n    pass"),
        ("decoding.search", "from onmal.models.transformer import Transformer"),
        ("decoding.search", "from onmal.models import build"),
        ("data.corpus", "from onmal.saved_model import load_model"),
        ("interop.onnx", "import onnx"),
        ("interop.onnx", "from onmal.translating.translator import load"),
        ("translating.engine", "class Fast:\n    import ctranslate2"),
        ("inspection", "import matplotlib.pyplot as plt"),
        ("inspection", "def f():\n    from onmal.evaluation import evaluate"),
        ("evaluation", "from sacrebleu.metrics import BLEU"),
        ("training.trainer", "import torch.distributed as dist"),
        ("training.trainer", "from torch import distributed"),
        ("training.trainer", "from torch.distributed.fsdp import fully_shard"),
        ("training.trainer", "import torch\nrank = torch.distributed.get_rank()"),
        ("training.trainer", "def f():\n    from onmal.evaluation import evaluate"),
        ("training.trainer", "import fastapi"),
        ("cli", "import numpy"),
        ("cli", "from onmal.training.run import train"),
        ("serving.app", "from onmal.lab import positions"),
    ],
)
def test_an_upward_import_is_refused(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("text.tokenizer", "import numpy as np\nfrom sentencepiece import SentencePieceProcessor"),
        ("models.encoder", "from torch import nn\nfrom .attention import MultiHeadAttention"),
        ("decoding.search", "from onmal.models.contract import Memory, Seq2Seq"),
        ("translating.engine", "def f():\n    import ctranslate2"),
        ("inspection", "def draw():\n    import matplotlib.pyplot as plt"),
        ("training.distributed", "import torch.distributed as dist"),
        ("training.run", "from onmal.evaluation import evaluate"),
        ("cli", "import typer\n\ndef train():\n    from onmal.training.run import train"),
        ("", "if TYPE_CHECKING:\n    from onmal.training.run import train"),
        ("lab.positions", "import pandas\nfrom onmal.training.run import train"),
    ],
)
def test_a_downward_import_is_allowed(module: str, source: str) -> None:
    assert violations(module, source) == []


def test_code_lines_counts_neither_blanks_nor_comments_nor_docstrings() -> None:
    source = '"""A\n\nmodule."""\n\n# why\nx = (\n    1,  # one\n)\n\n\ndef f():\n    """F."""\n    return """a\n\nb"""\n'
    assert code_lines(source) == 3 + 1 + 3


def lines_of(names: tuple[str, ...], but: tuple[str, ...] = ()) -> int:
    paths = [p for p in SOURCES if within(module_name(p), names) and not within(module_name(p), but)]
    return sum(code_lines(path.read_text(encoding="utf-8")) for path in paths)


def test_the_heart_stays_small() -> None:
    """The budget is that of a system around the Transformer; the classical networks stand beside it, with one of their own."""
    total = lines_of(HEART, but=CLASSICAL)
    assert 0 < total < HEART_LINES, f"the heart has {total} code lines: something wants to be simpler"
    total = lines_of(CLASSICAL)
    assert 0 < total < CLASSICAL_LINES, f"the classical networks have {total} code lines"


def test_no_file_is_a_drawer() -> None:
    names = {part.removesuffix(".py") for path in SOURCES for part in path.relative_to(SRC).parts}
    assert names.isdisjoint(DRAWERS)
