"""The beacon: as files, as cloud-init, systemd and a shell read them, and as it calls."""

import io
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from straykey.core.agent import is_beacon
from straykey.errors import UsageError
from straykey.harden.beacon import SCRIPT, UNIT, Means, script, unit, user_data
from tests.conftest import Golden

REGION = "eu-west-1"
KEYS = {"AccessKeyId": "ASIAEXAMPLEKEY000001", "SecretAccessKey": "example/secret", "Token": "EXAMPLE+TOKEN/=="}
ROLE = "/latest/meta-data/iam/security-credentials/"
_SCHEMA = Path("/usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json")


@pytest.mark.parametrize("means", Means)
def test_the_user_data_is_as_reviewed(means: Means, golden: Golden) -> None:
    golden(f"tests/golden/harden/beacon.{means}.yaml", user_data(means, REGION))


def written(means: Means, region: str = "") -> dict[str, str]:
    """What cloud-init would write, by path."""
    files = yaml.safe_load(user_data(means, region))["write_files"]
    return {one["path"]: one["content"] for one in files}


@pytest.mark.parametrize("means", Means)
def test_cloud_init_writes_the_program_and_the_unit_to_the_letter(means: Means) -> None:
    assert written(means, REGION) == {SCRIPT: script(means, REGION), UNIT: unit(means)}


@pytest.mark.parametrize("means", Means)
def test_the_user_data_fits_cloud_inits_own_schema(means: Means) -> None:
    schema = Path(os.environ.get("CLOUD_INIT_SCHEMA", _SCHEMA))
    if not schema.exists():
        assert "CLOUD_INIT_SCHEMA" not in os.environ, "its file is not there"
        pytest.skip("cloud-init's schema is not here: name it by CLOUD_INIT_SCHEMA")
    checker = jsonschema.Draft4Validator(json.loads(schema.read_text()))
    data = yaml.safe_load(user_data(means))
    assert [error.message for error in checker.iter_errors(data)] == []
    assert [*checker.iter_errors({**data, "runcmd": 7})], "what is wrong is refused"


def test_the_user_data_fits_ec2s_limit() -> None:
    assert all(len(user_data(means, REGION).encode()) <= 16384 for means in Means)


