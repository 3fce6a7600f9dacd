package controlplane

import (
	"reflect"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/ingest"
)

// What the setting says when it is not given is what ingest does when it is not told.
func TestConfig_gather_has_one_default(t *testing.T) {
	field, _ := reflect.TypeFor[Config]().FieldByName("IngestGather")
	if got := field.Tag.Get("default"); got != ingest.DefaultGather.String() {
		t.Errorf("WEIR_INGEST_GATHER is %s by default, and ingest gathers for %s", got, ingest.DefaultGather)
	}
}
