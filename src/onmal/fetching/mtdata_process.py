"""What runs of mtdata, as a process of its own: `index` prints all corpora of two languages, `read` the pairs of one.

Importing mtdata's index runs whatever mtdata*.py lies in the current folder, and reading may start other programs. So this
process is started in an empty folder, and may neither start a program nor reach the network.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

_REFUSED = ("subprocess.", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "socket.connect", "socket.getaddrinfo")  # fmt: skip


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED):
        raise PermissionError(f"{event} is not allowed here")


def index() -> None:
    """Print a line for each corpus of two languages: its id, a tab, and as JSON what is known of it."""
    from mtdata.index import INDEX
    from pybtex.richtext import Text

    def citation(key: str) -> str:
        paper = INDEX.ref_db[key]
        people = [" ".join(person.last_names) for person in paper.persons.get("author", ())]
        who = " and ".join(people) if len(people) < 3 else f"{people[0]} et al."
        title = Text.from_latex(" ".join(paper.fields.get("title", "").split()))
        return (
            f"{Text.from_latex(who)} ({paper.fields.get('year', 'no year')}), {str(title).removesuffix('.')}"
        )

    citations: dict[str, str] = {}
    for entry in INDEX.get_entries():
        if len(entry.did.langs) == 2:
            for key in entry.cite or ():
                if key not in citations:
                    citations[key] = citation(key)
            facts = {name: getattr(entry, name) for name in ("url", "ext", "in_ext", "in_paths", "cols")}
            facts["citation"] = "; ".join(citations[key] for key in entry.cite or ())
            print(entry.did, json.dumps(facts), sep="\t")


def read() -> None:
    """Print the pairs of the corpus that standard input describes (JSON, with "paths" of its unpacked files), a JSON list each."""
    from mtdata.entry import Entry
    from mtdata.parser import Parser

    given = json.load(sys.stdin)
    facts = {name: given[name] for name in ("url", "ext", "in_ext", "in_paths", "cols")}
    parser = Parser(
        [Path(path) for path in given["paths"]], ext=given["format"], ent=Entry(given["id"], **facts)
    )
    for row in parser.read_segs(show_pbar=False):
        print(json.dumps(row[:2]))


if __name__ == "__main__":
    logging.disable()  # the last word is to be the error
    sys.addaudithook(_refuse)
    {"index": index, "read": read}[sys.argv[1]]()
