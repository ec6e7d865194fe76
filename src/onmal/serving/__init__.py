"""The translation service: `onmal serve MODEL...`.

service.py      what every API asks: translate, stream, detect, languages, models
refusals.py     why a request is not answered; each API says it in its own words
settings.py     ServeConfig: address, limits, keys
clients.py      who asks, and how much of it is too much;  keys.py  the keys that some of them have
dispatcher.py   the queue: texts of several requests are translated together
models.py       the model folders: loaded when needed, read again at SIGHUP
app.py          routes of all APIs, and around them exchange.py (bodies, clients that leave), headers, access log, metrics
v1.py           onmal's own API, in the words of schemas.py
page_files.py   the page for people, in page/;  saved_page.py  its view inside as one file
libretranslate.py, deepl/
                the APIs that clients of others speak; parameters.py reads their requests, wherever they say what they ask for,
                and document_room.py, kept_files.py and glossaries.py keep what they leave here
server.py       the process: uvicorn, its signals, its one line at the start
"""
