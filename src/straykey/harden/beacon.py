"""What makes an instance call AWS once at boot, so that the lock is its own: for cloud-init and systemd.

The call is GetCallerIdentity: no policy can refuse it, it changes nothing, and CloudTrail records it as a read-only
management event.  A trail of write events only does not have it, and then there is no beacon.  It is made at every
boot: keys are issued anew after a stop, and what comes too late for the lock does no harm (`core.beacon`).
"""

import re
from enum import StrEnum

from straykey.core.agent import BEACON
from straykey.errors import UsageError
from straykey.harden.beacon_script import PYTHON, SHELL

SCRIPT = "/usr/local/sbin/straykey-beacon"
UNIT = f"/etc/systemd/system/{BEACON}.service"
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")


class Means(StrEnum):
    """What makes the call."""

    AWS_CLI = "aws-cli"  # version 2; one that knows no application id makes the call without the beacon's name
    PYTHON = "python"  # 3.6 or later, without anything else: cloud-init itself needs it


def script(means: Means, region: str = "") -> str:
    """The program; without a region it asks the metadata service for its own.  Raises UsageError for what is none.

    Tries for about a minute: role keys may come a little after the network does.
    """
    if region and not _REGION.fullmatch(region):
        raise UsageError(f"not a region: {region[:80]!r}", hint="as in eu-west-1")
    return {Means.AWS_CLI: SHELL, Means.PYTHON: PYTHON}[means].replace("@REGION@", region)


# The command line may come as a snap, which cannot be shut in like this.
_SHUT_IN = """\
CapabilityBoundingSet=
NoNewPrivileges=true
PrivateTmp=true
ProtectHome=true
ProtectSystem=strict
"""


def unit(means: Means) -> str:
    """The systemd unit.  It runs as root, whom a filter before the metadata service lets pass; nothing waits for it."""
    shut_in = _SHUT_IN if means is Means.PYTHON else ""
    return f"""\
[Unit]
Description=Call AWS once, so that straykey knows where this instance calls from
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={SCRIPT}
TimeoutStartSec=300
{shut_in}
[Install]
WantedBy=multi-user.target
"""


def user_data(means: Means, region: str = "") -> str:
    """`#cloud-config` for the launch template: writes program and unit, and starts the unit, now and at each boot."""
    return f"""\
#cloud-config
write_files:
  - path: {SCRIPT}
    owner: root:root
    permissions: '0755'
    content: |
{_indented(script(means, region))}\
  - path: {UNIT}
    owner: root:root
    permissions: '0644'
    content: |
{_indented(unit(means))}\
runcmd:
  - [systemctl, daemon-reload]
  - [systemctl, enable, --now, --no-block, {BEACON}.service]
"""


def _indented(text: str) -> str:
    return "".join(f"      {line}".rstrip() + "\n" for line in text.splitlines())
