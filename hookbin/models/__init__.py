"""The types that everything speaks of, a file for each noun.

All are frozen. Times are integers: microseconds since 1970-01-01 UTC. Durations are
microseconds too, unless a name says otherwise. Headers are ordered pairs, duplicates kept,
decoded as latin-1 so that every byte on the wire has one character here and back.
"""
