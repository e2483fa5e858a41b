"""The unit is one that systemd takes, and shuts in what it starts."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from straykey import setting
from straykey.config import settings_of
from tests.conftest import ROOT

UNIT = (ROOT / "deploy/systemd/straykey.service").read_text()
SETTINGS = (ROOT / "deploy/systemd/straykey.toml").read_text()
ANALYZE = shutil.which("systemd-analyze") or ""
with_systemd = pytest.mark.skipif(not ANALYZE, reason="no systemd-analyze here")


def verified(unit: str, folder: Path) -> str:
    """What systemd complains of."""
    path = folder / "straykey.service"
    path.write_text(unit.replace("/opt/straykey/bin/straykey", sys.executable))
    command = [ANALYZE, "verify", "--man=no", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stderr + run.stdout or ("" if run.returncode == 0 else f"exit {run.returncode}")


def keys() -> dict[str, list[str]]:
    """What the unit sets, section by section."""
    found: dict[str, list[str]] = {}
    for line in UNIT.splitlines():
        if line.startswith("["):
            section = found.setdefault(line, [])
        elif line and not line.startswith("#"):
            section.append(line)
    return found


@with_systemd
def test_systemd_has_nothing_to_say(tmp_path: Path) -> None:
    assert verified(UNIT, tmp_path) == ""


@with_systemd
def test_systemd_would_say_it_of_a_key_that_is_misspelt(tmp_path: Path) -> None:
    assert "NoNewPrivilege" in verified(UNIT.replace("NoNewPrivileges", "NoNewPrivilege"), tmp_path)


@with_systemd
def test_little_is_left_exposed(tmp_path: Path) -> None:
    path = tmp_path / "straykey.service"
    path.write_text(UNIT)
    command = [ANALYZE, "security", "--offline=true", "--threshold=15", str(path)]
    run = subprocess.run(command, capture_output=True, check=False)
    assert run.returncode == 0, run.stdout.decode()


def test_it_is_no_root_cannot_become_it_and_writes_to_its_own_folders_only() -> None:
    service = keys()["[Service]"]
    assert {"User=straykey", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict"} <= set(service)
    assert {"StateDirectory=straykey", "StateDirectoryMode=0700", "UMask=0077"} <= set(service)
    assert not any(line.startswith(("ReadWritePaths", "BindPaths")) for line in service)


def test_it_is_started_again_whatever_ends_it_however_often() -> None:
    assert "Restart=always" in keys()["[Service]"]
    assert "StartLimitIntervalSec=0" in keys()["[Unit]"]


def test_the_configuration_beside_it_is_taken(tmp_path: Path) -> None:
    (tmp_path / "secret_slack").write_text("https://hooks.slack.com/services/T000/B000/EXAMPLE\n")
    text = SETTINGS.replace("/run/credentials/straykey.service", str(tmp_path))
    settings = settings_of(text, {}, {}, required=("sources",))
    assert [type(one) for one in settings.sinks] == [setting.JsonlSink, setting.SlackSink]


def test_the_configuration_names_only_folders_that_the_unit_gives() -> None:
    assert "LoadCredential=secret:/etc/straykey/secrets" in UNIT
    folders = {line.split('"')[1].rpartition("/")[0] for line in SETTINGS.splitlines() if '= "/' in line}
    assert folders == {"/var/lib/straykey", "/run/credentials/straykey.service"}
