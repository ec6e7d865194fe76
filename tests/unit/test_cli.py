"""The command line: every mistake is one line and an exit code, every line in is a line out, every score has its signature."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_model import save_tiny_model, sentence_pairs
from typer.testing import CliRunner, Result

import onmal
from onmal.cli import app
from onmal.cli.options import languages_of, minutes
from onmal.config import RunConfig
from onmal.errors import ConfigError, LanguageError

COMMANDS = (
    "demo",
    "train",
    "finetune",
    "report",
    "translate",
    "serve",
    "evaluate",
    "bench",
    "inspect",
    "info",
    "shortlist",
    "lab",
    "doctor",
    "prepare",
    "corpus",
    "keys",
    "import",
    "export",
)
SENTENCES = ["오늘 학교에 간다.", "", "  매일 시장에 간다.  ", "\t", "혼자"]


def run(*arguments: str | Path, typed: str | bytes | None = None) -> Result:
    """What a command prints, and its exit code; anything but an orderly exit is raised."""
    result = CliRunner().invoke(app, list(map(str, arguments)), input=typed, prog_name="onmal")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def succeed(*arguments: str | Path, typed: str | bytes | None = None) -> Result:
    result = run(*arguments, typed=typed)
    assert result.exit_code == 0, result.stderr
    return result


def error_of(result: Result) -> str:
    """The one error line of a command that failed."""
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, result.output
    assert result.stderr.splitlines()[-1] == errors[0]
    assert "Traceback" not in result.output
    return errors[0]


@pytest.fixture(scope="session")
def ko_en(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that translates Korean to English."""
    return save_tiny_model(tmp_path_factory.mktemp("models") / "ko-en")


