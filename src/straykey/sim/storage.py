"""Calls on data and on what guards it: S3, DynamoDB, SQS, KMS, Secrets Manager."""

from random import Random

from straykey.sim import identifier
from straykey.sim.record import Body, Call, Document, Scene

_PREFIXES = ("incoming", "exports/daily", "thumbnails", "state", "reports/weekly")


def bucket_of(rng: Random, scene: Scene) -> str:
    return f"{scene.app}-{rng.choice(('assets', 'intake'))}-{scene.account}"


def object_key(rng: Random) -> str:
    return f"{rng.choice(_PREFIXES)}/{identifier.hexadecimal(rng, 12)}.parquet"


def key_arn(scene: Scene) -> str:
    return f"arn:aws:kms:{scene.region}:{scene.account}:key/0f0f0f0f-1111-4222-8333-{scene.account}"


def _s3_request(scene: Scene, bucket: str, **more: object) -> Document:
    return {"bucketName": bucket, "Host": f"{bucket}.s3.{scene.region}.amazonaws.com", **more}


def _s3_extra(rng: Random, sent: int, got: int) -> Document:
    return {
        "SignatureVersion": "SigV4",
        "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "bytesTransferredIn": sent,
        "AuthenticationMethod": "AuthHeader",
        "x-amz-id-2": identifier.alphanumeric(rng, 75) + "=",
        "bytesTransferredOut": got,
    }


