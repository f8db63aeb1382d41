"""Downloads and unpacks Debian packages with an apt state of our own: no root, and nothing of the system is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.services.sources import Source, distribution, machine_sources, own_sources

KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")

# The machine's own configuration is read first (its proxy and its mirror's password are in there), this one after it.
# The empty status makes apt bring every library, whatever is installed here. The directories are ours and closed to
# the account that apt would switch to when root runs it, so it is told not to.
CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear APT::Architectures;
Dir::State "{state}";
Dir::State::Lists "{state}/lists";
Dir::State::status "{state}/status";
Dir::Cache "{state}/cache";
Dir::Cache::archives "{state}/archives";
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "{state}/sources";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "3";
"""


class AptError(Exception):
    """apt cannot be used here, or failed. The text says how."""


def suite_sources() -> str:
    """The distribution's own suites, as the machine has them. Raises AptError where there are none."""
    own = _own_sources()
    return "\n".join(source.deb822(source.suites) for source in own)


def sid_sources() -> str:
    """Debian unstable on the mirror that the machine itself uses, authenticated by Debian's keyring.

    Raises AptError where the machine is not Debian or has no keyring to authenticate with.
    """
    name, _ = distribution()
    if name != "debian":
        raise AptError("Debian unstable is used on Debian only")
    mirrors = [source for source in _own_sources() if not all("-security" in suite for suite in source.suites)]
    if not mirrors:
        raise AptError("apt has no Debian mirror configured")
    mirror = mirrors[0]
    signed_by = mirror.signed_by or next((path for path in KEYRINGS if Path(path).exists()), None)
    if signed_by is None:
        raise AptError("no keyring to authenticate Debian unstable with; install debian-archive-keyring")
    return Source(mirror.uris, ("sid",), ("main",), signed_by).deb822(["sid"])


def download_and_unpack(sources: str, packages: Sequence[str], state: Path, root: Path) -> None:
    """Unpacks `packages` and all they depend on into the directory `root`; `state` is scratch space.

    Raises AptError with apt's last words.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise AptError(f"{tool} is not installed")
    for directory in ("lists/partial", "archives/partial", "cache", "sources"):
        (state / directory).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources" / "vitrina.sources").write_text(sources)
    configuration = state / "apt.conf"
    configuration.write_text(CONFIGURATION.format(state=state))
    _run(["apt-get", "--config-file", str(configuration), "--quiet", "update"])
    install = ["install", "--yes", "--download-only", *packages]
    _run(["apt-get", "--config-file", str(configuration), "--quiet", *install])
    root.mkdir()
    for package in sorted((state / "archives").glob("*.deb")):
        _run(["dpkg-deb", "--extract", str(package), str(root)])


def _own_sources() -> list[Source]:
    _, codename = distribution()
    own = own_sources(machine_sources(), codename)
    if not own:
        raise AptError("apt has no sources of its distribution configured")
    return own


def _run(command: list[str]) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-8:])
        raise AptError(f"{' '.join(command[:1])} failed with code {done.returncode}:\n{tail}")
