"""Clients that others have written, each used as its documentation says, against a server in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import deep_translator
import deep_translator.exceptions
import deepl
import httpx
import libretranslate_aio
import libretranslatepy
import pytest
import translate
import translate.exceptions

from onmal.serving.keys import KeyFile
from onmal.translating.translator import Translator, load

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from tiny_model import save_tiny_model

KOREAN, ENGLISH = "친구는 오늘 학교에 간다.", "My friend goes to school today."

# libretranslatepy leaves its connections to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@dataclass(frozen=True)
class Server:
    """A server, and what it must answer."""

    url: str
    translator: Translator
    key: str = ""

    def says(self, text: str, to: str) -> str:
        return self.translator.translate(text, to=to).text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "ko-en", both_directions=True)


def start(folder: Path, keys: Path, *options: str) -> subprocess.Popen[str]:
    """A process of `onmal serve`."""
    command = [sys.executable, "-m", "onmal", "serve", str(folder), "--port", "0", "--engine", "torch"]
    settings = ["--set", "access_log=false", "--set", f"keys={json.dumps(str(keys))}"]
    return subprocess.Popen(
        [*command, *settings, *options], stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def address(process: subprocess.Popen[str]) -> str:
    """Where a server says that it is, once it is there."""
    assert process.stderr is not None
    line = next((line for line in process.stderr if "serving" in line), "")
    assert " at http://" in line, line
    return line.split(" at ")[1].split()[0]


@pytest.fixture(scope="module")
def servers(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """One for everybody, with or without a key, and one for those who have a key; both end in good order."""
    keys = [tmp_path_factory.mktemp(name) / "keys.json" for name in ("open", "closed")]
    key, translator = KeyFile(keys[1]).add("mina"), load(folder, engine="torch")
    processes = [start(folder, keys[0]), start(folder, keys[1], "--require-keys")]
    try:
        yield Server(address(processes[0]), translator), Server(address(processes[1]), translator, key)
    finally:
        for process in processes:
            process.terminate()
        ends = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]
    assert ends == [("", 0)] * 2


@pytest.fixture
def server(servers: tuple[Server, Server]) -> Server:
    """For everybody."""
    return servers[0]


@pytest.fixture
def closed(servers: tuple[Server, Server]) -> Server:
    """For those who have a key."""
    return servers[1]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_libretranslatepy(server: Server, closed: Server) -> None:
    client = libretranslatepy.LibreTranslateAPI(server.url)
    assert client.translate(KOREAN, "ko", "en") == server.says(KOREAN, "en")
    assert client.translate(f"{KOREAN}\n{KOREAN}", "ko", "en") == "\n".join([server.says(KOREAN, "en")] * 2)
    assert client.detect(ENGLISH)[0]["language"] == "en"
    assert [each["code"] for each in client.languages()] == ["ko", "en"]
    with pytest.raises(urllib.error.HTTPError) as error:
        client.translate(KOREAN, "zz", "en")
    assert (error.value.code, json.load(error.value)) == (400, {"error": "zz is not supported"})
    known = libretranslatepy.LibreTranslateAPI(closed.url, closed.key)
    assert known.translate(KOREAN, "ko", "en") == server.says(KOREAN, "en")
    assert [each["code"] for each in known.languages()] == ["ko", "en"]
    with pytest.raises(urllib.error.HTTPError) as error:
        libretranslatepy.LibreTranslateAPI(closed.url, "wrong").translate(KOREAN, "ko", "en")
    assert (error.value.code, json.load(error.value)) == (403, {"error": "Invalid API key"})


def test_deep_translator(server: Server, closed: Server, tmp_path: Path) -> None:
    def client(where: Server, key: str = "x", source: str = "ko") -> deep_translator.LibreTranslator:
        return deep_translator.LibreTranslator(
            source=source, target="en", api_key=key, custom_url=f"{where.url}/"
        )

    assert client(server).translate(KOREAN) == server.says(KOREAN, "en")
    assert client(server, source="auto").translate(KOREAN) == server.says(KOREAN, "en")
    assert client(server).translate_batch([KOREAN, "혼자"]) == [
        server.says(each, "en") for each in (KOREAN, "혼자")
    ]
    path = tmp_path / "text.txt"
    path.write_text(KOREAN, "utf-8")
    assert client(server).translate_file(str(path)) == server.says(KOREAN, "en")
    assert client(closed, closed.key).translate(KOREAN) == server.says(KOREAN, "en")
    with pytest.raises(deep_translator.exceptions.AuthorizationException):
        client(closed, "wrong").translate(KOREAN)
    with pytest.raises(deep_translator.exceptions.ServerException):
        client(server, source="fr").translate("Bonjour")


def test_translate(server: Server) -> None:
    options = {"provider": "libre", "base_url": server.url, "to_lang": "en"}
    assert translate.Translator(from_lang="ko", **options).translate(KOREAN) == server.says(KOREAN, "en")
    found = translate.Translator(from_lang="autodetect", **options).translate(KOREAN)
    assert found == server.says(KOREAN, "en")
    with pytest.raises(translate.exceptions.TranslationError):
        translate.Translator(from_lang="zz", **options).translate(KOREAN)


def test_libretranslate_aio(server: Server, closed: Server, tmp_path: Path) -> None:
    with libretranslate_aio.LibreTranslate(base_url=server.url) as client:
        assert client.health()
        assert client.languages()[0] == libretranslate_aio.Language("ko", "Korean", ["en", "ko"])
        found = client.translate(KOREAN, "auto", "en", alternatives=2)
        assert found.translated_text == server.says(KOREAN, "en")
        assert found.detected_language == libretranslate_aio.DetectedLanguage(100.0, "ko")
        assert len(found.alternatives or ()) == 2
        both = client.translate([KOREAN, "혼자"], "ko", "en")
        assert both.translated_text == [server.says(each, "en") for each in (KOREAN, "혼자")]
        assert client.translate("<p>혼자</p>", "ko", "en", format="html").translated_text == (
            f"<p>{server.says('혼자', 'en')}</p>"
        )
        assert client.detect(KOREAN)[0].language == "ko"
        settings = client.frontend_settings()
        assert (settings.key_required, ".txt" in settings.supported_files_format) == (False, True)
        path = tmp_path / "letter.txt"
        path.write_text("혼자\n\n", "utf-8")
        url = client.translate_file(path, "ko", "en").translated_file_url
        assert httpx.get(url).text == f"{server.says('혼자', 'en')}\n\n"
        with pytest.raises(libretranslate_aio.ForbiddenError, match="Suggestions are disabled"):
            client.suggest("a", "b", "en", "ko")
        with pytest.raises(libretranslate_aio.BadRequestError, match="zz is not supported"):
            client.translate(KOREAN, "zz", "en")
    with libretranslate_aio.LibreTranslate(base_url=closed.url, api_key=closed.key) as known:
        assert known.translate("혼자", "ko", "en").translated_text == server.says("혼자", "en")
    with (
        libretranslate_aio.LibreTranslate(base_url=closed.url) as unknown,
        pytest.raises(libretranslate_aio.BadRequestError, match="get an API key"),
    ):
        unknown.translate("혼자", "ko", "en")


def test_libretranslate_aio_in_an_event_loop(server: Server) -> None:
    async def together() -> list[str]:
        async with libretranslate_aio.AsyncLibreTranslate(base_url=server.url) as client:
            found = await asyncio.gather(
                *(client.translate(text, "ko", "en") for text in (KOREAN, "혼자", KOREAN))
            )
            return [str(each.translated_text) for each in found]

    assert asyncio.run(together()) == [server.says(text, "en") for text in (KOREAN, "혼자", KOREAN)]


@pytest.mark.parametrize("prefix", ["", "/deepl", "/deepl/"])
def test_deepl_text(server: Server, prefix: str) -> None:
    client = deepl.DeepLClient("any key", server_url=server.url + prefix)
    one = client.translate_text(KOREAN, target_lang="EN-US")
    assert (one.text, one.detected_source_lang) == (server.says(KOREAN, "en"), "KO")
    assert one.billed_characters == len(KOREAN)
    both = client.translate_text(
        [KOREAN, ENGLISH], source_lang="KO", target_lang="EN-GB", context="A letter."
    )
    assert both[0].text == one.text
    tagged = client.translate_text(
        '학교에 <x id="1">바로</x> 간다.', target_lang="EN-US", tag_handling="xml", ignore_tags=["x"]
    )
    assert '<x id="1">바로</x>' in tagged.text
    assert [each.code for each in client.get_source_languages()] == ["KO", "EN"]
    assert [each.code for each in client.get_target_languages()] == ["EN-GB", "EN-US", "KO"]
    usage = client.get_usage().character
    assert usage.valid
    assert not usage.limit_reached


def test_deepl_glossaries(server: Server) -> None:
    client = deepl.DeepLClient("any key", server_url=server.url)
    assert ("ko", "en") in [(each.source_lang, each.target_lang) for each in client.get_glossary_languages()]
    made = client.create_glossary("School", "KO", "EN-US", {"학교": "Academy", "은행": "Credit union"})
    assert (made.ready, made.entry_count, made.source_lang, made.target_lang) == (True, 2, "KO", "EN")
    assert made.glossary_id in [each.glossary_id for each in client.list_glossaries()]
    assert client.get_glossary(made.glossary_id).name == "School"
    assert client.get_glossary_entries(made) == {"학교": "Academy", "은행": "Credit union"}
    assert "Academy" in client.translate_text_with_glossary(KOREAN, made).text
    client.delete_glossary(made)
    with pytest.raises(deepl.GlossaryNotFoundException):
        client.get_glossary(made.glossary_id)
    of_csv = client.create_glossary_from_csv("Banks", "KO", "EN", "은행,Bank\n")
    assert client.get_glossary_entries(of_csv) == {"은행": "Bank"}


def test_deepl_documents(server: Server, tmp_path: Path) -> None:
    source, target = tmp_path / "letter.txt", tmp_path / "letter.en.txt"
    source.write_text("혼자\n\n123\n", "utf-8")
    client = deepl.DeepLClient("any key", server_url=f"{server.url}/deepl/")
    status = client.translate_document_from_filepath(source, target, source_lang="KO", target_lang="EN-US")
    assert (status.done, status.billed_characters) == (True, 2)
    assert target.read_text("utf-8") == f"{server.says('혼자', 'en')}\n\n123\n"
    source.write_bytes(b"\x00\x01\x02\xff\xfe")
    with pytest.raises(deepl.DocumentTranslationException, match="Error occurred while translating document"):
        client.translate_document_from_filepath(source, target, target_lang="EN-US")


def test_deepl_errors(server: Server, closed: Server) -> None:
    client = deepl.DeepLClient("any key", server_url=server.url)
    with pytest.raises(deepl.DeepLException, match="Value for 'target_lang' not supported"):
        client.translate_text(KOREAN, target_lang="FR")
    with pytest.raises(deepl.DeepLException, match="Not found"):
        client.rephrase_text(ENGLISH, target_lang="EN-US")
    with pytest.raises(deepl.DeepLException, match="413"):
        client.translate_text("가" * 100_000, target_lang="EN-US")
    with pytest.raises(deepl.AuthorizationException):
        deepl.DeepLClient("wrong", server_url=closed.url).translate_text(KOREAN, target_lang="EN-US")
    known = deepl.DeepLClient(closed.key, server_url=closed.url)
    assert known.translate_text(KOREAN, target_lang="EN-US").text == server.says(KOREAN, "en")


SCRIPT = """
const [module, url, key, ...texts] = process.argv.slice(1);
const { Translate } = await import(module);
const translate = Translate({ engine: "libre", url, key, from: "ko", to: "en" });
const said = [];
for (const text of texts) said.push(await translate(text).catch((error) => "Error: " + error.message));
console.log(JSON.stringify(said));
"""


def installed(package: str) -> Path:
    """The main file of a package of npm; the test is skipped where it is not."""
    places = os.environ.get("ONMAL_TEST_NODE_MODULES", os.environ.get("NODE_PATH", "")).split(os.pathsep)
    found = next((file for place in places if (file := Path(place, package, "package.json")).is_file()), None)
    if found is None or shutil.which("node") is None:
        pytest.skip(f"no node, or no {package} in ONMAL_TEST_NODE_MODULES: npm install {package}")
    return found.parent / json.loads(found.read_text("utf-8"))["main"]


def test_npm_translate(server: Server, closed: Server) -> None:
    module = installed("translate").resolve().as_uri()

    def said(where: Server, key: str, *texts: str) -> list[str]:
        command = [
            "node",
            "--input-type=module",
            "--eval",
            SCRIPT,
            module,
            f"{where.url}/translate",
            key,
            *texts,
        ]
        result = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True
        )
        return json.loads(result.stdout)

    assert said(server, "", KOREAN, "혼자") == [server.says(KOREAN, "en"), server.says("혼자", "en")]
    assert said(closed, closed.key, KOREAN) == [server.says(KOREAN, "en")]
    assert said(closed, "wrong", KOREAN) == ["Error: Invalid API key"]
