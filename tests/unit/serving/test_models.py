"""Folders that are served: found by direction or name, loaded once, read again without dropping anything."""

from __future__ import annotations

import asyncio
import gc
import shutil
import weakref
from pathlib import Path

import pytest
from served import load_in_torch
from tiny_model import save_tiny_model

from onmal.errors import LanguageError, ModelFolderError
from onmal.serving.models import Models
from onmal.serving.refusals import ModelGone, ModelUnknown
from onmal.translating.translator import Translator


class Loading:
    """Loads, and counts what it loads and what is reported."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.reported: list[str] = []

    def __call__(self, folder: Path) -> Translator:
        self.loaded.append(folder.name)
        return load_in_torch(folder)

    def models(self, *folders: Path) -> Models:
        return Models(folders, self, self.reported.append)


@pytest.fixture
def folder(both_ways: Path, tmp_path: Path) -> Path:
    """A copy that a test may do things to."""
    shutil.copytree(both_ways, tmp_path / "ko-en")
    return tmp_path / "ko-en"


def test_directions_are_found_exactly_or_for_another_region(both_ways: Path) -> None:
    models = Loading().models(both_ways)
    assert models.translating("ko", "en")[1] == ("ko", "en")
    assert models.translating("en-GB", "ko-KR")[1] == ("en", "ko")
    with pytest.raises(LanguageError, match="there are: ko-en, en-ko"):
        models.translating("de", "en")
    with pytest.raises(ModelUnknown, match="there are: ko-en"):
        models.translating("ko", "en", "en-ko")


def test_folders_of_one_name_have_names_of_their_own(both_ways: Path, folder: Path) -> None:
    models = Loading().models(both_ways, folder, both_ways)
    assert [facts.name for facts in models] == ["ko-en", "ko-en-2", "ko-en-3"]
    assert models.translating("ko", "en")[0].name == "ko-en"
    assert models.translating("ko", "en", "ko-en-2")[0].name == "ko-en-2"


def test_a_folder_without_a_model_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="no such model folder"):
        Loading().models(tmp_path / "gone")


def test_who_needs_a_model_at_the_same_time_waits_for_one_loading(both_ways: Path) -> None:
    async def scene() -> None:
        loading = Loading()
        models = loading.models(both_ways)
        (facts,) = models
        assert not models.is_loaded(facts)
        leaving = asyncio.ensure_future(models.loaded(facts))
        await asyncio.sleep(0)
        leaving.cancel()
        one, other = await asyncio.gather(models.loaded(facts), models.loaded(facts))
        assert one is other
        assert loading.loaded == ["ko-en"]
        assert models.is_loaded(facts)

    asyncio.run(scene())


def test_a_folder_that_vanished_serves_what_is_loaded_and_says_so_else(folder: Path) -> None:
    async def scene() -> None:
        loading = Loading()
        kept, lost = loading.models(folder), loading.models(folder)
        await kept.loaded(next(iter(kept)))
        folder.rename(folder.with_name("away"))
        await kept.read_again()
        assert await kept.loaded(next(iter(kept)))
        assert "stays as it is" in loading.reported[-1]
        with pytest.raises(ModelGone) as refused:
            await lost.loaded(next(iter(lost)))
        assert str(folder) not in refused.value.message  # a stranger need not know where
        assert str(folder) in loading.reported[-1]
        folder.with_name("away").rename(folder)
        assert await lost.loaded(next(iter(lost)))

    asyncio.run(scene())


def test_read_again_the_new_model_serves_and_the_old_one_is_freed(folder: Path) -> None:
    async def scene() -> None:
        loading = Loading()
        models = loading.models(folder)
        (old_facts,) = models
        old = await models.loaded(old_facts)
        shutil.rmtree(folder)
        save_tiny_model(folder, both_directions=True, seed=1)
        await models.read_again()
        (facts,) = models
        new = await models.loaded(facts)
        assert new is not old
        assert await models.loaded(old_facts) is new  # for a request that chose before
        text = "친구는 오늘 학교에 간다."
        assert new.translator.translate(text, to="en") != old.translator.translate(text, to="en")
        gone = weakref.ref(old)
        del old
        gc.collect()
        assert gone() is None

    asyncio.run(scene())
