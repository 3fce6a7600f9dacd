package ingest

import (
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Every surface that an agent can name is stored by the name that docs/sql.md has for it.
func TestSurfaces(t *testing.T) {
	text, err := os.ReadFile("../../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "| `surface` |")
	documented, _, found := strings.Cut(rest, "\n")
	if !found {
		t.Fatal("docs/sql.md has no surface")
	}
	for number, name := range usagev1.Surface_name {
		r, err := fromProtoRecord(&usagev1.UsageRecord{RequestId: uuid.New().String(), Surface: usagev1.Surface(number)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(documented, "`"+r.surface+"`") {
			t.Errorf("docs/sql.md says nothing of %q", r.surface)
		}
	}
	if _, err := fromProtoRecord(&usagev1.UsageRecord{RequestId: uuid.New().String(), Surface: 31}); err == nil {
		t.Error("a surface without a name was taken")
	}
}