@pytest.fixture(scope="session")
def both_ways(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that translates Korean to English and back."""
    return save_tiny_model(tmp_path_factory.mktemp("models") / "both", both_directions=True)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A folder with a.ko, a.en and both as a.ko-en.tsv; 20 pairs."""
    pairs = sentence_pairs(20)
    (tmp_path / "a.ko").write_text("".join(f"{pair.source}\n" for pair in pairs), "utf-8")
    (tmp_path / "a.en").write_text("".join(f"{pair.target}\n" for pair in pairs), "utf-8")
    rows = "".join(f"{pair.source}\t{pair.target}\t{pair.label}\n" for pair in pairs)
    (tmp_path / "a.ko-en.tsv").write_text(rows, "utf-8")
    return tmp_path


# Help


def test_help_lists_the_commands_and_nothing_of_the_shell() -> None:
    printed = succeed("--help").stdout
    listed = re.findall(r"^  (\w+)  ", printed.partition("Commands:")[2], re.MULTILINE)
    assert tuple(listed) == COMMANDS
    assert "..." not in printed.partition("Commands:")[2]
    assert "completion" not in printed


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_teaches_by_an_example(command: str) -> None:
    printed = succeed(command, "--help").stdout
    assert f"\n  onmal {command}" in printed
    assert "[default: None]" not in printed


def test_no_arguments_show_the_help() -> None:
    assert "Commands:" in run().output


def test_version() -> None:
    assert succeed("--version").stdout == f"onmal {onmal.__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["--speed"], ["translate", "model", "--speed"], ["translat"], ["inspect", "m"]]
)
def test_what_the_command_does_not_know_gets_its_usage(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: onmal")
    assert "Error: " in result.stderr


# Errors


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (
            "translate MODEL nope.ko",
            1,
            "nope.ko: there is no such file; check the name; a text goes with --text",
        ),
        ("translate MODEL cp949.ko", 1, "cp949.ko:2: byte 1 of the line"),
        ("translate nope a.ko", 1, "nope: there is no such model folder"),
        ("translate MODEL a.ko --to fr", 2, "cannot translate to 'fr'; choose one of: en"),
        ("translate MODEL a.ko --to klingon", 2, "is not a language code"),
        ("translate MODEL a.ko --tag back", 2, "this model has no tag 'back'; it knows: none"),
        ("evaluate MODEL a.ko a.en --tag back", 2, "this model has no tag 'back'; it knows: none"),
        ("inspect MODEL 안녕 --tag back", 2, "this model has no tag 'back'; it knows: none"),
        ("translate MODEL a.ko --text 안녕", 2, "both a.ko and --text were given"),
        ("translate MODEL a.ko --beam-size 2 --n-best 3", 2, "n_best = 3 is more than beam_size = 2"),
        ("translate MODEL a.ko --engine c2", 2, "no engine 'c2'; choose auto, torch, exact or ctranslate2"),
        ("translate MODEL a.ko --precision half", 2, "no precision 'half'; choose one of: float32, bfloat16"),
        (
            "translate MODEL a.ko --engine torch --precision int8",
            2,
            "the torch engine has no int8; pip install",
        ),
        ("translate MODEL a.ko --search tempo=2", 2, "tempo"),
        (
            "translate MODEL a.ko --search temperature",
            2,
            "--search 'temperature' is not of the form key=value",
        ),
        ("translate MODEL a.ko --search temperature=0", 2, "setting 'search.temperature' cannot be 0"),
        ("translate MODEL a.ko --glossary nope.tsv", 1, "nope.tsv: there is no such file"),
        ("translate MODEL a.ko --beam-size 0", 2, "setting 'search.beam_size' cannot be 0"),
        ("translate MODEL a.ko --json --scores", 2, "--scores and --json"),
        ("translate MODEL a.ko -o no/folder.en", 1, "no/folder.en: cannot be written"),
        ("translate MODEL --text \udcff", 2, "--text is not UTF-8"),
        ("translate . a.ko", 1, "is not an onmal model folder"),
        ("info damaged", 1, "config.json: is not valid JSON"),
        ("inspect MODEL '  '", 1, "there is no text to inspect"),
        ("inspect MODEL 학교 --layer 9", 2, "there is no layer 9"),
        ("inspect MODEL 학교 --part middle", 2, "there is no attention part 'middle'"),
        ("inspect MODEL 학교 --page a.html --head 1", 2, "--page saves every layer and head; leave away"),
        ("inspect MODEL 학교 --page no/folder.html", 1, "no/folder.html: cannot be written"),
        ("inspect MODEL 학교 --page a.html --beam-size 0", 2, "setting 'search.beam_size' cannot be 0"),
        ("inspect MODEL 학교 --all-heads", 2, "--all-heads draws every layer and head; give -o FILE"),
        ("evaluate MODEL a.ko short.en", 1, "a.ko: has 20 lines, but short.en has 1"),
        ("evaluate MODEL a.ko a.en --baseline short.en", 1, "cannot be paired"),
        ("evaluate MODEL a.en a.ko --from en --to ko", 2, "does not translate from en to ko"),
        ("evaluate MODEL", 2, "there is nothing to score"),
        ("bench MODEL", 2, "there is nothing to score"),
        ("evaluate MODEL --corpus koen", 2, "which part of koen to score; --split takes train, dev, test"),
        ("evaluate MODEL --corpus multi30", 2, "did you mean multi30k?"),
        ("evaluate MODEL a.ko a.en --corpus koen", 2, "both files and a corpus"),
        ("doctor a.ko short.en", 1, "a.ko: has 20 lines, but short.en has 1"),
        ("doctor a.ko-en.tsv --from kr --to en", 2, 'did you mean "ko" (Korean)?'),
        ("doctor words.tsv", 2, "the name of words.tsv does not say its languages; give --from"),
        ("prepare a.ko a.en --out a.ko", 1, "a.ko: exists already"),
        ("corpus koen", 2, "the corpus koen cannot be fetched"),
        ("train", 2, "there is no text to train on"),
        ("train nope.toml", 2, "nope.toml: cannot be read"),
        ("train recipe.toml --source a.ko --target a.en", 2, "recipe.toml names its own text"),
        ("train --source a.ko", 2, "--target is missing"),
        ("train --file a.ko-en.tsv --source a.ko", 2, "--file holds both sides"),
        ("train --source a.ko --target a.en --time soon", 2, "--time 'soon' is not a length of time"),
        ("train --source a.ko --target a.en --size huge", 2, "size cannot be 'huge'"),
        ("train --source a.ko --target a.en --set train.warmpu=9", 2, "did you mean 'warmup'?"),
        ("train --source a.ko --target a.en --set tempo", 2, "is not of the form section.key=value"),
        ("train --source a.ko --target a.en --out MODEL", 1, "exists already; go on with --resume"),
        ("train --source nope.ko --target a.en --out new", 1, "nope.ko: there is no such file"),
        ("train recipe.toml --data multi30k", 2, "is not of the form NAME=PATH"),
        ("train --resume", 2, "--resume does not say which run"),
        ("train --resume --out MODEL", 1, "there is no run to resume here"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: str, code: int, expected: str, text: Path, ko_en: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(text)
    Path("cp949.ko").write_bytes("abc\n학교에 간다.\n".encode("cp949"))
    Path("short.en").write_text("One line.\n")
    Path("words.tsv").write_text("학교\tschool\n", "utf-8")
    Path("recipe.toml").write_text("[train]\nminutes = 1\n")
    Path("damaged").mkdir()
    Path("damaged", "config.json").write_text("{")
    result = run(*(ko_en if argument == "MODEL" else argument for argument in shlex.split(arguments)))
    assert expected in error_of(result)
    assert result.exit_code == code


def test_ctrl_c_is_one_line(ko_en: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("onmal.saved_model.load_model", interrupted)
    result = run("info", ko_en)
    assert (result.exit_code, result.stderr) == (130, "interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently there")
@pytest.mark.parametrize("arguments", [["corpus"], ["doctor", "a.ko", "a.en", "--json"]])
def test_a_reader_that_goes_away_leaves_no_message(arguments: list[str], text: Path) -> None:
    command = [sys.executable, "-m", "onmal", *arguments]
    with subprocess.Popen(command, cwd=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        told = process.stderr.read()
    assert (process.returncode, told) == (1, b"")


# Names and times


@pytest.mark.parametrize(
    ("files", "given", "found"),
    [
        (["a.ko", "a.en"], ("", ""), ("ko", "en")),
        (["a.ko.gz", "dir.v2/a.en-US.txt.xz"], ("", ""), ("ko", "en-US")),
        (["a.txt", "b.txt"], ("KOR", "x-jje"), ("ko", "x-jje")),
        (["a.ko", "b.txt"], ("", "en"), ("ko", "en")),
        (["pairs.ko-en.tsv.gz"], ("", ""), ("ko", "en")),
        (["memory.tmx"], ("de", "fr"), ("de", "fr")),
    ],
)
def test_languages_are_given_or_guessed(
    files: list[str], given: tuple[str, str], found: tuple[str, str]
) -> None:
    assert languages_of(list(map(Path, files)), *given) == found


@pytest.mark.parametrize("files", [["a.txt", "b.txt"], ["pairs.tsv"], ["a.one", "a.two"], ["pairs.ko.tsv"]])
def test_names_that_say_no_language(files: list[str]) -> None:
    with pytest.raises(ConfigError, match="give --from"):
        languages_of(list(map(Path, files)), "", "")


def test_a_wrong_code_is_not_guessed_around() -> None:
    with pytest.raises(LanguageError):
        languages_of([Path("a.ko"), Path("a.en")], "kr", "")


@pytest.mark.parametrize(
    ("time", "found"),
    [("90s", 1.5), ("30m", 30), ("2h", 120), ("1h30m", 90), (" 1.5H ", 90), ("1h1m30s", 61.5)],
)
def test_times(time: str, found: float) -> None:
    assert minutes(time) == pytest.approx(found)


@pytest.mark.parametrize("time", ["", "30", "m", "-5m", "0m", "30m2h", "1d", "soon"])
def test_no_times(time: str) -> None:
    with pytest.raises(ConfigError, match="--time"):
        minutes(time)


# Translate


def test_as_many_lines_out_as_in_and_blank_ones_stay(ko_en: Path, tmp_path: Path) -> None:
    (tmp_path / "in.ko").write_text("\n".join(SENTENCES), "utf-8")  # the last line has no end
    printed = succeed("translate", ko_en, tmp_path / "in.ko").stdout
    lines = printed.removesuffix("\n").split("\n")
    assert len(lines) == len(SENTENCES)
    assert [line if not line.strip() else None for line in SENTENCES] == [
        line if not sentence.strip() else None for line, sentence in zip(lines, SENTENCES, strict=True)
    ]


def test_file_pipe_text_and_output_file_agree(ko_en: Path, tmp_path: Path) -> None:
    together = "\n".join(SENTENCES)
    (tmp_path / "in.ko").write_text(f"{together}\n", "utf-8")
    printed = succeed("translate", ko_en, tmp_path / "in.ko").stdout
    assert succeed("translate", ko_en, typed=f"{together}\n").stdout == printed
    assert succeed("translate", ko_en, "-", typed=f"{together}\n").stdout == printed
    assert succeed("translate", ko_en, "--text", together).stdout == printed
    assert succeed("translate", ko_en, tmp_path / "in.ko", "-o", tmp_path / "out.en").stdout == ""
    assert (tmp_path / "out.en").read_text("utf-8") == printed
    translator = onmal.load(ko_en)
    assert printed == "".join(f"{found.text}\n" for found in translator.translate(SENTENCES))


def test_no_lines_in_no_lines_out(ko_en: Path) -> None:
    assert succeed("translate", ko_en, typed="").stdout == ""


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=12), max_size=6))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_text_is_as_many_lines(ko_en: Path, lines: list[str]) -> None:
    typed = "".join(f"{line}\n" for line in lines)
    printed = succeed("translate", ko_en, "--beam-size", "1", typed=typed.encode()).stdout_bytes
    assert printed.count(b"\n") == len(lines)


def test_nothing_half_written(ko_en: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.en"
    out.write_text("old")
    result = run("translate", ko_en, "-o", out, typed="학교\n".encode() + b"\xff\xfe\xfd\n")
    assert "standard input:2: " in error_of(result)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_n_best_is_written_as_common_tools_do(ko_en: Path) -> None:
    printed = succeed("translate", ko_en, "--n-best", "3", typed="\n".join(SENTENCES)).stdout
    plain = succeed("translate", ko_en, typed="\n".join(SENTENCES)).stdout.split("\n")
    found: dict[int, list[tuple[str, float]]] = {}
    for line in printed.removesuffix("\n").split("\n"):
        number, text, score = line.split(" ||| ")
        found.setdefault(int(number), []).append((text, float(score)))
    assert [len(found[number]) for number in range(len(SENTENCES))] == [3, 1, 3, 1, 3]
    for number, translations in found.items():
        assert translations[0][0] == plain[number]
        assert [score for _, score in translations] == sorted(
            (score for _, score in translations), reverse=True
        )


def test_more_best_than_the_default_beam_widens_it(ko_en: Path) -> None:
    assert len(succeed("translate", ko_en, "--n-best", "6", "--text", "학교").stdout.splitlines()) == 6


def test_scores_stand_before_a_tab(ko_en: Path) -> None:
    plain = succeed("translate", ko_en, typed="\n".join(SENTENCES)).stdout.split("\n")
    scored = succeed("translate", ko_en, "--scores", typed="\n".join(SENTENCES)).stdout.split("\n")
    for line, sentence, translation in zip(scored[:-1], SENTENCES, plain[:-1], strict=True):
        score, _, text = line.partition("\t")
        assert text == translation
        assert float(score) < 0 if sentence.strip() else float(score) == 0


def test_json_lines_hold_what_python_gives(ko_en: Path) -> None:
    printed = succeed("translate", ko_en, "--json", "--n-best", "2", typed="\n".join(SENTENCES)).stdout
    search = onmal.config.SearchConfig(n_best=2)
    expected = [found.as_dict() for found in onmal.load(ko_en).translate(SENTENCES, search=search)]
    assert [json.loads(line) for line in printed.splitlines()] == expected


def test_warnings_name_their_line_once(ko_en: Path) -> None:
    told = succeed("translate", ko_en, typed="\n".join(SENTENCES)).stderr.splitlines()
    assert [line.split(":")[0] for line in told] == ["line 1", "line 3", "line 5", "engine"]


def test_the_engine_asked_for_runs_and_is_named(ko_en: Path) -> None:
    for engine, precision in (("torch", "float32"), ("torch", "bfloat16"), ("ctranslate2", "int8")):
        pytest.importorskip("ctranslate2") if engine == "ctranslate2" else None
        options = ("--engine", engine, "--precision", precision)
        told = succeed("translate", ko_en, *options, typed="오늘 학교에 간다.").stderr.splitlines()
        assert told[-1].startswith(f"engine: {engine}, {precision}")


def test_wishes_reach_the_translation(ko_en: Path, tmp_path: Path) -> None:
    (tmp_path / "terms.tsv").write_text("학교\tmarket\n", "utf-8")
    text = ("translate", ko_en, "--text", "오늘 학교에 간다.")
    assert succeed(*text, "--prefix", "My friend").stdout.startswith("My friend")
    assert "market" in succeed(*text, "--must", "market").stdout
    assert "market" in succeed(*text, "--glossary", tmp_path / "terms.tsv").stdout
    usual = succeed(*text).stdout
    assert "market" not in succeed(*text, "--never", "market").stdout
    assert succeed(*text, "--search", "sample=true", "--search", "seed=3").stdout != usual


def test_words_as_they_are_found(ko_en: Path) -> None:
    text = ("translate", ko_en, "--text", "오늘 학교에 간다.")
    assert succeed(*text, "--type-out").stdout == succeed(*text, "--beam-size", "1").stdout
    assert "--type-out writes the words alone" in error_of(run(*text, "--type-out", "--json"))
    for option in (("--search", "beam_size=8"), ("--search", "diversity=1"), ("--length-penalty", "1.5")):
        assert "writes each word before the next is known" in error_of(run(*text, "--type-out", *option))
    lost = succeed("translate", ko_en, "--text", "35,000 학교에 간다.", "--type-out")
    assert "line 1: " in lost.stderr
    assert "numbers: lost 35000" in lost.stderr


def test_several_models_translate_together(ko_en: Path, both_ways: Path, tmp_path: Path) -> None:
    text = ("translate", ko_en, "--scores", "--text", "오늘 학교에 간다.")
    alone = succeed(*text).stdout
    assert succeed(*text, "--with", ko_en).stdout == alone
    other = save_tiny_model(tmp_path / "other", seed=1)
    assert succeed(*text, "--with", other).stdout != alone
    assert f"{both_ways}: has another tokenizer or other directions" in error_of(
        run(*text, "--with", both_ways)
    )


def test_bench_shows_every_engine(ko_en: Path, text: Path) -> None:
    shown = succeed(
        "bench", ko_en, text / "a.ko", text / "a.en", "--sentences", "5", "--beam-size", "1"
    ).stdout
    for engine, precision in (("torch", "float32"), ("torch", "bfloat16")):
        assert any(line.split()[:2] == [engine, precision] for line in shown.splitlines())
    assert "BLEU: " in shown
    assert "version:" in shown


@pytest.mark.parametrize("wish", [("--prefix", "My"), ("--never", "market"), ("--search", "diversity=1")])
def test_the_engine_that_is_named_is_the_one_that_ran(ko_en: Path, wish: tuple[str, str]) -> None:
    pytest.importorskip("ctranslate2")
    told = succeed("translate", ko_en, *wish, typed="오늘 학교에 간다.").stderr.splitlines()
    assert told[-1].startswith("engine: torch")
    assert "a faster engine has no " in told[-1]


def test_search_options_reach_the_search(ko_en: Path) -> None:
    def scored(*options: str) -> str:
        return succeed("translate", ko_en, "--scores", "--text", "오늘 학교에 간다.", *options).stdout

    assert (
        len({scored(), scored("--length-penalty", "0"), scored("--beam-size", "1", "--length-penalty", "2")})
        == 3
    )


def test_a_model_is_searched_as_its_recipe_says(ko_en: Path, text: Path, tmp_path: Path) -> None:
    def scored(model: Path, *options: str) -> str:
        return succeed("translate", model, "--scores", "--text", "오늘 학교에 간다.", *options).stdout

    wide = shutil.copytree(ko_en, tmp_path / "wide")
    card = json.loads((wide / "card.json").read_text("utf-8"))
    search = {"search": {"beam_size": 6, "length_penalty": 0.0}}
    (wide / "card.json").write_text(json.dumps({**card, "run": {**card.get("run", {}), **search}}), "utf-8")
    asked = ("--beam-size", "6", "--length-penalty", "0")
    assert scored(wide) == scored(ko_en, *asked) != scored(ko_en)
    assert scored(wide, "--length-penalty", "1") == scored(ko_en, "--beam-size", "6")
    _, found = evaluated(wide, text / "a.ko", text / "a.en", out=text / "scores.json")
    assert (found["search"]["beam_size"], found["search"]["length_penalty"]) == (6, 0)


# Evaluate


def evaluated(*arguments: str | Path, out: Path) -> tuple[str, dict[str, Any]]:
    """What `onmal evaluate` prints and the JSON that it writes."""
    printed = succeed("evaluate", *arguments, "--json", out).stdout
    return printed, json.loads(out.read_text("utf-8"))


def test_scores_come_with_interval_and_signature(ko_en: Path, text: Path) -> None:
    printed, found = evaluated(ko_en, text / "a.ko", text / "a.en", out=text / "scores.json")
    assert found["direction"] == ["ko", "en"]
    (result,) = found["sets"].values()
    assert result["sentences"] == 20
    assert [score["name"] for score in result["scores"]] == ["BLEU", "chrF"]
    for score in result["scores"]:
        assert score["low"] <= score["value"] <= score["high"]
        assert f"{score['name']}: {score['signature']}" in printed.splitlines()
        assert f"{score['value']:.2f}" in printed


def test_the_python_function_gives_the_same(ko_en: Path, text: Path) -> None:
    _, found = evaluated(ko_en, text / "a.ko", text / "a.en", out=text / "scores.json")
    evaluation = onmal.evaluate(onmal.load(ko_en), [pair[:2] for pair in sentence_pairs(20)])
    (result,) = found["sets"].values()
    assert json.loads(json.dumps(evaluation.as_dict())) == result
    assert len(evaluation.hypotheses) == 20


def test_the_python_function_asks_where_two_languages_are_possible(both_ways: Path) -> None:
    translator = onmal.load(both_ways)
    with pytest.raises(ConfigError, match="en, ko"):
        onmal.evaluate(translator, sentence_pairs(2))
    swapped = [pair.swapped() for pair in sentence_pairs(2)]
    evaluation = onmal.evaluate(translator, swapped, to="ko", bootstrap=0)
    assert [score.name for score in evaluation.scores] == ["chrF", "BLEU"]


def test_a_direction_is_guessed_from_the_names(both_ways: Path, text: Path) -> None:
    _, found = evaluated(both_ways, text / "a.en", text / "a.ko", out=text / "scores.json")
    assert found["direction"] == ["en", "ko"]


def test_a_model_against_itself_may_be_chance(ko_en: Path, text: Path) -> None:
    data = (text / "a.ko", text / "a.en")
    printed, found = evaluated(ko_en, *data, "--baseline", ko_en, out=text / "scores.json")
    (result,) = found["sets"].values()
    assert [each["difference"] for each in result["baseline"]["differences"]] == [0, 0]
    assert printed.count("may be chance") == 2


def test_a_file_of_better_translations_is_a_baseline(ko_en: Path, text: Path) -> None:
    data = (text / "a.ko", text / "a.en")
    printed, found = evaluated(ko_en, *data, "--baseline", text / "a.en", out=text / "scores.json")
    (result,) = found["sets"].values()
    assert all(each["p_value"] < 0.05 for each in result["baseline"]["differences"])
    assert printed.count("worse") == 2


def test_labels_literature_and_saved_translations(ko_en: Path, text: Path) -> None:
    options = ("--by-label", "--literature", "--save-translations", text / "found.en", "--beam-size", "1")
    printed, found = evaluated(ko_en, text / "a.ko-en.tsv", *options, out=text / "scores.json")
    (result,) = found["sets"].values()
    labels = {label: values["sentences"] for label, values in result["labels"].items()}
    assert set(labels) == {"school", "place"}
    assert sum(labels.values()) == 20
    assert [score["name"] for score in result["scores"]] == ["BLEU", "chrF", "BLEU (tokenised, lower-case)"]
    assert "moses:" in printed
    assert (text / "found.en").read_bytes().count(b"\n") == 20


def test_a_corpus_is_scored_split_by_split(ko_en: Path, text: Path) -> None:
    shutil.copy(text / "a.ko-en.tsv", text / "dev.tsv")
    shutil.copy(text / "a.ko-en.tsv", text / "test.tsv")
    corpus = ("--corpus", "koen", "--split", "dev", "--split", "test", "--data", f"koen={text}")
    _, found = evaluated(ko_en, *corpus, "--beam-size", "1", out=text / "scores.json")
    assert list(found["sets"]) == ["dev", "test"]
    assert found["sets"]["dev"] == found["sets"]["test"]
    error = error_of(run("evaluate", ko_en, *corpus, "--save-translations", text / "one.en"))
    assert "one file cannot be for 2 sets" in error


def test_a_model_made_by_a_recipe_is_scored_on_its_tests(ko_en: Path, text: Path) -> None:
    model = shutil.copytree(ko_en, text / "model")
    card = {"run": {"data": {"corpus": "koen", "tests": ["test"]}}}
    (model / "card.json").write_text(json.dumps(card))
    shutil.copy(text / "a.ko-en.tsv", text / "test.tsv")
    data = ("--data", f"koen={text}", "--beam-size", "1")
    _, found = evaluated(model, *data, out=text / "scores.json")
    assert list(found["sets"]) == ["test"]


# Doctor, prepare, corpus, info, inspect


@pytest.fixture
def sick(tmp_path: Path) -> list[Path]:
    """Two aligned files with a sound pair, an empty side, a duplicate and swapped sides."""
    files = [tmp_path / "sick.ko", tmp_path / "sick.en"]
    files[0].write_text("학교에 가요.\n\n학교에 가요.\nI am here.\n", "utf-8")
    files[1].write_text("I go to school.\nNothing.\nI go to school.\n여기 있어요.\n", "utf-8")
    return files


def test_doctor_finds_faults_and_still_succeeds(sick: list[Path]) -> None:
    found = json.loads(succeed("doctor", *sick, "--json").stdout)
    assert (found["pairs"], found["sound"], found["removable"]) == (4, 1, 3)
    lines = {name: fault["lines"] for name, fault in found["faults"].items() if fault["count"]}
    assert lines == {"empty": [2], "duplicate": [3], "swapped_sides": [4]}
    printed = succeed("doctor", *sick).stdout
    assert "4 pairs, ko-en: 1 sound, 3 with a fault" in printed
    assert re.search(r"^empty +1 +2 +the source is empty", printed, re.MULTILINE)
    assert "source characters" in printed


def test_prepare_says_what_each_filter_removed(sick: list[Path], tmp_path: Path) -> None:
    printed = succeed("prepare", *sick, "--out", tmp_path / "clean").stdout
    assert "1 of 4 pairs kept" in printed
    assert re.search(r"^duplicate +1 +3 +the pair came before", printed, re.MULTILINE)
    assert (tmp_path / "clean" / "text.ko").read_text("utf-8") == "학교에 가요.\n"
    assert (tmp_path / "clean" / "text.en").read_text("utf-8") == "I go to school.\n"
    manifest = json.loads((tmp_path / "clean" / "manifest.json").read_text("utf-8"))
    assert (manifest["read"], manifest["kept"]) == (4, 1)


def test_corpora_are_listed() -> None:
    printed = succeed("corpus").stdout
    assert [
        name
        for name in ("phrasebook", "multi30k", "koen", "onmal corpus --search ko-en")
        if name not in printed
    ] == []


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """An entry of mtdata's index, and a cache of one's own."""
    from onmal.fetching.mtdata_index import Entry

    monkeypatch.setenv("ONMAL_CACHE", str(tmp_path / "cache"))
    facts = {
        "url": "https://example.org/a.zip",
        "ext": "zip",
        "in_ext": "tmx",
        "in_paths": ["*.tmx"],
        "cols": None,
    }
    return Entry(id="OPUS-tatoeba-v2-eng-kor", citation="Who (2012), What", index="mtdata 0.0", facts=facts)


def test_corpora_are_searched_for(public: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onmal.fetching.mtdata_index.mtdata_version", lambda: "0.0")
    monkeypatch.setattr(
        "onmal.fetching.mtdata_index.search", lambda *pair: [public] if pair == ("ko", "en") else []
    )
    result = succeed("corpus", "--search", "ko-en")
    assert (
        result.stdout == "OPUS-tatoeba-v2-eng-kor  example.org  Who (2012), What\n"
    )  # a line to grep, however narrow
    assert "onmal corpus ID" in result.stderr
    assert "no corpus of ko-lo" in error_of(run("corpus", "--search", "ko-lo"))
    assert "write --search ko-en" in error_of(run("corpus", "--search", "ko"))


def test_a_public_corpus_is_fetched_with_its_progress(
    public: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "cache" / "corpora" / public.id
    files = {"train.en": {}, "train.ko": {}}
    manifest = {"pairs": 1234, "fetched": "2026-01-02", "citation": public.citation, "files": files}

    def fetch(name: str, out: Path | None, *, note: Any, progress: Any) -> dict[str, Any]:
        assert (name, out) == (public.id, None)
        folder.mkdir(parents=True)
        (folder / "LICENSE").touch()
        note("something is damaged")
        for count in (0, 1, 2):
            progress("fetching https://example.org/a.zip", "MiB", count, 2)
        progress("reading it", "pairs", 10_000, 0)
        return manifest

    monkeypatch.setattr("onmal.fetching.public.fetch_public", fetch)
    result = succeed("corpus", public.id)
    assert result.stderr.splitlines() == [
        "something is damaged",
        "fetching https://example.org/a.zip ...",
        "reading it ...",
    ]
    lines = result.stdout.splitlines()
    assert (
        lines[0] == f"{public.id} is in {folder}, its checksums are right: 1,234 pairs, fetched on 2026-01-02"
    )
    assert lines[1:3] == ["cite:  Who (2012), What", f"read:  {folder / 'LICENSE'}"]
    assert f"onmal doctor {folder / 'train.en'} {folder / 'train.ko'}" in lines[3]
    assert f"--set data.corpus={public.id}" in lines[4]


def test_info_shows_the_folder(ko_en: Path, both_ways: Path) -> None:
    printed = succeed("info", ko_en).stdout
    parts = ("ko-en", "2 + 1 layers of width 16, 2 heads", "48 tokens", "200")
    assert [part for part in parts if part not in printed] == []
    parameters = sum(parameter.numel() for parameter in onmal.load(ko_en).saved.model.parameters())
    assert re.search(rf"^ *parameters +{parameters:,}$", printed, re.MULTILINE)
    found = json.loads(succeed("info", both_ways, "--json").stdout)
    assert found["directions"] == [["ko", "en"], ["en", "ko"]]
    assert found["card"] == {"training_pairs": 200}


def test_info_takes_any_card(ko_en: Path, tmp_path: Path) -> None:
    model = shutil.copytree(ko_en, tmp_path / "model")
    card = {
        "minutes": 90.25,
        "validation": {"greedy": {"ko-en": {"BLEU": 30.5}}},
        "tags": ["a"],
        "none": None,
    }
    (model / "card.json").write_text(json.dumps(card))
    printed = succeed("info", model).stdout
    assert re.search(r"^ *minutes +90\.25$", printed, re.MULTILINE)
    assert re.search(r"^ *validation greedy ko-en BLEU +30\.5$", printed, re.MULTILINE)


def test_inspect_shows_words_and_draws(ko_en: Path, tmp_path: Path) -> None:
    printed = succeed(
        "inspect", ko_en, "오늘 학교에 간다.", "--part", "encoder", "--layer", "2", "--head", "1"
    ).stdout
    assert "encoder self-attention, layer 2, head 1" in printed
    assert "학교에" in printed
    for name, options in (("one.svg", ()), ("all.svg", ("--all-heads",))):
        succeed("inspect", ko_en, "오늘 학교에 간다.", *options, "-o", tmp_path / name)
        assert "<svg" in (tmp_path / name).read_text("utf-8")


def test_inspect_saves_a_page(ko_en: Path, tmp_path: Path) -> None:
    place, sentence = tmp_path / "school.html", "오늘 학교에 간다."
    printed = succeed("inspect", ko_en, sentence, "--page", place, "--beam-size", "2").stdout
    assert printed.startswith(f"{sentence}\n")
    assert printed.endswith(f"saved in {place}\n")
    page = place.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert f'"text":"{sentence}","to":"","beam":2' in page


# Train


TINY = (
    "model.d_model=16", "model.num_heads=2", "model.feed_forward=16", "model.encoder_layers=1",
    "model.decoder_layers=1", "data.vocabulary_size=400", "train.batch_tokens=64", "train.validate_every=2",
    "train.max_updates=4", "train.threads=1",
)  # fmt: skip


def tiny(*more: str) -> list[str]:
    return [part for setting in (*TINY, *more) for part in ("--set", setting)]


def test_from_text_to_translation(text: Path) -> None:
    model = text / "runs" / "ko-en"
    result = succeed("train", "--file", text / "a.ko-en.tsv", "--both-directions", "--out", model, *tiny())
    assert "languages: ko <-> en" in result.stderr
    assert result.stdout == f'translate with it:  onmal translate {model} --text "..."\n'
    assert "4" in succeed("info", model).stdout
    assert succeed("translate", model, "--to", "ko", "--text", "I go.\n").stdout.count("\n") == 2
    resumed = succeed("train", "--resume", "--out", model, "--set", "train.max_updates=6")
    assert "resumed at update: 4" in resumed.stderr
    assert json.loads((model / "card.json").read_text("utf-8"))["updates"] == 6


def test_text_on_standard_input_is_kept_to_go_on(text: Path) -> None:
    model, pairs = text / "runs" / "ko-en", (text / "a.ko-en.tsv").read_bytes()
    given = ("--file", "-", "--from", "ko", "--to", "en", "--out", model)
    result = succeed("train", *given, *tiny("train.processes=1"), typed=pairs)
    assert "reading standard input" in result.stderr
    kept = model / "training" / "standard-input.tsv"
    assert kept.read_bytes() == pairs
    resumed = succeed("train", "--resume", "--out", model, "--set", "train.max_updates=6")
    assert "resumed at update: 4" in resumed.stderr
    again = succeed("train", *given, *tiny("train.processes=1", "train.max_updates=8"), "--resume")
    assert "resumed at update: 6" in again.stderr
    assert kept.read_bytes() == pairs


@pytest.mark.slow
def test_text_on_standard_input_reaches_all_processes(text: Path) -> None:
    command = [sys.executable, "-m", "onmal", "train", "--file", "-", "--from", "ko", "--to", "en"]
    result = subprocess.run(
        [*command, "--out", str(text / "run"), *tiny("train.processes=2")],
        input=(text / "a.ko-en.tsv").read_bytes(), capture_output=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert b"processes: 2" in result.stderr


def test_standard_input_that_cannot_be_trained_on_leaves_nothing(text: Path) -> None:
    given = ("--file", "-", "--from", "ko", "--to", "en", "--out", text / "new", *tiny("train.processes=1"))
    assert "are too few" in error_of(run("train", *given, typed="가\tA\n"))
    assert "are too few" in error_of(run("train", *given, typed=""))
    assert not (text / "new").exists()
    error = error_of(run("train", *given, "--valid-file", "-", typed="가\tA\n"))
    assert "data.valid cannot be standard input; name a file, or hold out a part" in error


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[RunConfig, Path, dict[str, Any]]]:
    """The runs that `onmal train` would begin; each ends as an interrupted one does."""
    begun: list[tuple[RunConfig, Path, dict[str, Any]]] = []
    monkeypatch.setattr(
        "onmal.training.run.train", lambda config, folder, **options: begun.append((config, folder, options))
    )
    return begun


Planned = Sequence[tuple[RunConfig, Path, dict[str, Any]]]


def test_ones_own_text_is_enough(text: Path, planned: Planned) -> None:
    result = run("train", "--source", text / "a.ko", "--target", text / "a.en")
    assert result.exit_code == 130
    assert result.stderr.startswith("no --time given: training ends after an hour, or when 10 validations")
    ((config, folder, options),) = planned
    assert (config.name, config.size, folder) == ("ko-en", "small", Path("runs", "ko-en"))
    assert (config.data.source_language, config.data.target_language) == ("ko", "en")
    assert config.data.train == [str(text / "a.ko"), str(text / "a.en")]
    assert config.data.valid == []
    assert (config.train.minutes, config.train.patience) == (60, 10)
    assert not options["resume"]


@pytest.mark.parametrize("limit", [("--time", "90s"), ("--set", "train.max_epochs=3")])
def test_a_limit_replaces_the_default_one(limit: tuple[str, str], text: Path, planned: Planned) -> None:
    result = run("train", "--source", text / "a.ko", "--target", text / "a.en", *limit)
    assert "no --time" not in result.stderr
    ((config, _, _),) = planned
    assert (config.train.minutes, config.train.max_epochs) in ((1.5, 0), (0, 3))
    assert config.train.patience == 0


def test_options_change_a_recipe_and_settings_have_the_last_word(tmp_path: Path, planned: Planned) -> None:
    recipe = tmp_path / "toy.toml"
    recipe.write_text(
        'size = "small"\n[data]\ncorpus = "koen"\nsource_language = "ko"\ntarget_language = "en"\n'
    )
    options = (
        "--size",
        "tiny",
        "--time",
        "2h",
        "--seed",
        "7",
        "--from",
        "ENG",
        "--to",
        "ko",
        "--both-directions",
    )
    settings = ("--set", "train.seed=8", "--set", "model.activation=gelu", "--data", f"koen={tmp_path}")
    run("train", recipe, *options, *settings, "--out", tmp_path / "run")
    ((config, folder, given),) = planned
    assert (config.name, config.size, config.model.d_model) == ("toy", "tiny", 128)
    assert (config.train.minutes, config.train.seed, config.model.activation) == (120, 8, "gelu")
    assert (config.data.source_language, config.data.target_language) == ("en", "ko")
    assert config.data.both_directions
    assert folder == tmp_path / "run"
    assert given["corpora"] == {"koen": tmp_path}
