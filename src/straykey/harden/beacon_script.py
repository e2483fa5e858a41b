"""The programs that make the beacon's call; `@REGION@` is put in, or stays empty and is asked for."""

SHELL = r"""#!/bin/sh
# One call at boot that CloudTrail records under a name of its own: straykey takes the network it came from for home.
AWS_SDK_UA_APP_ID=straykey-beacon
AWS_STS_REGIONAL_ENDPOINTS=regional
AWS_MAX_ATTEMPTS=1
AWS_REGION=@REGION@
# The instance's own keys, whatever else is configured.
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
AWS_CONFIG_FILE=/dev/null
AWS_SHARED_CREDENTIALS_FILE=/dev/null
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin
export AWS_SDK_UA_APP_ID AWS_STS_REGIONAL_ENDPOINTS AWS_MAX_ATTEMPTS AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE PATH

imds="${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}"
region() {
  token=$(curl -sf -m 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$imds/latest/api/token") || return
  curl -sf -m 2 -H "X-aws-ec2-metadata-token: $token" "$imds/latest/meta-data/placement/region"
}

for wait in 2 4 8 8 8 8 8 8 0; do
  [ -n "$AWS_REGION" ] || AWS_REGION=$(region)
  export AWS_REGION
  AWS_DEFAULT_REGION=$AWS_REGION
  export AWS_DEFAULT_REGION
  [ -n "$AWS_REGION" ] && timeout 20 aws sts get-caller-identity >/dev/null && exit 0
  sleep "$wait"
done
echo 'straykey-beacon: no call was made' >&2
exit 1
"""

PYTHON = r"""#!/usr/bin/env python3
# One call at boot that CloudTrail records under a name of its own: straykey takes the network it came from for home.
import hashlib, hmac, json, os, sys, time
from urllib.request import ProxyHandler, Request, build_opener

IMDS = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254").rstrip("/")
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
TYPE = "application/x-www-form-urlencoded; charset=utf-8"


def imds(path, token=None):
    if token is None:
        request = Request(IMDS + path, method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    else:
        request = Request(IMDS + path, headers={"X-aws-ec2-metadata-token": token})
    return build_opener(ProxyHandler({})).open(request, timeout=2).read().decode().strip()


def signed(key, secret, token, region, url, now):
    # Signature version 4
    host = url.split("://", 1)[1].rstrip("/")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", now)
    headers = {"content-type": TYPE, "host": host, "x-amz-date": stamp, "x-amz-security-token": token}
    names = ";".join(sorted(headers))
    lines = "".join("%s:%s\n" % (name, headers[name]) for name in sorted(headers))
    asked = "\n".join(["POST", "/", "", lines, names, hashlib.sha256(BODY).hexdigest()])
    scope = "%s/%s/sts/aws4_request" % (stamp[:8], region)
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(asked.encode()).hexdigest()])
    signing = ("AWS4" + secret).encode()
    for part in (*scope.split("/"), text):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    headers["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
        key, scope, names, signing.hex())
    return headers


def call():
    token = imds("/latest/api/token")
    region = "@REGION@" or imds("/latest/meta-data/placement/region", token)
    role = imds("/latest/meta-data/iam/security-credentials/", token).split("\n")[0]
    keys = json.loads(imds("/latest/meta-data/iam/security-credentials/" + role, token))
    suffix = ".cn" if region.startswith("cn-") else ""
    url = os.environ.get("AWS_ENDPOINT_URL_STS", "https://sts.%s.amazonaws.com%s" % (region, suffix)).rstrip("/")
    headers = signed(keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"], region, url, time.gmtime())
    headers["user-agent"] = "straykey-beacon/1"
    build_opener().open(Request(url + "/", data=BODY, headers=headers), timeout=10).read()


for wait in (2, 4, 8, 8, 8, 8, 8, 8, 0):
    try:
        call()
        sys.exit(0)
    except (OSError, ValueError, KeyError) as error:
        # Never what was sent: its headers hold the token.
        print("straykey-beacon: %s" % type(error).__name__, file=sys.stderr)
    time.sleep(wait)
sys.exit(1)
"""
