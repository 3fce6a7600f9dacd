package redact_test

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// noContent is why a field of usage can't hold what a prompt, an answer, a header or an error
// of a provider says. A field that comes to the record comes here, with its reason, or stays out.
var noContent = map[string]string{
	"request_id":                  "made by the agent: UUIDv7",
	"parent_request_id":           "the same, of another record",
	"project_id":                  "of the policy's key, found by the SHA-256 of what the caller sent",
	"key_id":                      "the same",
	"route_id":                    "of the policy's route that the caller's text names; none where there is no such route",
	"route":                       "the same: the policy's text",
	"error_code":                  "a constant of the agent's (package dialect's Code: no text becomes one)",
	"end_user":                    "a keyed hash; the caller's text where the organization turned plain ones on (Write)",
	"run_id":                      "an identifier's characters, 128 at most (Write)",
	"labels.name":                 "a name that the organization lists (Write)",
	"labels.value":                "matches the organization's rule for the name (Write)",
	"candidates.provider":         "of the policy",
	"candidates.model":            "of the policy's target, not of the request",
	"attempts.provider_id":        "of the policy",
	"attempts.provider":           "of the policy",
	"attempts.model":              "of the policy's target, not of the request or the answer",
	"attempts.price_book_version": "of the policy",
	"attempts.raw_usage_sha256":   "a hash of the provider's numbers, 32 bytes",
	"charges.quota_id":            "of the policy",
	"charges.subject":             "what stands in end_user or, where the key has no label of the name, in labels.value; else the key's label",
	"charges.window":              "the ledger's name of it: two times",
	"refused_by_quota_id":         "of the policy",
	"beyond_quota_ids":            "of the policy",
	"torn_from.boot":              "made by the agent: a counter and random bits",
}

func TestEveryTextOfUsageHasAReason(t *testing.T) {
	left := map[string]bool{}
	for path := range noContent {
		left[path] = true
	}
	var walk func(within string, m protoreflect.MessageDescriptor)
	walk = func(within string, m protoreflect.MessageDescriptor) {
		for i := range m.Fields().Len() {
			field := m.Fields().Get(i)
			path := within + string(field.Name())
			switch field.Kind() {
			case protoreflect.MessageKind, protoreflect.GroupKind:
				walk(path+".", field.Message())
			case protoreflect.StringKind, protoreflect.BytesKind:
				if noContent[path] == "" {
					t.Errorf("%s can hold text: say above why none of a prompt, an answer or a header gets there", path)
				}
				delete(left, path)
			}
			if field.IsMap() {
				t.Errorf("%s is a map: whatever its keys are, they are text of somebody's", path)
			}
		}
	}
	walk("", (&usagev1.UsageRecord{}).ProtoReflect().Descriptor())
	for path := range left {
		t.Errorf("%s is no field with text", path)
	}
}
