"""Every scenario by its name, in the order in which they are measured and shown."""

from __future__ import annotations

from benchmarks import (
    generate,
    increment,
    load,
    marts,
    movers,
    parse,
    resume,
    shapes,
    small,
    startup,
    ticks,
    validate,
    verify,
)
from benchmarks.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    "load": load.SCENARIO,
    "shapes": shapes.SCENARIO,
    "movers": movers.SCENARIO,
    "increment": increment.SCENARIO,
    "verify": verify.SCENARIO,
    "resume": resume.SCENARIO,
    "small": small.SCENARIO,
    "startup": startup.SCENARIO,
    "marts": marts.SCENARIO,
    "generate": generate.SCENARIO,
    "generators": generate.GENERATORS,
    "ticks": ticks.SCENARIO,
    "parse": parse.SCENARIO,
    "validate": validate.SCENARIO,
}