def _object_resources(scene: Scene, bucket: str, key: str) -> list[Document]:
    return [
        {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"},
        {"accountId": scene.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
    ]


def _get_object(rng: Random, scene: Scene) -> Body:
    bucket, key = bucket_of(rng, scene), object_key(rng)
    return Body(
        request=_s3_request(scene, bucket, key=key),
        extra=_s3_extra(rng, 0, rng.randrange(500, 4_000_000)),
        resources=_object_resources(scene, bucket, key),
        host=f"{bucket}.s3.{scene.region}.amazonaws.com",
        request_id=identifier.base32(rng, 16),
    )


def _put_object(rng: Random, scene: Scene) -> Body:
    bucket, key = bucket_of(rng, scene), object_key(rng)
    encryption = {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": key_arn(scene),
    }
    return Body(
        request=_s3_request(scene, bucket, key=key),
        response=encryption,
        extra=_s3_extra(rng, rng.randrange(500, 900_000), 0),
        resources=_object_resources(scene, bucket, key),
        host=f"{bucket}.s3.{scene.region}.amazonaws.com",
        request_id=identifier.base32(rng, 16),
    )


def _list_objects(rng: Random, scene: Scene) -> Body:
    bucket = bucket_of(rng, scene)
    return Body(
        request={
            **_s3_request(scene, bucket),
            "list-type": "2",
            "prefix": f"{rng.choice(_PREFIXES)}/",
            "encoding-type": "url",
        },
        extra=_s3_extra(rng, 0, rng.randrange(300, 90_000)),
        resources=[
            {"type": "AWS::S3::Object", "ARNPrefix": f"arn:aws:s3:::{bucket}/"},
            {"accountId": scene.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
        ],
        host=f"{bucket}.s3.{scene.region}.amazonaws.com",
        request_id=identifier.base32(rng, 16),
    )


def _bucket_policy(rng: Random, scene: Scene) -> Body:
    bucket = bucket_of(rng, scene)
    return Body(
        request=_s3_request(scene, bucket, policy=""),
        extra=_s3_extra(rng, 0, rng.randrange(200, 900)),
        resources=[{"accountId": scene.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}],
        host=f"{bucket}.s3.{scene.region}.amazonaws.com",
        request_id=identifier.base32(rng, 16),
    )


def _list_buckets(rng: Random, scene: Scene) -> Body:
    return Body(
        request={"Host": f"s3.{scene.region}.amazonaws.com"},
        extra=_s3_extra(rng, 0, rng.randrange(900, 9_000)),
        request_id=identifier.base32(rng, 16),
    )


def _table(scene: Scene, request: Document) -> Body:
    name = f"{scene.app}-sessions"
    arn = f"arn:aws:dynamodb:{scene.region}:{scene.account}:table/{name}"
    resource = {"accountId": scene.account, "type": "AWS::DynamoDB::Table", "ARN": arn}
    return Body(request={"tableName": name, **request}, resources=[resource])


def _get_item(rng: Random, scene: Scene) -> Body:
    key = f"customer#{identifier.hexadecimal(rng, 12)}"
    return _table(scene, {"key": {"pk": key, "sk": "profile"}, "consistentRead": False})


def _query(rng: Random, scene: Scene) -> Body:
    condition = "#pk = :pk AND begins_with(#sk, :sk)"
    request = {
        "indexName": "by-day",
        "keyConditionExpression": condition,
        "limit": rng.choice((25, 50, 100)),
        "scanIndexForward": False,
        "returnConsumedCapacity": "NONE",
    }
    return _table(scene, request)


def _put_item(rng: Random, scene: Scene) -> Body:
    key = f"customer#{identifier.hexadecimal(rng, 12)}"
    return _table(scene, {"key": {"pk": key, "sk": f"visit#{rng.randrange(10**9)}"}, "items": ["pk", "sk"]})


def _queue(scene: Scene, request: Document, response: Document | None = None) -> Body:
    name = f"{scene.app}-jobs"
    return Body(
        request={
            "queueUrl": f"https://sqs.{scene.region}.amazonaws.com/{scene.account}/{name}",
            **request,
        },
        response=response,
        resources=[
            {
                "accountId": scene.account,
                "type": "AWS::SQS::Queue",
                "ARN": f"arn:aws:sqs:{scene.region}:{scene.account}:{name}",
            }
        ],
    )


def _receive_message(rng: Random, scene: Scene) -> Body:
    attributes = ["ApproximateReceiveCount", "SentTimestamp"]
    waits = {"waitTimeSeconds": 20, "visibilityTimeout": rng.choice((60, 300))}
    return _queue(scene, {"attributeNames": attributes, "maxNumberOfMessages": 10, **waits})


def _delete_message(rng: Random, scene: Scene) -> Body:
    return _queue(scene, {"receiptHandle": identifier.alphanumeric(rng, 90)})


def _send_message(rng: Random, scene: Scene) -> Body:
    response = {
        "messageId": identifier.guid(rng),
        "mD5OfMessageBody": identifier.hexadecimal(rng, 32),
    }
    return _queue(scene, {"messageBody": "HIDDEN_DUE_TO_SECURITY_REASONS", "delaySeconds": 0}, response)


def _kms(rng: Random, scene: Scene) -> Body:
    bucket = bucket_of(rng, scene)
    context = {"aws:s3:arn": f"arn:aws:s3:::{bucket}/{object_key(rng)}"}
    arn = key_arn(scene)
    return Body(
        request={"encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT", "keyId": arn},
        resources=[{"accountId": scene.account, "type": "AWS::KMS::Key", "ARN": arn}],
    )


def _data_key(rng: Random, scene: Scene) -> Body:
    arn = key_arn(scene)
    context = {"aws:s3:arn": f"arn:aws:s3:::{bucket_of(rng, scene)}/{object_key(rng)}"}
    return Body(
        request={"encryptionContext": context, "keySpec": "AES_256", "keyId": arn},
        resources=[{"accountId": scene.account, "type": "AWS::KMS::Key", "ARN": arn}],
    )


def _secret(rng: Random, scene: Scene) -> Body:
    name = f"{scene.app}/{rng.choice(('database', 'payment-api', 'smtp', 'license'))}"
    return Body(request={"secretId": name, "versionStage": "AWSCURRENT"})


def _list_secrets(rng: Random, scene: Scene) -> Body:
    return Body(request={"maxResults": 100, "includePlannedDeletion": False})


GET_OBJECT = Call("s3", "GetObject", _get_object, is_data=True)
PUT_OBJECT = Call("s3", "PutObject", _put_object, read_only=False, is_data=True)
LIST_OBJECTS = Call("s3", "ListObjects", _list_objects, is_data=True)
LIST_BUCKETS = Call("s3", "ListBuckets", _list_buckets)
GET_BUCKET_POLICY = Call("s3", "GetBucketPolicy", _bucket_policy)
GET_ITEM = Call("dynamodb", "GetItem", _get_item, is_data=True)
QUERY = Call("dynamodb", "Query", _query, is_data=True)
PUT_ITEM = Call("dynamodb", "PutItem", _put_item, read_only=False, is_data=True)
RECEIVE_MESSAGE = Call("sqs", "ReceiveMessage", _receive_message, is_data=True)
DELETE_MESSAGE = Call("sqs", "DeleteMessage", _delete_message, read_only=False, is_data=True)
SEND_MESSAGE = Call("sqs", "SendMessage", _send_message, read_only=False, is_data=True)
DECRYPT = Call("kms", "Decrypt", _kms)
GENERATE_DATA_KEY = Call("kms", "GenerateDataKey", _data_key)
GET_SECRET_VALUE = Call("secretsmanager", "GetSecretValue", _secret, version="1.09")
LIST_SECRETS = Call("secretsmanager", "ListSecrets", _list_secrets, version="1.09")
