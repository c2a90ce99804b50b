"""How much each option of a webhook or a forward target may be."""

from __future__ import annotations

MAX_PATTERNS = 50
"""Patterns of event types that one webhook asks for."""
MAX_TIMEOUT = 120
"""Seconds that one attempt may take in all."""
MAX_AT_ONCE = 64
"""Attempts of one webhook under way at once."""
MIN_RATE = 0.01
MAX_RATE = 1000
"""Attempts a second."""
MAX_EXHAUSTED = 1000
"""Deliveries in a row that are exhausted before the webhook is disabled."""
MAX_HEARTBEAT = 24 * 3600
"""Seconds between two heartbeats."""
MAX_OVERLAP = 30 * 24 * 3600
"""Seconds for which a secret that was rotated out still signs."""
MAX_TARGETS = 10
"""Forward targets of one bin."""
