package ingest

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// enum has the names of an enum's values as rows have them: "upstream_error". Asking the
// descriptor for each record was a fifth of its conversion.
type enum []string

var (
	surfaces     = namesOf(usagev1.Surface(0), "SURFACE_")
	outcomes     = namesOf(usagev1.Outcome(0), "OUTCOME_")
	usageSources = namesOf(usagev1.UsageSource(0), "USAGE_SOURCE_")
	causes       = namesOf(usagev1.Cause(0), "CAUSE_")
	kinds        = namesOf(usagev1.Kind(0), "KIND_")
	serviceTiers = namesOf(usagev1.ServiceTier(0), "SERVICE_TIER_")
	verdicts     = namesOf(usagev1.Verdict(0), "VERDICT_")
)

func namesOf(of protoreflect.Enum, prefix string) enum {
	values := of.Descriptor().Values()
	var out enum
	for i := range values.Len() {
		v := values.Get(i)
		for int(v.Number()) >= len(out) {
			out = append(out, "")
		}
		out[v.Number()] = strings.ToLower(strings.TrimPrefix(string(v.Name()), prefix))
	}
	return out
}

// name is a value's, or "unknown_9" of a newer agent's.
func (e enum) name(value int32) string {
	if e.has(value) {
		return e[value]
	}
	return fmt.Sprintf("unknown_%d", value)
}

func (e enum) has(value int32) bool { return value >= 0 && int(value) < len(e) && e[value] != "" }

// known refuses values of a newer agent where sums and shares depend on them: as numbers
// they would stay in rows for ever, as dead letters they become rows after an upgrade. On
// kinds, causes and verdicts nothing depends so, and their rows need not wait.
func (e enum) known(field string, value int32) error {
	if !e.has(value) {
		return fmt.Errorf("%s %d is unknown", field, value)
	}
	return nil
}
