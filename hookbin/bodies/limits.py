"""The bounds of every view, so that no body can hold up a page. docs/settings.md lists them."""

SECONDS = 0.4
"""Wall time that all views of one page or answer share; what is not done by then is left out, and said."""
PACKED = 16 * 1024 * 1024
"""Bytes that a compressed body may grow to."""
READ = 1024 * 1024
"""The same for rules, filters, handshakes and templates, which look at no clock."""
LAYERS = 3
"""Compressions inside one another that are undone."""
LOOKED_AT = 1024 * 1024
"""Bytes of a body that the views of text look at."""
HEADLINE = 64 * 1024
"""Bytes of a body, as it came and unpacked, up to which its fields help to say in a line what a request is."""
SHOWN = 64 * 1024
"""Characters of text that a view gives."""
HEX = 4 * 1024
"""Bytes that a hex dump shows."""
READ_FIELDS = 1_000
"""Fields of a form that conditions and templates see."""
LEVELS = 500
"""Levels of JSON that is nested too deeply for its parser, down to which it is read."""
DEEP_TOKENS = 30_000
"""Tokens that such JSON may have."""
FIELDS = 500
"""Fields of a form that are listed."""
PARTS = 250
"""Parts of a multipart body that are listed, and can be downloaded one by one."""
PART_HEAD = 8 * 1024
"""Bytes that the headers of a part may have."""
PART_TEXT = 2 * 1024
"""Characters of each part that are shown."""
NODES = 2_000
"""Fields of a protobuf message that are listed, those of nested messages among them."""
DEPTH = 16
"""Levels of nested protobuf messages and XML indentation that are drawn."""
TOKENS = 5
"""JSON Web Tokens that are decoded."""
PIXELS = 50_000_000
"""Pixels up to which an image is shown: a small file can claim a size that takes gigabytes to draw."""
WORKERS = 2
"""Threads that make views."""
HELD = 128 * 1024 * 1024
"""Bytes of bodies that are looked at, or wait for it, at a time; each call counts as `CALL` besides."""
CALL = 64 * 1024
