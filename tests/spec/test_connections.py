"""Names of connections become URLs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from framework.connections import mask, normalised
from framework.errors import SpecInvalid, UnknownConnection, UsageError, VitrinaError
from framework.outputs.text import render, render_all
from framework.spec.connections import FILE, check_connections, load_connections, mask_key, resolve, variable_of

TEXT = """\
environments:
  default:
    shop_postgres: {url: "${SHOP_POSTGRES:-embedded:postgres}", generate: allow}
    shop_mysql: {url: "${SHOP_MYSQL:-embedded:duckdb}"}
  production:
    shop_postgres: {url: "${PRODUCTION_POSTGRES}"}
    shop_mysql: {url: mysql://root:hunter2@db/shop}
    broken: {url: oracle://root:hunter2@db/shop}
mask_key: ${KEY:-a key}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / FILE).write_text(TEXT)
    return tmp_path


def problems_of(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    path = tmp_path / FILE
    path.write_text(text)
    file = load_connections(path)
    return [render(problem, file.document.lines) for problem in check_connections(file, environ or {})]


def test_the_file_gives_url_and_permission(directory: Path):
    source = resolve("shop_postgres", "default", directory, {})
    assert (source.url, source.may_generate, source.environment) == ("embedded:postgres", True, "default")
    target = resolve("shop_mysql", "default", directory / FILE, {})
    assert (target.url, target.may_generate) == ("embedded:duckdb", False)


def test_a_variable_of_the_entry_is_filled_in(directory: Path):
    source = resolve("shop_postgres", "default", directory, {"SHOP_POSTGRES": "postgres://u:p@h/d?sslmode=require"})
    assert source.url == "postgresql+psycopg2://u:p@h/d?sslmode=require"


def test_the_environment_gives_the_url_only(directory: Path):
    environ = {"VITRINA_CONN_SHOP_POSTGRES": "postgresql://prod/d", "VITRINA_CONN_SHOP_MYSQL": "mariadb://h/d"}
    allowed = resolve("shop_postgres", "default", directory, environ)
    assert (allowed.url, allowed.may_generate) == ("postgresql+psycopg2://prod/d", True)
    assert not resolve("shop_postgres", "production", directory, environ).may_generate
    assert not resolve("shop_mysql", "default", directory, environ).may_generate


def test_the_environment_alone_is_enough_and_never_allows_to_generate(tmp_path: Path):
    connection = resolve("a-b", "default", tmp_path, {"VITRINA_CONN_A_B": "embedded:postgres"})
    assert (connection.url, connection.may_generate) == ("embedded:postgres", False)
    assert variable_of("a-b") == "VITRINA_CONN_A_B"


def test_other_entries_need_no_variables(directory: Path):
    assert resolve("shop_mysql", "production", directory, {}).url == "mysql+pymysql://root:hunter2@db/shop"


def test_an_unset_variable_of_the_entry_is_told_with_its_place(directory: Path):
    with pytest.raises(SpecInvalid) as caught:
        resolve("shop_postgres", "production", directory, {})
    (problem,) = caught.value.problems
    assert (problem.rule, problem.position.line) == ("unset-variable", 6)


@pytest.mark.parametrize(
    ("name", "environment", "advice"),
    [
        ("shop_postgre", "default", "did you mean 'shop_postgres'?"),
        ("shop_postgres", "prodution", "did you mean 'production'?"),
        ("other", "default", "VITRINA_CONN_OTHER"),
    ],
)
def test_unknown_names(directory: Path, name: str, environment: str, advice: str):
    with pytest.raises(UnknownConnection) as caught:
        resolve(name, environment, directory, {})
    assert advice in caught.value.fix


def test_no_file_at_all(tmp_path: Path):
    with pytest.raises(UnknownConnection) as caught:
        resolve("shop", "default", tmp_path, {})
    assert "VITRINA_CONN_SHOP" in caught.value.fix


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("embedded:postgres", "embedded:postgres"),
        ("embedded:duckdb", "embedded:duckdb"),
        ("postgres://u:p@h/d", "postgresql+psycopg2://u:p@h/d"),
        ("postgresql://h", "postgresql+psycopg2://h"),
        ("postgresql+psycopg2://h/d?a=b", "postgresql+psycopg2://h/d?a=b"),
        ("mysql://h/d", "mysql+pymysql://h/d"),
        ("mariadb://h/d", "mysql+pymysql://h/d"),
        ("mariadb+pymysql://h/d", "mysql+pymysql://h/d"),
        ("MySQL+PyMySQL://h/d", "mysql+pymysql://h/d"),
        ("duckdb:///a.duckdb", "duckdb:///a.duckdb"),
    ],
)
def test_normalised(url: str, result: str):
    assert normalised(url) == result


