// The fields of a CloudTrail record that count, read with simdjson On-Demand.

#pragma once

#include <simdjson.h>

#include <string_view>

namespace limit {

using std::string_view;
namespace ondemand = simdjson::ondemand;

struct Record {  // the fields that count, as they stand in the parser's buffer
  string_view type, arn, key, invoked_by, role, created, delivery, scope_type, scope, time, source, name, region,
      address, agent, error, id, shared_id, endpoint, owner, asked_role, asked_name, given_key, expires;
};

inline string_view text(ondemand::value value) {
  string_view found;
  return value.get_string().get(found) ? string_view{} : found;
}

template <typename Take>
inline void members(ondemand::value value, Take take) {
  ondemand::object object;
  if (value.get_object().get(object)) return;
  for (auto field : object) {
    string_view key = field.unescaped_key();
    take(key, field.value());
  }
}

inline void read_context(ondemand::value value, Record& record) {
  members(value, [&](string_view key, ondemand::value inner) {
    if (key == "sessionIssuer")
      members(inner, [&](string_view name, ondemand::value one) {
        if (name == "arn") record.role = text(one);
      });
    else if (key == "attributes")
      members(inner, [&](string_view name, ondemand::value one) {
        if (name == "creationDate") record.created = text(one);
      });
    else if (key == "ec2RoleDelivery")
      record.delivery = text(inner);
  });
}

inline void read_identity(ondemand::value value, Record& record) {
  members(value, [&](string_view key, ondemand::value inner) {
    if (key == "type")
      record.type = text(inner);
    else if (key == "arn")
      record.arn = text(inner);
    else if (key == "accessKeyId")
      record.key = text(inner);
    else if (key == "invokedBy")
      record.invoked_by = text(inner);
    else if (key == "sessionContext")
      read_context(inner, record);
    else if (key == "inScopeOf")
      members(inner, [&](string_view name, ondemand::value one) {
        if (name == "issuerType")
          record.scope_type = text(one);
        else if (name == "credentialsIssuedTo")
          record.scope = text(one);
      });
  });
}

inline void read_request(ondemand::value value, Record& record) {
  members(value, [&](string_view key, ondemand::value inner) {
    if (key == "roleArn")
      record.asked_role = text(inner);
    else if (key == "roleSessionName")
      record.asked_name = text(inner);
  });
}

inline void read_response(ondemand::value value, Record& record) {
  members(value, [&](string_view key, ondemand::value inner) {
    if (key == "credentials")
      members(inner, [&](string_view name, ondemand::value one) {
        if (name == "accessKeyId")
          record.given_key = text(one);
        else if (name == "expiration")
          record.expires = text(one);
      });
  });
}

inline void read_field(string_view key, ondemand::value value, Record& record) {
  switch (key.size()) {  // CloudTrail writes the name of a call before what it asked and got
    case 7:
      if (key == "eventID") record.id = text(value);
      break;
    case 9:
      if (key == "eventTime")
        record.time = text(value);
      else if (key == "eventName")
        record.name = text(value);
      else if (key == "awsRegion")
        record.region = text(value);
      else if (key == "userAgent")
        record.agent = text(value);
      else if (key == "errorCode")
        record.error = text(value);
      break;
    case 11:
      if (key == "eventSource") record.source = text(value);
      break;
    case 12:
      if (key == "userIdentity") read_identity(value, record);
      break;
    case 13:
      if (key == "sharedEventID")
        record.shared_id = text(value);
      else if (key == "vpcEndpointId")
        record.endpoint = text(value);
      break;
    case 15:
      if (key == "sourceIPAddress") record.address = text(value);
      break;
    case 16:
      if (key == "responseElements" && record.name == "AssumeRole") read_response(value, record);
      break;
    case 17:
      if (key == "requestParameters" && record.name == "AssumeRole") read_request(value, record);
      break;
    case 20:
      if (key == "vpcEndpointAccountId") record.owner = text(value);
      break;
  }
}

}  // namespace limit
