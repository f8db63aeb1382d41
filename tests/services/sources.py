"""The machine's apt sources, read in both of their formats."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

APT = Path("/etc/apt")


@dataclass(frozen=True)
class Source:
    """One binary package source. `signed_by` is a keyring's path or an inline key, as apt spells it."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str | None = None

    def deb822(self, suites: Iterable[str]) -> str:
        """This source as a paragraph for apt, restricted to `suites` and to the package lists."""
        lines = [
            "Types: deb",
            f"URIs: {' '.join(self.uris)}",
            f"Suites: {' '.join(suites)}",
            f"Components: {' '.join(self.components)}",
            "Targets: Packages",
        ]
        if self.signed_by:
            lines.append(f"Signed-By: {self.signed_by}")
        return "\n".join(lines) + "\n"


def machine_sources(directory: Path = APT) -> list[Source]:
    """Every enabled source of the machine, in apt's order; unreadable files are left out."""
    files = [directory / "sources.list", *sorted((directory / "sources.list.d").glob("*"))]
    found: list[Source] = []
    for file in files:
        parse = {".list": parse_list, ".sources": parse_deb822}.get(file.suffix)
        if parse is None:
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except (FileNotFoundError, PermissionError):
            continue
        found.extend(parse(text))
    return found


def own_sources(sources: Iterable[Source], codename: str) -> list[Source]:
    """The sources of the distribution itself, without third parties, each with its own suites only."""
    names = {codename, "oldstable", "stable", "testing", "unstable", "sid"}
    names |= {f"{name}-{pocket}" for name in names for pocket in ("updates", "security")}
    own: list[Source] = []
    for source in sources:
        suites = tuple(suite for suite in source.suites if suite in names)
        if suites and "main" in source.components:
            own.append(Source(source.uris, suites, source.components, source.signed_by))
    return own


def distribution() -> tuple[str, str]:
    """The machine's distribution and its code name ("" where it has none), as in ("debian", "bookworm")."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "", ""
    return release.get("ID", ""), release.get("VERSION_CODENAME", "")


def parse_list(text: str) -> Iterator[Source]:
    """Sources in the one-line format: `deb [option=value ...] uri suite component...`."""
    for line in text.splitlines():
        words = line.split("#", 1)[0].replace("[", " [ ", 1).replace("]", " ] ", 1).split()
        if not words or words[0] != "deb" or "cdrom:" in line:
            continue
        options: list[str] = []
        rest = words[1:]
        if rest and rest[0] == "[" and "]" in rest:
            end = rest.index("]")
            options, rest = rest[1:end], rest[end + 1 :]
        if len(rest) < 3:
            continue
        settings = dict(option.split("=", 1) for option in options if "=" in option)
        yield Source((rest[0],), (rest[1],), tuple(rest[2:]), settings.get("signed-by"))


def parse_deb822(text: str) -> Iterator[Source]:
    """Sources in the deb822 format: paragraphs of `Field: value`, continued on indented lines."""
    for paragraph in _paragraphs(text):
        if "deb" not in paragraph.get("types", "").split():
            continue
        if paragraph.get("enabled", "yes").strip().lower() in {"no", "false", "without", "off", "disable", "0"}:
            continue
        yield Source(
            tuple(paragraph.get("uris", "").split()),
            tuple(paragraph.get("suites", "").split()),
            tuple(paragraph.get("components", "").split()),
            paragraph.get("signed-by"),
        )


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    name = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            # Kept with its line break: an inline key in Signed-By has to be handed to apt as it was.
            fields[name] = f"{fields.get(name, '')}\n{line.rstrip()}"
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