@pytest.mark.parametrize(
    "url",
    ["", "host", "embedded:mysql", "oracle://u:hunter2@h", "mysql+mysqldb://u:hunter2@h", "u:hunter2@h", "://hunter2"],
)
def test_no_url(tmp_path: Path, url: str):
    with pytest.raises(ValueError) as caught:
        normalised(url)
    assert "hunter2" not in str(caught.value)
    if url:
        with pytest.raises(UsageError) as told:
            resolve("a", "default", tmp_path, {"VITRINA_CONN_A": url})
        assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    ["mysql://root:hunter2@h/d", "mysql://root:hunt@er2@h", "mysql://root:hun/ter2@h", "pg://u:hunter#2@h?x=1"],
)
def test_masked(url: str):
    assert "er2" not in mask(url).replace("hunter", "er2")
    assert "***" in mask(url)


def test_problems_of_the_file_show_no_secret(directory: Path):
    (shown,) = problems_of(directory, TEXT)
    assert "bad-url" in shown
    assert "hunter2" not in shown
    for text in ("mask_key: [hunter2]", "mask_key: 1234567\nenvironments: {}", "mask_key: 'hunter2\n"):
        shown = "\n".join(problems_of(directory, text))
        assert shown
        assert "hunter2" not in shown
        assert "1234567" not in shown


def test_a_broken_file_is_told(directory: Path):
    assert any("unknown-key" in text for text in problems_of(directory, "enviroments: {}\n"))
    shown = "\n".join(problems_of(directory, "environments: {default: {a: {url: '', generate: yes}, b: {}}}"))
    for rule in ("empty", "wrong-value", "missing-key"):
        assert rule in shown
    with pytest.raises(SpecInvalid):
        resolve("a", "default", directory, {"VITRINA_CONN_A": "embedded:postgres"})


def test_mask_key(directory: Path, tmp_path_factory: pytest.TempPathFactory):
    assert mask_key(directory, {}) == b"a key"
    assert mask_key(directory, {"KEY": "other"}) == b"other"
    assert mask_key(directory, {"VITRINA_MASK_KEY": "first"}) == b"first"
    assert mask_key(tmp_path_factory.mktemp("empty"), {}) is None


@pytest.mark.parametrize("environment", ["production", "none"])
@pytest.mark.parametrize("name", ["shop_postgres", "broken", "none", ""])
def test_errors_are_ours_and_hold_no_secret(directory: Path, environment: str, name: str):
    with pytest.raises(VitrinaError) as caught:
        resolve(name, environment, directory, {})
    assert "hunter2" not in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize(
    "notify",
    [
        "{ops: 'https://hooks.example.com/services/SECRET'}",
        "{ops: {webhok: 'https://hooks.example.com/services/SECRET'}}",
        "{ops: {webhook: ['https://hooks.example.com/services/SECRET']}}",
        "{ops: {webhook: 'https://hooks.example.com/services/SECRET', x: 1}}",
    ],
)
def test_the_path_of_a_webhook_is_never_shown(tmp_path: Path, notify: str):
    path = tmp_path / "connections.yaml"
    path.write_text(f"environments: {{}}\nnotify: {notify}\n")
    rendered = "\n".join(render_all(load_connections(path).problems))
    assert rendered
    assert "SECRET" not in rendered


def test_masking_a_long_word_takes_no_time():
    begun = time.process_time()
    assert mask("a" * 200_000) == "a" * 200_000
    assert time.process_time() - begun < 5
