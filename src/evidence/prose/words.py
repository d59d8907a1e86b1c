"""Words that the project does not use, each with what to write instead."""

import re
from re import IGNORECASE, Pattern

_THING = (
    r"(?:process(?:es)?|workers?|child(?:ren)?|trees?|pools?|programs?|commands?|"
    r"shells?|readers?|writers?|holders?|senders?|it|them)"
)
_WHICH = r"(?:an?|the|its|your|one|each|every|all|some|another|these|those|both|dead)"
_PEOPLE = ("people", "everyone", "anyone", "someone", "readers", "reader", "users")
_NOT_PEOPLE = "".join(rf"(?<!\b{word} )" for word in _PEOPLE)

_WORDS = {
    r"deaf": "ignores, blocks or does not respond to SIGTERM",
    r"hear(?:s|d|ing)?": "receive, handle",
    r"ended": "terminated, killed, exited, or stopped by stop()",
    rf"(?:end|ends|ending) (?:{_WHICH} )*{_THING}": "stop, terminate or kill",
    r"death by": "terminated by, killed by",
    r"liv(?:e|es|ed|ing) on": "keep running, survive",
    r"go(?:es)? on|went on|going on": "continue",
    r"for ever": "forever",
    r"for certain": "guaranteed, or say how",
    r"somebody else|someone else": "elsewhere, another process",
    r"behind (?:the|its|your) back": "elsewhere",
    r"steal(?:s|ing)?|stole|stolen": "reaped elsewhere",
    r"mend(?:s|ed|ing)?|cur(?:e|es|ed|ing)": "fix",
    r"anew": "again; started anew -> restarted",
    r"verbs?": "target (of make), command",
    r"clean-ups?": "cleanup",
    r"(?:hold|holds|held|holding) [^.;]*?by a pidfd": "open, track or pin with a pidfd",
    r"let(?:s|ting)? go": "release, close",
    r"keepers?": "the process that runs no_orphans()",
    r"tak(?:e|es|ing) note|note is made": "set a flag; the signal is pending",
    r"told": "sent (a signal), or name the thing that says it",
    r"famil(?:y|ies)|census|surveys?": "process tree, process table, snapshot",
    r"(?:a|one|each|last|first|second|next) look": "snapshot, rescan",
    r"has an? (?:hole|gap)|holes?": "has a race condition",
    r"hold(?:s|ing)? the exit": "block interpreter exit",
    rf"{_NOT_PEOPLE}who|whom|nobody": "a process that, no process; who is for people",
    r"shares? of the tests": "shard, worker",
    r"not measured": "not tested",
    r"where it holds": "Tested on",
    r"proofs?": "example",
    r"the record": "the results",
    r"drawn": "generated",
    r"(?:web|old|new|published) address(?:es)?": "URL",
    r"leads on": "redirects",
    r"at hand": "on PATH, available",
    r"at rest": "idle",
    r"as it comes": "stock, unmodified",
    r"(?<!written )by hand": "with the standard library",
    r"politely": "gracefully",
    r"stop for the keys": "focusable",
    r"shall": "should, must, will",
    rf"(?:that|which|{_THING}|they|you) (?:is|are|was|were) to": "should, must, will",
    r"at last": "finally",
    r"all the same": "anyway, still",
    r"also when": "even when",
    r"from (?:Python )?3\.\d+ on": "in Python 3.x and later",
    r"behaviours?": "behavior",
    r"colours?": "color",
    r"licences?": "license",
    r"cancelled|cancelling": "canceled, canceling",
    r"neighbours?": "neighbor",
    r"favou?r of|honou?rs? a signal|whilst": "plain US English",
    r"synchronis\w+|initialis\w+|recognis\w+|organis\w+|serialis\w+|normalis\w+": "-ize",
}
_ENDINGS = {
    r", too(?=[\s.,;:!?)]|$)": "also",
    r"\bso(?=[.;:])": "this way, as a result",
}

#: What to find, and what to write instead.
FORBIDDEN: list[tuple[Pattern[str], str]] = [
    *((re.compile(rf"\b(?:{word})\b", IGNORECASE), s) for word, s in _WORDS.items()),
    *((re.compile(word, IGNORECASE), s) for word, s in _ENDINGS.items()),
]

#: Texts of links that do not say where the link goes.
EMPTY_LINKS = {
    *("proof", "proofs", "example", "an example", "this example", "the example"),
    *("here", "shown here", "as shown here", "see here", "run here"),
    *("this", "the same", "more", "link"),
}

#: What is counted in 1,000 words.
COUNTED: dict[str, Pattern[str]] = {
    "you": re.compile(r"\byou(?:rs?|rself)?\b", IGNORECASE),
    "if": re.compile(r"\bif\b", IGNORECASE),
    "for example, such as": re.compile(r"\b(?:for example|such as)\b", IGNORECASE),
    ";": re.compile(r";"),
    "what ...": re.compile(r"\bwhat\b(?![^.]*\?)", IGNORECASE),
    "who, nobody": re.compile(r"\b(?:who|whom|nobody)\b", IGNORECASE),
}
