"""`python -m tests.torture [COUNT]`: whatever is written, problems with places inside the file, no exception, no hang.

Texts are the fixtures and the rules' examples, cut, joined and edited; chance is seeded, so a failure comes again.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from multiprocessing import Pool
from pathlib import Path
from types import FrameType

from framework.outputs.text import render
from framework.spec.load import parse_spec
from framework.validation.check import check
from framework.validation.rules import RULES
from framework.validation.secrets import secrets
from framework.validation.stories import stories
from framework.validation.switches import Switches
from tests.validation.fixtures import INVALID, SEMANTIC, VALID
from tests.validation.test_properties import WORD_LIST, edited

SECONDS = 10
"""No file takes longer."""
BATCH = 500
PATH = Path("spec.yaml")


def texts() -> list[str]:
    """What is broken."""
    files = [path.read_bytes().decode("utf-8", "replace") for path in (*VALID, *SEMANTIC, *INVALID)]
    examples = [text for story in stories().values() for text in (*story.bad.values(), *story.good.values())]
    return [text for text in (*files, *examples) if len(text) < 20_000]


def broken(chance: random.Random, known: list[str]) -> str:
    """One text with some edits, or the halves of two."""
    text = chance.choice(known)
    if chance.random() < 0.1:
        other = chance.choice(known)
        text = text[: chance.randrange(len(text) + 1)] + other[chance.randrange(len(other) + 1) :]
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        text = edited(text, chance, chance.choice(WORD_LIST), chance.choice(["cut", "insert", "word", "line"]))
    return text


def examine(text: str) -> int:
    """How many problems a text has. Raises AssertionError where one is not as it must be."""
    loaded = parse_spec(text, PATH, {"A": "1"})
    problems = [*loaded.problems, *check(loaded, RULES), *secrets(loaded.document)]
    switches = Switches()
    switches.read(loaded.document)
    problems = [*switches.applied(problems), *switches.problems([PATH])]
    for problem in problems:
        line, column = problem.position.line, problem.position.column
        assert 1 <= line <= len(loaded.lines), problem
        assert 1 <= column <= len(loaded.lines[line - 1]) + 1, problem
        assert problem.message, problem
        assert problem.rule in stories(), problem
        assert render(problem, loaded.lines).startswith(f"spec.yaml:{line}:{column}: {problem.severity.value}: ")
    return len(problems)


def batch(seed: int) -> Counter[str]:
    """Some texts; what went wrong, by its kind."""
    signal.signal(signal.SIGALRM, _too_long)
    chance, known, found = random.Random(seed), texts(), Counter[str]()
    for _ in range(BATCH):
        text = broken(chance, known)
        signal.alarm(SECONDS)
        try:
            found["problems"] += examine(text)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            found["failures"] += 1
            print(f"seed {seed}: {type(error).__name__}: {str(error)[:200]}\n{text}\n{'-' * 80}", flush=True)
        finally:
            signal.alarm(0)
        found["texts"] += 1
    return found


def _too_long(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {SECONDS} seconds")


def main() -> None:
    """Break so many texts, on all processors."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    begun, total = time.monotonic(), Counter[str]()
    with Pool() as pool:
        for found in pool.imap_unordered(batch, range(-(-count // BATCH))):
            total += found
            if total["texts"] % (100 * BATCH) == 0:
                rate = total["texts"] / (time.monotonic() - begun)
                print(f"{total['texts']:,} texts, {total['failures']} failures, {rate:.0f} texts/s", flush=True)
    print(f"{total['texts']:,} texts, {total['problems']:,} problems told, {total['failures']} failures")
    sys.exit(1 if total["failures"] else 0)


if __name__ == "__main__":
    main()