@pytest.mark.parametrize("means", Means)
def test_systemd_finds_the_unit_sound(means: Means, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    program, service = tmp_path / "beacon", tmp_path / "straykey-beacon.service"
    program.write_text(script(means))
    program.chmod(0o755)

    def complaints(text: str) -> str:
        service.write_text(text.replace(SCRIPT, str(program)))
        verify = ["systemd-analyze", "verify", "--man=no", str(service)]
        said = subprocess.run(verify, capture_output=True, text=True, check=False).stderr
        return "\n".join(line for line in said.splitlines() if service.name in line or str(service) in line)

    assert complaints(unit(means)) == ""
    assert "ExecStrat" in complaints(unit(means).replace("ExecStart", "ExecStrat"))


def test_the_shell_finds_the_program_sound(tmp_path: Path) -> None:
    (tmp_path / "beacon").write_text(script(Means.AWS_CLI))
    assert subprocess.run(["sh", "-n", tmp_path / "beacon"], check=False).returncode == 0


@pytest.mark.parametrize("region", ["eu-west-1; reboot", "x", "EU-WEST-1", "eu-west-1\n", '"'])
def test_what_is_no_region_is_refused(region: str) -> None:
    with pytest.raises(UsageError, match="not a region"):
        script(Means.PYTHON, region)


class Amazon(BaseHTTPRequestHandler):
    """The metadata service, with tokens required, and STS, on one port; `asked` is what STS was sent."""

    asked: list[tuple[dict[str, str], bytes]]

    def do_PUT(self) -> None:
        self.answer("a-token" if self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else None)

    def do_GET(self) -> None:
        served = {
            "/latest/meta-data/placement/region": REGION,
            "/latest/meta-data/placement/availability-zone": f"{REGION}a",
            ROLE: "web-role",
            f"{ROLE}web-role": json.dumps({**KEYS, "Code": "Success", "Expiration": "2099-01-01T00:00:00Z"}),
        }
        self.answer(served.get(self.path) if self.headers["X-aws-ec2-metadata-token"] == "a-token" else None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.answer(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn</Arn><UserId>u</UserId><Account>1</Account>"
            "</GetCallerIdentityResult></GetCallerIdentityResponse>"
        )

    def answer(self, text: str | None) -> None:
        self.send_response(200 if text is not None else 401)
        self.send_header("Content-Length", str(len(text or "")))
        self.end_headers()
        self.wfile.write((text or "").encode())

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def amazon() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    asked: list[tuple[dict[str, str], bytes]] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Amazon,), {"asked": asked})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def run(means: Means, url: str, folder: Path, region: str = "") -> "subprocess.CompletedProcess[str]":
    program = folder / "beacon"
    program.write_text(script(means, region))
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
        "AWS_ENDPOINT_URL_STS": url,
        "AWS_ENDPOINT_URL": url,
    }
    command = [sys.executable if means is Means.PYTHON else "sh", str(program)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("region", ["", REGION])
def test_the_program_makes_one_call_under_the_beacons_name(region: str, tmp_path: Path) -> None:
    with amazon() as (url, asked):
        outcome = run(Means.PYTHON, url, tmp_path, region)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")
    ((headers, body),) = asked
    assert is_beacon(headers["user-agent"])
    assert body == b"Action=GetCallerIdentity&Version=2011-06-15"


def test_the_programs_signature_is_what_aws_would_compute(tmp_path: Path) -> None:
    with amazon() as (url, asked):
        run(Means.PYTHON, url, tmp_path)
    ((headers, body),) = asked
    authorization = headers["authorization"]
    signed = {name: headers[name] for name in ("content-type", "x-amz-date", "x-amz-security-token")}
    request = AWSRequest("POST", f"{url}/", data=io.BytesIO(body), headers=signed)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(Credentials(*KEYS.values()), "sts", REGION)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    assert authorization.endswith(f"Signature={auth.signature(text, request)}")
    assert (
        f"/{REGION}/sts/aws4_request, SignedHeaders={auth.signed_headers(auth.headers_to_sign(request))},"
        in authorization
    )


def test_aws_own_sdk_appends_the_application_id_as_it_is_recognised() -> None:
    """What the command line shares with it: both are told by AWS_SDK_UA_APP_ID, which the shell program sets."""
    call = "import boto3; boto3.client('sts').get_caller_identity()"
    with amazon() as (url, asked):
        environment = {
            "AWS_SDK_UA_APP_ID": "straykey-beacon",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_STS": url,
            "AWS_ACCESS_KEY_ID": KEYS["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": KEYS["SecretAccessKey"],
        }
        subprocess.run([sys.executable, "-c", call], check=True, env=environment)
    ((headers, _),) = asked
    assert is_beacon(headers["user-agent"])
    assert headers["user-agent"] != "straykey-beacon"
    assert "AWS_SDK_UA_APP_ID=straykey-beacon\n" in script(Means.AWS_CLI)


RECORDING = """#!/bin/sh
echo "$* $AWS_SDK_UA_APP_ID $AWS_REGION $AWS_DEFAULT_REGION" > "$0.called"
"""


@pytest.mark.parametrize("region", ["", REGION])
def test_the_shell_program_asks_for_its_region_and_calls_the_command_line(region: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    command = tmp_path / "aws"
    command.write_text(RECORDING)
    command.chmod(0o755)
    with amazon() as (url, _):
        program = script(Means.AWS_CLI, region).replace("PATH=/usr/local/sbin", f"PATH={tmp_path}:/usr/local/sbin")
        (tmp_path / "beacon").write_text(program)
        environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_PROFILE": "other"}
        subprocess.run(["/bin/sh", tmp_path / "beacon"], check=True, env=environment)
    called = (tmp_path / "aws.called").read_text()
    assert called == f"sts get-caller-identity straykey-beacon {REGION} {REGION}\n"
