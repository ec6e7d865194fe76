"""The server: an engine behind HTTP, for other programs and for the page."""
