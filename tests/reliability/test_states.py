"""A process dies in every state that docs/reliability.md names; one more run, and the copy is exact."""

from __future__ import annotations

import re
import signal

import pytest

from tests.command import ROOT
from tests.reliability import child, states
from tests.reliability.states import State
from tests.reliability.world import SECONDS, World, Writers

COMMANDS = {
    "first": ("run", "spec.yaml"),
    "full": ("run", "spec.yaml", "--full-refresh"),
    "apart": (child.APART, "spec.yaml", "orders"),
    "resumed": ("run", "spec.yaml", "--full-refresh"),
    "apart-resumed": (child.APART, "spec.yaml", "accounts", "resumed"),
    "increment": ("run", "spec.yaml"),
    "altered": ("run", "spec.yaml"),
    "tick": ("run", "spec.yaml", "--tick", "1"),
}


def test_the_document_and_the_tests_name_the_same_states() -> None:
    document = (ROOT / "docs" / "reliability.md").read_text()
    named = re.findall(r"^\| `([a-z]+\.[a-z-]+)` \|", document, re.MULTILINE)
    assert sorted(named) == sorted(state.name for state in states.ALL)


@pytest.mark.slow
@pytest.mark.parametrize("group", states.GROUPS)
def test_a_run_that_dies_is_made_good_by_the_next(world: World, group: str) -> None:
    if group != "first":
        world.run()
        world.assert_equal()
    # MySQL meets them all; of MariaDB, those where the server itself is in the midst of something.
    here = [state for state in states.GROUPS[group] if world.target.kind == "mysql" or state.in_adapter]
    missed = [state.name for state in here if not dies(world, group, state)]
    assert missed == [], f"no run came to these states\n{world.log()}"


def halfway(world: World, group: str) -> None:
    """A full load that died before, and a lease that has expired."""
    if group == "apart-resumed":
        world.drop("accounts")
    with Writers(world.source).writing():
        process = world.start(*COMMANDS[group], state=states.HALFWAY, noted=world.directory / "halfway")
        process.join(SECONDS)
    assert process.exitcode == -signal.SIGKILL, world.log()
    world.expire_leases()


def dies(world: World, group: str, state: State) -> bool:
    """Whether a run, under writes, came to the state; it is dead then, and another one has made all good."""
    if group == "first":
        world.forget()
    if group == "altered":
        world.alter()
    if "resumed" in group:
        halfway(world, group)
    world.change()
    noted = world.directory / f"{state.name}.hit"
    with Writers(world.source).writing():
        process = world.start(*COMMANDS[group], state=state, noted=noted)
        process.join(SECONDS)
    world.expire_leases()
    world.run()
    world.assert_equal()
    return noted.exists() and process.exitcode == -signal.SIGKILL
