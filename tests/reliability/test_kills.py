"""A handful of runs killed at random moments; `make torture-kills` kills hundreds, and restarts servers."""

from __future__ import annotations

import pytest

from tests.reliability.kills import Kills
from tests.reliability.world import World

KILLS, SESSIONS = 4, 3


@pytest.mark.slow
def test_whatever_is_killed_the_next_run_makes_it_good(world: World) -> None:
    kills = Kills(world, seed=6)
    kills.begin()
    for _ in range(KILLS):
        kills.kill()
    for _ in range(SESSIONS):
        kills.end_sessions()
    happened = {key: count for key, count in kills.counts.items() if key[1] != "too late"}
    assert sum(happened.values()) == KILLS + SESSIONS


@pytest.mark.slow
def test_the_next_run_waits_until_a_dead_one_is_given_up(world_in_mysql: World) -> None:
    world = world_in_mysql
    process = world.start("run", "spec.yaml")
    while not world.target.rows("SHOW TABLES LIKE '\\_vitrina\\_shadow%'"):
        assert process.is_alive(), world.log()
    process.kill()
    process.join()
    world.run()
    world.assert_equal()
