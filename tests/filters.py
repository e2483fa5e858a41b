"""The packet filters of this machine, run in a network of their own, so that nothing of the machine's is touched."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_PACKAGES = {"nft": "nftables", "iptables": "iptables", "ip6tables": "iptables", "ip": "iproute2"}


def is_needed() -> bool:
    """Set where a tool that is missing, or cannot be run, must not pass for a test that was."""
    return "PACKET_FILTERS_ARE_NEEDED" in os.environ


def need(*tools: str) -> None:
    """Skip where a tool is missing or nobody may have a network of his own; fail where they are needed."""
    for tool in tools:
        if shutil.which(tool) is None:
            _give_up(f"{tool} is not installed: apt-get install {_PACKAGES.get(tool, tool)}")
    # What the tool must be able to do whatever the rules are: so a refusal later is about the rules.
    for tool in tools:
        if tool != "ip" and (tried := in_own_network(f"{tool} {'list ruleset' if tool == 'nft' else '-S'}")).returncode:
            _give_up(f"{tool} cannot be run here: {tried.stderr.strip()}")


def need_root() -> None:
    """For calls as several users, of which a user namespace without root has but one."""
    if os.geteuid() != 0:
        _give_up("only root can call as several users")


def _give_up(why: str) -> None:
    if is_needed():
        pytest.fail(why)
    pytest.skip(why)


def in_own_network(script: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a root shell's script; without root, as the root of a user namespace."""
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    return subprocess.run([*alone, "sh", "-c", script], capture_output=True, text=True, check=False, cwd=folder)
