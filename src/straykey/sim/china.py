"""The other partition: ARNs, service names and hosts as CloudTrail writes them in China.

Event sources keep their name there; IAM is no longer in us-east-1.
"""

import json
import re
from typing import cast

from straykey.sim.address import CHINA_REGION
from straykey.sim.record import Document
from straykey.sim.stage import Stage

_NAMED = re.compile(
    r'("(?:invokedBy|sourceIPAddress|userAgent|Host|clientProvidedHostHeader)": "[^"]*\.amazonaws\.com)"'
)
_GLOBAL = '"awsRegion": "us-east-1"'


def translate(stage: Stage) -> None:
    """Rewrite what has been written on the stage so far."""
    stage.records = [translated(record) for record in stage.records]


def translated(record: Document) -> Document:
    text = json.dumps(record).replace("arn:aws:", "arn:aws-cn:").replace(_GLOBAL, f'"awsRegion": "{CHINA_REGION}"')
    return cast(Document, json.loads(_NAMED.sub(r'\1.cn"', text)))
